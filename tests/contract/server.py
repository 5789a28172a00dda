"""The program as its users run it: started on a free port with a data folder of its own, and asked over plain HTTP.

Python's standard library only.
"""

import http.client
import json
import os
import re
import subprocess
import tarfile
import tempfile
import time
import urllib.parse
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
DEVICE = os.environ.get("WAJAH_CONTRACT_DEVICE")  # where every server of the suite computes; none: as it chooses


def shared():
    """The folder with weights and photos, or None."""
    for folder in (os.environ.get("WAJAH_SHARED"), SOURCE.parent / "shared"):
        if folder and (Path(folder) / "data" / "lfw_train_dev.tar").exists():
            return Path(folder) / "data"
    return None


class Photos:
    """Photos of the people of LFW, read from the archive as they are asked for."""

    def __init__(self, data):
        self.archive = tarfile.open(data / "lfw_train_dev.tar")
        self.names = set(self.archive.getnames())

    def of(self, person, number):
        name = f"lfw/{person}/{person}_{number:04}.jpg"
        return self.archive.extractfile(name).read()


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def text(self):
        return self.body.decode(errors="replace")

    @property
    def json(self):
        return json.loads(self.body)


def form(parts, boundary="contract"):
    """A multipart body of (name, value) and (name, (filename, bytes))."""
    body = b""
    for name, value in parts:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, tuple):
            head += f'; filename="{value[0]}"\r\nContent-Type: image/jpeg'
            value = value[1]
        body += head.encode() + b"\r\n\r\n" + (value if isinstance(value, bytes) else value.encode()) + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


class Server:
    """`wajah serve` with its own data folder; as a context manager it is stopped and the folder removed."""

    def __init__(self, binary, options=(), data=None, config=None):
        self.folder = tempfile.TemporaryDirectory(prefix="wajah-contract-")
        self.data = Path(data or Path(self.folder.name) / "data")
        command = [binary, "serve", "--listen", "127.0.0.1:0", "--data", str(self.data), *options]
        if DEVICE and "--device" not in options:
            command += ["--device", DEVICE]
        if config:
            file = Path(self.folder.name) / "wajah.toml"
            file.write_text(config)
            command += ["--config", str(file)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.banner = ""
        self.port = self._port()
        self.validator = None

    def _port(self):
        while line := self.process.stdout.readline():
            self.banner += line
            if found := re.search(r"https?://[^/:]+:(\d+)/", line):
                return int(found.group(1))
        raise RuntimeError(f"the server ended with {self.process.wait()}:\n{self.banner}")

    @property
    def key(self):
        """The first administrator's key, which the first start shows this once."""
        while not (found := re.search(r"wjh_\w+", self.banner)) and (line := self.process.stdout.readline()):
            self.banner += line
        return found.group(0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.folder.cleanup()

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        self.process.stdout.close()

    def ask(self, method, target, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, target, body=body, headers=headers or {})
            answer = Answer(connection.getresponse())
        finally:
            connection.close()
        if self.validator:
            self.validator(method, target, answer)
        return answer

    def get(self, target, headers=None):
        return self.ask("GET", target, headers=headers)

    def send_form(self, method, target, parts, headers=None):
        body, head = form(parts)
        return self.ask(method, target, body, {**head, **(headers or {})})

    def send_urlencoded(self, method, target, fields):
        return self.ask(method, target, urllib.parse.urlencode(fields),
                        {"Content-Type": "application/x-www-form-urlencoded"})

    def send_json(self, method, target, value, headers=None):
        return self.ask(method, target, json.dumps(value), {"Content-Type": "application/json", **(headers or {})})

    def wait_until_ready(self, seconds=60):
        end = time.monotonic() + seconds
        while self.get("/readyz").status != 200:
            if time.monotonic() > end:
                raise RuntimeError("not ready in time")
            time.sleep(0.1)
        self.require_device()

    def require_device(self):
        """A service whose card has failed answers from the CPU: that would test the wrong thing."""
        device = self.get("/version").json["device"]
        if DEVICE and not device.startswith(DEVICE):
            raise RuntimeError(f"the service computes on {device}, not on {DEVICE}")
