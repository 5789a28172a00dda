"""Run by clients.sh: validator, generated client, requests, httpx."""

import importlib
import io
import os
import pkgutil
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
import jsonschema
import requests
from openapi_spec_validator import validate

from case import DATA, GUL, SHARPTON, options
from server import Photos, Server

BINARY, ENVIRONMENT = sys.argv[1], Path(sys.argv[2])


def check(what, fine):
    print(("ok    " if fine else "FAIL  ") + what, flush=True)
    if not fine:
        sys.exit(1)


def original_routes(name, post, delete, url, photos):
    """The same calls with requests and with httpx: both take data= and files=."""
    files = [("files", (f"{i}.jpg", photos.of(GUL, i), "image/jpeg")) for i in range(1, 6)]
    answer = post(f"{url}/upload/", data={"nik": "500", "nama": "ABDULLAH GUL"}, files=files)
    check(f"{name}: upload of 5 files", answer.json() == {
        "success": True, "message": "Successfully uploaded 5 images for NIK 500, Name ABDULLAH GUL"})
    answer = post(f"{url}/recognize/", data={"nik_input": "500"},
                  files={"file": ("p.jpg", photos.of(GUL, 7), "image/jpeg")})
    check(f"{name}: recognize", answer.json()["message"] == "ABDULLAH GUL TERDETEKSI")
    answer = delete(f"{url}/hapus/", data={"nik_hapus": "500", "nama": "ABDULLAH GUL"})
    check(f"{name}: hapus with a urlencoded body", answer.json()["training_success"] is True)


def generate(url, folder):
    config = Path(folder) / "config.yaml"
    config.write_text("project_name_override: wajah-client\npackage_name_override: wajah_client\n")
    document = Path(folder) / "openapi.json"
    document.write_bytes(requests.get(f"{url}/openapi.json", timeout=10).content)
    path = f"{ENVIRONMENT / 'bin'}:{os.environ['PATH']}"  # the generator looks there for its formatter
    made = subprocess.run([ENVIRONMENT / "bin" / "openapi-python-client", "generate", "--path", document, "--config",
                           config, "--output-path", Path(folder) / "client", "--meta", "none"],
                          cwd=folder, capture_output=True, text=True, env={**os.environ, "PATH": path})
    if made.returncode:
        print(made.stdout[-2000:], made.stderr[-2000:])
    check("openapi-python-client generates a client", made.returncode == 0)
    (Path(folder) / "client").rename(Path(folder) / "wajah_client")
    sys.path.insert(0, folder)


def generated_client(url, photos):
    client = importlib.import_module("wajah_client").Client(base_url=url)
    models = importlib.import_module("wajah_client.models")
    File = importlib.import_module("wajah_client.types").File
    api = importlib.import_module("wajah_client.api")
    modules = [importlib.import_module(module.name) for module in pkgutil.walk_packages(api.__path__, "wajah_client.api.")]
    check(f"generated client: its {len(modules)} modules can be imported", True)

    def call(operation, **arguments):
        for tag in ("people", "vision", "attendance", "privacy"):
            try:
                module = importlib.import_module(f"wajah_client.api.{tag}.{operation}")
            except ModuleNotFoundError:
                continue
            return module.sync_detailed(client=client, **arguments)
        raise LookupError(operation)

    def picture(number):
        return File(payload=io.BytesIO(photos.of(SHARPTON, number)), file_name=f"{number}.jpg", mime_type="image/jpeg")

    made = call("post_api_v1_people", body=models.NewPerson(nik="501", name="AL SHARPTON"))
    check("generated client: creates a person", made.status_code == 201)
    id = made.parsed.id
    bodies = {name.lower(): getattr(models, name) for name in dir(models)}

    def body_of(prefix):
        return bodies[f"{prefix}body"]

    faces = call("post_api_v1_people_id_faces", id=id,
                 body=body_of("postapiv1peopleidfacesfiles")(images=[picture(i) for i in range(1, 5)]))
    check("generated client: adds photos", faces.status_code == 201 and faces.parsed.stored == 4)
    seen = call("post_api_v1_recognize", body=body_of("postapiv1recognizefiles")(image=picture(5)))
    check("generated client: recognises", seen.parsed.faces[0].person.nik == "501")
    checked = call("post_api_v1_attendance_check", body=body_of("postapiv1attendancecheckfiles")(image=picture(5)))
    check("generated client: checks in", checked.status_code == 201 and checked.parsed.matched)
    events = call("get_api_v1_attendance_events", person=id)
    check("generated client: reads the event", len(events.parsed.items) == 1)
    removed = call("delete_api_v1_people_id", id=id)
    check("generated client: deletes", removed.status_code == 204)


def main():
    if not DATA:
        print("skipped: no shared data folder")
        return
    photos = Photos(DATA)
    with Server(BINARY, options()) as server, tempfile.TemporaryDirectory() as folder:
        server.wait_until_ready()
        url = f"http://127.0.0.1:{server.port}"
        document = requests.get(f"{url}/openapi.json", timeout=10).json()
        validate(document)
        check("openapi-spec-validator accepts the document", True)
        for schema in document["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)
        check("jsonschema accepts every schema", True)
        original_routes("requests", requests.post, requests.delete, url, photos)
        original_routes("httpx", httpx.post, lambda target, data: httpx.request("DELETE", target, data=data), url, photos)
        generate(url, folder)
        generated_client(url, photos)
    print("all clients work")


if __name__ == "__main__":
    main()
