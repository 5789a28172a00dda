"""/api/v1: what its clients rely on."""

import csv
import hashlib
import hmac
import http.server
import io
import json
import re
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
import zipfile
from pathlib import Path

from case import BINARY, BRODY, GUL, PIXEL, SHARPTON, Case, options
from server import Server


class Version1(Case):
    def test_enrol_recognise_attend_delete(self):
        made = self.server.send_json("POST", "/api/v1/people", {"nik": "900", "name": "AL SHARPTON"})
        self.assertEqual(made.status, 201)
        path = f"/api/v1/people/{made.json['id']}"
        faces = self.server.send_form("POST", f"{path}/faces", [
            ("images", (f"{i}.jpg", self.photos.of(SHARPTON, i))) for i in range(1, 5)])
        self.assertEqual((faces.status, faces.json["stored"]), (201, 4))
        photo = self.photos.of(SHARPTON, 5)
        seen = self.server.send_form("POST", "/api/v1/recognize", [("image", ("p.jpg", photo))])
        self.assertEqual(seen.json["faces"][0]["person"]["nik"], "900")
        checked = self.server.ask("POST", "/api/v1/attendance/check", photo, {"Content-Type": "image/jpeg"})
        self.assertEqual((checked.status, checked.json["event"]["direction"]), (201, "in"))
        again = self.server.send_form("POST", "/api/v1/attendance/check", [("image", ("p.jpg", photo)), ("nik", "900")])
        self.assertEqual((again.status, again.json["event"]["duplicate_of"]), (200, checked.json["event"]["id"]))
        for format, magic in (("csv", b"\xef\xbb\xbf"), ("xlsx", b"PK"), ("json", b"{")):
            export = self.server.get(f"/api/v1/attendance/export?format={format}")
            self.assertTrue(export.body.startswith(magic), format)
        erased = self.server.ask("DELETE", f"{path}?erase=true")
        self.assertEqual((erased.status, erased.json["photos"]), (200, 4))
        seen = self.server.send_form("POST", "/api/v1/recognize", [("image", ("p.jpg", photo))])
        self.assertIsNone(seen.json["faces"][0]["person"])

    def ended(self, begun):
        """The job when it has ended, after its live events were followed to their end."""
        self.assertEqual(begun.status, 202)
        events = self.server.get(f"{begun.headers['location']}/events")
        self.assertEqual(events.headers["content-type"], "text/event-stream")
        told = [json.loads(line[6:]) for line in events.text.splitlines() if line.startswith("data: ")]
        self.assertIn(told[-1]["state"], ("done", "failed"))
        return self.server.get(begun.headers["location"]).json

    def test_a_zip_of_people_is_imported_and_everything_exported(self):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("people.csv", "nik,nama,group\n910,ABDULLAH GUL,IT\n911,ADRIEN BRODY,\n")
            for nik, person in (("910", GUL), ("911", BRODY)):
                for i in range(1, 4):
                    archive.writestr(f"{nik}/{i}.jpg", self.photos.of(person, i))
            archive.writestr("911/wall.png", PIXEL)
            archive.writestr("../../outside.jpg", self.photos.of(GUL, 1))
        before = sorted(p.name for p in self.server.data.parent.iterdir())
        job = self.ended(self.server.send_form("POST", "/api/v1/people:import", [("file", ("p.zip", packed.getvalue()))]))
        self.assertEqual((job["state"], job["done"]), ("done", 7))
        result = job["result"]
        self.assertEqual((result["people"], result["photos"], result["photos_left_out"]), (2, 6, 1))
        self.assertEqual([one["file"] for one in result["left_out"]], ["'../../outside.jpg'", "911/wall.png"])
        self.assertEqual(sorted(p.name for p in self.server.data.parent.iterdir()), before)
        self.assertFalse(list(self.server.data.glob("temporary-*")))
        for nik, person in (("910", GUL), ("911", BRODY)):
            seen = self.server.send_form("POST", "/api/v1/recognize", [("image", ("p.jpg", self.photos.of(person, 5)))])
            self.assertEqual(seen.json["faces"][0]["person"]["nik"], nik)

        exported = self.server.get("/api/v1/people:export", {"X-Wajah-Passphrase": "a phrase"})
        self.assertEqual(exported.status, 200)
        with Server(BINARY, options()) as other:
            other.wait_until_ready()
            here, self.server = self.server, other
            try:
                job = self.ended(other.send_form("POST", "/api/v1/people:import", [
                    ("file", ("a.wajah", exported.body)), ("passphrase", "a phrase")]))
                self.assertEqual((job["state"], job["result"]["people"]), ("done", 2))
            finally:
                self.server = here
            seen = other.send_form("POST", "/api/v1/recognize", [("image", ("p.jpg", self.photos.of(BRODY, 5)))])
            self.assertEqual(seen.json["faces"][0]["person"]["nik"], "911")
        for nik in ("910", "911"):
            self.assertEqual(self.server.ask("DELETE", f"/api/v1/people/nik:{nik}").status, 204)

    def test_a_failed_request_stores_nothing(self):
        """Every route that writes, with a body that is nearly right: the lists stay as they are."""
        lists = ("people?count=true", "sites", "shifts", "assignments", "holidays", "keys", "webhooks", "accounts",
                 "attendance/events", "jobs")
        before = {name: self.server.get(f"/api/v1/{name}").json for name in lists}
        picture = self.photos.of(GUL, 5)
        for path, body in {
            "people": {"nik": "bad nik!", "name": "A"}, "people:merge": {"from": "p_1", "into": "p_2"},
            "sites": {"code": "x", "name": "X", "zone": "Mars/Base"},
            "shifts": {"code": "x", "name": "X", "week": [{"start": "25:00", "end": "08:00"}] * 7},
            "assignments": {"shift": "none", "from": "2026-01-01", "person": "p_1"},
            "holidays": {"date": "2026-02-30", "name": "X"}, "keys": {"name": "x", "role": "king"},
            "webhooks": {"url": "ftp://x"}, "accounts": {"name": "x", "password": "short", "role": "hr"},
            "attendance/events": {"person": "p_999999", "direction": "in", "at": "2026-01-01T08:00:00+07:00", "reason": "r"},
        }.items():
            answer = self.server.send_json("POST", f"/api/v1/{path}", body)
            self.assertIn(answer.status, range(400, 500), f"{path}: {answer.text}")
            self.assertEqual(answer.headers["content-type"], "application/problem+json", path)
            self.assertTrue(answer.json["code"] and answer.json["hint"], path)
        for body, status in ((picture[:2000], 422), (b"text", 415), (picture, 200)):
            answer = self.server.ask("POST", "/api/v1/attendance/check", body, {"Content-Type": "image/jpeg"})
            self.assertEqual(answer.status, status, answer.text)
        self.assertEqual({name: self.server.get(f"/api/v1/{name}").json for name in lists}, before)

    def test_metrics_tell_of_stages_and_batches(self):
        self.server.send_form("POST", "/api/v1/recognize", [("image", ("p.jpg", self.photos.of(GUL, 5)))])
        text = self.server.get("/metrics").text
        for name in ("wajah_requests_total", "wajah_request_seconds_bucket", "wajah_queue_length", "wajah_gallery_people",
                     "process_resident_memory_bytes"):
            self.assertIn(name, text)
        for stage in ("queue", "decode", "detect", "embed", "search"):
            self.assertIn(f'stage="{stage}"', text)
        self.assertRegex(text, r'wajah_batch_faces_count\{purpose="recognise"\} [1-9]')

    def test_many_at_once_share_passes_and_all_are_right(self):
        """More requests than workers: faces are embedded together, and each gets its own answer."""
        for nik, person in (("920", GUL), ("921", BRODY)):
            self.upload(nik, person.upper().replace("_", " "), person)
        answers = []

        def ask(nik, person):
            photo = self.photos.of(person, 5)
            for _ in range(6):
                answers.append((nik, self.server.send_form("POST", "/api/v1/recognize", [("image", ("p.jpg", photo))])))

        threads = [threading.Thread(target=ask, args=who) for who in [("920", GUL), ("921", BRODY)] * 4]
        photo_lock = self.photos.of(GUL, 5)  # the archive is read before threads do
        self.assertTrue(photo_lock)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(answers), 48)
        for nik, answer in answers:
            self.assertEqual(answer.json["faces"][0]["person"]["nik"], nik)
        text = self.server.get("/metrics").text
        alone = float(re.search(r'wajah_batch_pictures_bucket\{purpose="recognise",le="1"\} (\S+)', text).group(1))
        passes = float(re.search(r'wajah_batch_pictures_count\{purpose="recognise"\} (\S+)', text).group(1))
        self.assertLess(alone, passes)
        for nik in ("920", "921"):
            self.assertEqual(self.server.ask("DELETE", f"/api/v1/people/nik:{nik}").status, 204)

    def test_every_route_answers_as_described_whatever_it_is_sent(self):
        rubbish = [(None, {}), (b"{", {"Content-Type": "application/json"}), (b"{}", {"Content-Type": "application/json"}),
                   (b"x", {"Content-Type": "image/jpeg"}), (b"x", {"Content-Type": "text/plain"})]
        for path, verbs in self.server.get("/openapi.json").json["paths"].items():
            if path.endswith("/events") and "attendance" not in path:
                continue  # these answers go on
            for verb in verbs:
                for body, headers in rubbish:
                    target = re.sub(r"\{[^}]*\}", "p_999999", path)
                    answer = self.server.ask(verb.upper(), target, body, headers)
                    self.assertLess(answer.status, 500, f"{verb} {target} {body}: {answer.text[:200]}")
        self.assertGreater(self.description.checked, 200)

    def test_problems_have_stable_codes_and_hints(self):
        answer = self.server.send_json("POST", "/api/v1/people", {"nik": "1"})
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        problem = answer.json
        self.assertEqual((problem["status"], problem["code"]), (422, "validation_failed"))
        self.assertTrue(problem["hint"])
        self.assertEqual(problem["errors"][0]["loc"], ["body", "name"])
        self.assertEqual(problem["request_id"], answer.headers["x-request-id"])
        page = self.server.get(problem["type"])
        self.assertEqual(page.headers["content-type"], "text/html; charset=utf-8")


