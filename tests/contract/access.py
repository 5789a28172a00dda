"""Who may do what: each route x role, from a table of its own, against the running program."""

import http.client
import re

from case import Case

SCOPES = {
    "admin": {"recognize", "attendance:write", "attendance:read", "people:read", "people:write", "embed", "privacy", "admin"},
    "hr": {"recognize", "attendance:write", "attendance:read", "people:read", "people:write", "privacy"},
    "kiosk": {"attendance:write"},
    "auditor": {"attendance:read", "people:read", "privacy"},
    "viewer": {"attendance:read"},
}

ROUTES = """
post   /upload/                                people:write
post   /recognize/                             attendance:write
delete /hapus/                                 people:write
post   /api/v1/detect                          recognize
post   /api/v1/quality                         recognize
post   /api/v1/embed                           embed
post   /api/v1/recognize                       recognize
post   /api/v1/recognize:batch                 recognize
post   /api/v1/verify                          recognize
get    /api/v1/people                          people:read
post   /api/v1/people                          people:write
post   /api/v1/people:merge                    people:write
post   /api/v1/people:import                   people:write
get    /api/v1/people:export                   admin
get    /api/v1/people/{id}                     people:read
patch  /api/v1/people/{id}                     people:write
delete /api/v1/people/{id}                     people:write
post   /api/v1/people/{id}/faces               people:write
get    /api/v1/people/{id}/faces               people:read
delete /api/v1/people/{id}/faces/{fid}         people:write
get    /api/v1/people/{id}/faces/{fid}/image   people:read
post   /api/v1/people/{id}/verify              recognize
get    /api/v1/people/{id}/consents            people:read
post   /api/v1/people/{id}/consents            people:write
delete /api/v1/people/{id}/consents            people:write
get    /api/v1/people/{id}/data-export         privacy
post   /api/v1/attendance/check                attendance:write
get    /api/v1/attendance/events               attendance:read
post   /api/v1/attendance/events               attendance:write attendance:read
get    /api/v1/attendance/events/{id}          attendance:read
patch  /api/v1/attendance/events/{id}          attendance:write attendance:read
get    /api/v1/attendance/inside               attendance:read
get    /api/v1/attendance/days                 attendance:read
get    /api/v1/attendance/summary              attendance:read
get    /api/v1/attendance/export               attendance:read
get    /api/v1/sites                           attendance:read
post   /api/v1/sites                           admin
put    /api/v1/sites/{code}                    admin
delete /api/v1/sites/{code}                    admin
get    /api/v1/shifts                          attendance:read
post   /api/v1/shifts                          admin
put    /api/v1/shifts/{code}                   admin
delete /api/v1/shifts/{code}                   admin
get    /api/v1/assignments                     attendance:read
post   /api/v1/assignments                     admin
delete /api/v1/assignments/{id}                admin
get    /api/v1/holidays                        attendance:read
post   /api/v1/holidays                        admin
delete /api/v1/holidays/{id}                   admin
get    /api/v1/keys                            admin
post   /api/v1/keys                            admin
delete /api/v1/keys/{id}                       admin
get    /api/v1/webhooks                        admin
post   /api/v1/webhooks                        admin
patch  /api/v1/webhooks/{id}                   admin
delete /api/v1/webhooks/{id}                   admin
get    /api/v1/webhooks/{id}/deliveries        admin
get    /api/v1/system                          admin
get    /api/v1/models                          admin
post   /api/v1/models/{id}:activate            admin
post   /api/v1/train                           admin
get    /api/v1/jobs                            admin
get    /api/v1/jobs/{id}                       people:write
get    /api/v1/jobs/{id}/events                people:write
get    /api/v1/events                          attendance:read
get    /api/v1/audit                           privacy
get    /api/v1/audit/verify                    privacy
post   /api/v1/session                         -
get    /api/v1/session                         -
delete /api/v1/session                         -
get    /api/v1/accounts                        admin
post   /api/v1/accounts                        admin
patch  /api/v1/accounts/{name}                 admin
delete /api/v1/accounts/{name}                 admin
get    /metrics                                admin
get    /healthz                                -
get    /readyz                                 -
get    /version                                -
get    /                                       -
get    /docs                                   -
get    /docs/plain                             -
get    /docs/assets/{file}                     -
get    /problems/{code}                        -
get    /redoc                                  -
get    /openapi.json                           -
get    /style.css                              -
"""

# Enough of a body for the handler to be reached, where it asks for more than its route does.
BODIES = {
    "/api/v1/attendance/events": '{"person":"nik:nobody","direction":"in","at":"2026-01-01T08:00:00+07:00","reason":"none"}',
    "/api/v1/attendance/events/{id}": '{"at":"2026-01-01T08:00:00+07:00","reason":"none"}',
}


def table():
    for line in ROUTES.split("\n"):
        if line.strip():
            verb, path, *scopes = line.split()
            yield verb, path, {scope for scope in scopes if scope != "-"}


class Access(Case):
    config = "[auth]\nrequired = true\nfailures_per_minute = 1000\n"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        admin = {"Authorization": f"Bearer {cls.server.key}"}
        cls.keys = {}
        for role in SCOPES:
            made = cls.server.send_json("POST", "/api/v1/keys", {"name": f"test {role}", "role": role}, admin)
            assert made.status == 201, made.text
            cls.keys[role] = (made.json["id"], made.json["key"])

    def status(self, verb, path, key):
        """Of a request that goes as far as the caller is let, and then finds nothing."""
        target = re.sub(r"\{[^}]*\}", "p_999999", path)
        body = BODIES.get(path) if verb in ("post", "patch") else None
        headers = {"Content-Type": "application/json"} if body else {}
        if key:
            headers["x-api-key"] = key
        if path.endswith("/events") and verb == "get" and "attendance" not in path:
            return self.status_of_stream(target, headers)
        return self.server.ask(verb.upper(), target, body, headers).status

    def status_of_stream(self, target, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            connection.request("GET", target, headers=headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def test_the_table_has_every_route_and_no_other(self):
        paths = self.server.get("/openapi.json").json["paths"]
        described = {(verb, path) for path, verbs in paths.items() for verb in verbs}
        self.assertEqual({(verb, path) for verb, path, _ in table()} - described, set(), "in the table alone")
        self.assertEqual(described - {(verb, path) for verb, path, _ in table()}, set(), "without a row of the table")

    def test_each_route_for_each_role(self):
        for verb, path, scopes in table():
            with self.subTest(route=f"{verb} {path}", role="nobody"):
                status = self.status(verb, path, None)
                self.assertEqual(status in (401, 403), bool(scopes), status)
                if scopes:
                    self.assertEqual(status, 401)
            for role, (_, key) in self.keys.items():
                with self.subTest(route=f"{verb} {path}", role=role):
                    status = self.status(verb, path, key)
                    self.assertNotEqual(status, 401)
                    self.assertEqual(status != 403, scopes <= SCOPES[role], status)
                    self.assertLess(status, 500)

    def test_a_key_that_is_revoked_opens_nothing_from_then_on(self):
        admin = {"Authorization": f"Bearer {self.server.key}"}
        made = self.server.send_json("POST", "/api/v1/keys", {"name": "short", "role": "hr"}, admin).json
        bearer = {"Authorization": f"Bearer {made['key']}"}
        self.assertEqual(self.server.get("/api/v1/people", bearer).status, 200)
        self.assertEqual(self.server.ask("DELETE", f"/api/v1/keys/{made['id']}", None, admin).status, 204)
        self.assertEqual(self.server.get("/api/v1/people", bearer).status, 401)

    def test_keys_lie_nowhere_in_the_data_folder(self):
        secrets = [key.split("_", 2)[2] for _, key in self.keys.values()] + [self.server.key.split("_", 2)[2]]
        for file in self.server.data.rglob("*"):
            if file.is_file():
                held = file.read_bytes()
                for secret in secrets:
                    self.assertNotIn(secret.encode(), held, file.name)

    def test_a_log_in_and_its_token(self):
        admin = {"Authorization": f"Bearer {self.server.key}"}
        account = {"name": "ibu ani", "password": "correct horse battery", "role": "hr"}
        self.assertEqual(self.server.send_json("POST", "/api/v1/accounts", account, admin).status, 201)
        wrong = self.server.send_json("POST", "/api/v1/session", {"name": "ibu ani", "password": "wrong"})
        self.assertEqual(wrong.status, 401)
        logged_in = self.server.send_json("POST", "/api/v1/session",
                                          {"name": account["name"], "password": account["password"]})
        self.assertEqual(logged_in.status, 200)
        cookie = {"Cookie": logged_in.headers["set-cookie"].split(";")[0]}
        self.assertIn("HttpOnly", logged_in.headers["set-cookie"])
        self.assertEqual(self.server.get("/api/v1/people", cookie).status, 200)
        person = {"nik": "77", "name": "BUDI"}
        self.assertEqual(self.server.send_json("POST", "/api/v1/people", person, cookie).status, 403)
        token = {**cookie, "X-CSRF-Token": logged_in.json["csrf"]}
        self.assertEqual(self.server.send_json("POST", "/api/v1/people", person, token).status, 201)
        self.assertEqual(self.server.ask("DELETE", "/api/v1/session", None, token).status, 204)
        self.assertEqual(self.server.get("/api/v1/people", cookie).status, 401)