class Attendance(Case):
    """A month in Jakarta: round midnight, a night shift, a mistake that is mended, a repetition, and its sheet."""

    def enter(self, nik, direction, at, status=201):
        answer = self.server.send_json("POST", "/api/v1/attendance/events", {
            "person": f"nik:{nik}", "direction": direction, "at": at, "reason": "from the paper list"})
        self.assertEqual(answer.status, status, answer.text)
        return answer.json

    def day(self, nik, date):
        page = self.server.get(f"/api/v1/attendance/days?person=nik:{nik}&from={date}&to={date}").json
        return page["items"][0]["days"][0]

    def test_a_month_and_its_sheet(self):
        send = self.server.send_json
        for nik, name in (("940", "SITI"), ("941", "=AGUS")):
            self.assertEqual(send("POST", "/api/v1/people", {"nik": nik, "name": name}).status, 201)
        night, morning = {"start": "22:00", "end": "06:00"}, {"start": "08:00", "end": "17:00"}
        for code, hours in (("MALAM", night), ("PAGI", morning)):
            self.assertEqual(send("POST", "/api/v1/shifts", {"code": code, "name": code, "week": [hours] * 7}).status, 201)
        for nik, code in (("940", "MALAM"), ("941", "PAGI")):
            self.assertEqual(send("POST", "/api/v1/assignments", {
                "shift": code, "person": f"nik:{nik}", "from": "2026-10-01"}).status, 201)

        # A night shift belongs to the evening's date, also after midnight in Jakarta (17:00 in Greenwich).
        came = self.enter("940", "in", "2026-10-30T21:58:00+07:00")
        again = self.enter("940", "in", "2026-10-30T15:01:00Z", 200)
        self.assertEqual((again["duplicate_of"], came["business_date"]), (came["id"], "2026-10-30"))
        left = self.enter("940", "out", "2026-10-31T06:05:00+07:00")
        self.assertEqual(left["business_date"], "2026-10-30")
        day = self.day("940", "2026-10-30")
        self.assertEqual((day["shift"], day["status"], day["in"], day["out"], day["late_minutes"]), (
            "MALAM", "on_time", "2026-10-30T21:58:00+07:00", "2026-10-31T06:05:00+07:00", 0))
        # By day, on both sides of midnight: two dates.
        late = self.enter("941", "out", "2026-10-30T23:59:59+07:00")
        early = self.enter("941", "in", "2026-10-31T06:30:00+07:00")
        self.assertEqual((late["business_date"], early["business_date"]), ("2026-10-30", "2026-10-31"))
        self.assertTrue(self.day("941", "2026-10-30")["missing_in"])

        # A correction stands beside what it corrects.
        mended = send("PATCH", f"/api/v1/attendance/events/{early['id']}", {
            "at": "2026-10-31T08:20:00+07:00", "reason": "the clock was wrong"})
        self.assertEqual(mended.status, 200, mended.text)
        day = self.day("941", "2026-10-31")
        self.assertEqual((day["status"], day["late_minutes"], day["edited"]), ("late", 20, True))
        first = self.server.get(f"/api/v1/attendance/events/{early['id']}").json
        self.assertEqual(first["at"], "2026-10-31T06:30:00+07:00")
        twice = send("PATCH", f"/api/v1/attendance/events/{early['id']}", {"strike": True, "reason": "no"})
        self.assertEqual((twice.status, twice.json["code"]), (409, "conflict"))
        self.sheets()

    def sheets(self):
        month = "from=2026-10-01&to=2026-10-31"
        text = self.server.get(f"/api/v1/attendance/export?{month}&format=csv&table=sheet").body.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text)))
        self.assertEqual(len(rows), 3)
        self.assertIn("'=AGUS", [cell for row in rows for cell in row])  # never a formula
        if not shutil.which("soffice"):
            self.skipTest("opening the files in LibreOffice: there is no soffice (Debian package libreoffice-calc-nogui)")
        with tempfile.TemporaryDirectory() as folder:
            for name in ("days.csv", "book.xlsx"):
                kind = name.split(".")[1]
                file = self.server.get(f"/api/v1/attendance/export?{month}&format={kind}")
                (Path(folder) / name).write_bytes(file.body)
                subprocess.run(["soffice", "--headless", f"-env:UserInstallation=file://{folder}/profile", "--convert-to",
                                'csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,1', "--outdir",
                                folder + "/out", name], cwd=folder, check=True, capture_output=True, timeout=120)
                made = next((Path(folder) / "out").glob(name.split(".")[0] + "*.csv")).read_text("utf-8")
                self.assertIn("MALAM", made, name)
                self.assertIn("=AGUS", made, name)
                self.assertNotIn("#NAME?", made, name)
                self.assertEqual(len(list(csv.reader(io.StringIO(made)))), 1 + 2 * 31, name)


class Receiver(http.server.BaseHTTPRequestHandler):
    """A company's own server that hears of events, over TLS."""

    heard = []
    refuse = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).heard.append((dict(self.headers), body))
        refused = type(self).refuse > 0
        type(self).refuse -= refused
        self.send_response(503 if refused else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Webhooks(Case):
    @classmethod
    def setUpClass(cls):
        cls.authority = tempfile.TemporaryDirectory(prefix="wajah-contract-")
        cls.addClassCleanup(cls.authority.cleanup)
        made = subprocess.run([BINARY, "cert", "init", "--data", cls.authority.name, "localhost"], capture_output=True)
        assert made.returncode == 0, made.stderr
        tls = Path(cls.authority.name) / "tls"
        cls.config = f'[webhooks]\nca_file = "{tls / "ca.pem"}"\n'
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls / "server.pem", tls / "server.key")
        cls.receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        cls.receiver.socket = context.wrap_socket(cls.receiver.socket, server_side=True)
        threading.Thread(target=cls.receiver.serve_forever, daemon=True).start()
        cls.addClassCleanup(cls.receiver.shutdown)
        super().setUpClass()

    def test_an_event_comes_signed_over_tls_and_again_after_a_refusal(self):
        Receiver.refuse = 1
        url = f"https://localhost:{self.receiver.server_address[1]}/hook"
        hook = self.server.send_json("POST", "/api/v1/webhooks", {"url": url, "events": ["person.created"]}).json
        self.server.send_json("POST", "/api/v1/people", {"nik": "930", "name": "ANI"})
        end = time.monotonic() + 30
        while len(Receiver.heard) < 2 and time.monotonic() < end:
            time.sleep(0.1)
        deliveries = self.server.get(f"/api/v1/webhooks/{hook['id']}/deliveries").json["items"]
        self.assertEqual(len(Receiver.heard), 2, deliveries)
        for headers, body in Receiver.heard:
            self.assertEqual(json.loads(body)["data"]["nik"], "930")
            stamp, signature = re.fullmatch(r"t=(\d+),v1=(\w+)", headers["X-Wajah-Signature"]).groups()
            self.assertEqual(signature, hmac.new(hook["secret"].encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest())
            self.assertLess(abs(time.time() - int(stamp)), 60)
        self.assertEqual(len({headers["X-Wajah-Delivery"] for headers, _ in Receiver.heard}), 1)
