#!/usr/bin/env python3
"""1,000 people with three photos each, and then one more while others are being recognised.

thousand.py BINARY PHOTOS [--people N] [--weights FILE] [--mtcnn FILE|DIR] [--keep FOLDER]

PHOTOS has a folder of photos for each person, as LFW has. Whoever has fewer photos than are needed gets more, made of
those they have by another cut and other light. Imports everybody with `wajah import`, whose progress bar is shown,
starts the server on the result, and measures over HTTP: recognition with nobody else there; uploads of five photos of a
new person while one client recognises without pause. Needs Pillow for the made photos.
"""

import argparse
import http.client
import io
import json
import os
import pty
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from PIL import Image, ImageEnhance

IMPORTED, ADDED, PROBES = 3, 5, 1


def variation(photo, number):
    """The photo as another camera might have taken it a moment later."""
    image = Image.open(photo).convert("RGB")
    width, height = image.size
    cut = 2 + 2 * (number % 5)
    image = image.crop((cut, cut // 2, width - cut // 2, height - cut)).resize((width, height), Image.BICUBIC)
    image = ImageEnhance.Brightness(image).enhance((0.85, 1.12, 0.93, 1.2)[number % 4])
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()


def photos_of(folder, count):
    """So many photos of a person, made ones last, and how many had to be made."""
    real = sorted(folder.glob("*.jpg"))
    photos = [photo.read_bytes() for photo in real[:count]]
    made = count - len(photos)
    photos += [variation(real[i % len(real)], i) for i in range(made)]
    return photos, max(made, 0)


class People:
    def __init__(self, folder, count, extra):
        """The people with most photos first, so that few have to be made."""
        folders = [one for one in Path(folder).iterdir() if one.is_dir()]
        folders.sort(key=lambda one: (-len(list(one.glob("*.jpg"))), one.name))
        if len(folders) < count + extra:
            sys.exit(f"{folder}: {len(folders)} people, expected {count + extra}")
        # Those who come later have as many photos as they send and one to be recognised by.
        self.later, self.staff = folders[:extra], folders[extra:extra + count]
        self.made = 0

    def write(self, target):
        lines = ["nik,nama"]
        for number, folder in enumerate(self.staff):
            nik = f"{100000 + number}"
            (target / nik).mkdir(parents=True)
            photos, made = photos_of(folder, IMPORTED)
            self.made += made
            for i, photo in enumerate(photos):
                (target / nik / f"{i}.jpg").write_bytes(photo)
            lines.append(f"{nik},{folder.name.upper().replace('_', ' ')}")
        (target / "staff.csv").write_text("\n".join(lines) + "\n")


def run_on_a_terminal(command):
    """Runs a command that believes to write to a terminal, and shows what it writes; its last words and its seconds."""
    begun = time.monotonic()
    said = bytearray()

    def read(descriptor):
        data = os.read(descriptor, 65536)
        said.extend(data)
        return data

    status = pty.spawn(command, read)
    if status:
        sys.exit(f"{command[1]} ended with {os.waitstatus_to_exitcode(status)}")
    return said.decode(errors="replace"), time.monotonic() - begun


def form(fields):
    body = b""
    for name, value in fields:
        head = f'--b\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, bytes):
            head += '; filename="p.jpg"\r\nContent-Type: image/jpeg'
        body += head.encode() + b"\r\n\r\n" + (value if isinstance(value, bytes) else value.encode()) + b"\r\n"
    return body + b"--b--\r\n", {"Content-Type": "multipart/form-data; boundary=b"}


class Client:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def post(self, path, fields):
        """The answer, its stages in milliseconds, and the milliseconds it took in all."""
        body, headers = form(fields)
        begun = time.monotonic()
        self.connection.request("POST", path, body, headers)
        reply = self.connection.getresponse()
        text = reply.read()
        taken = 1000 * (time.monotonic() - begun)
        if reply.status != 200:
            sys.exit(f"{path}: {reply.status} {text.decode()[:300]}")
        stages = dict(re.findall(r"(\w+);dur=([\d.]+)", reply.headers["Server-Timing"]))
        return json.loads(text), {name: float(value) for name, value in stages.items()}, taken


def start(binary, data, options):
    process = subprocess.Popen([binary, "serve", "--data", data, "--listen", "127.0.0.1:0", "--log-access", "false",
                                *options], stdout=subprocess.PIPE, text=True)
    while line := process.stdout.readline():
        if found := re.search(r"http://[^/:]+:(\d+)/", line):
            return process, int(found.group(1))
    sys.exit("the server did not start")


def recognise(client, nik, photo, times, wrong):
    answer, _, taken = client.post("/recognize/", [("nik_input", nik), ("file", photo)])
    times.append(taken)
    if not answer["nik_matched"]:
        wrong.append(nik)


def percentile(values, share):
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("photos")
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--later", type=int, default=5, help="people added while others are recognised [5]")
    parser.add_argument("--weights")
    parser.add_argument("--mtcnn")
    parser.add_argument("--keep", help="a folder for the imported people; one that is there is used again")
    options = parser.parse_args()
    models = [word for name in ("weights", "mtcnn") if getattr(options, name) for word in (f"--{name}", getattr(options, name))]
    people = People(options.photos, options.people, options.later)
    with tempfile.TemporaryDirectory(prefix="wajah-thousand-") as temporary:
        folder = Path(options.keep or temporary)
        data, staff = folder / "data", folder / "staff"
        if not data.exists():
            people.write(staff)
            print(f"{options.people} people x {IMPORTED} photos, {people.made} of them made", flush=True)
            said, seconds = run_on_a_terminal([options.binary, "import", "--dir", str(staff), "--csv", str(staff / "staff.csv"),
                                               "--data", str(data), "--report", str(folder / "report.csv"), *models])
            print(f"\nimport: {seconds:.1f} s, {options.people * IMPORTED / seconds:.0f} photos a second, a bar was shown: "
                  f"{'yes' if '%' in said else 'NO'}")
        measure(options, people, data, models)


def measure(options, people, data, models):
    begun = time.monotonic()
    process, port = start(options.binary, str(data), models)
    print(f"start with the gallery: {time.monotonic() - begun:.1f} s")
    try:
        client = Client(port)
        known = [(f"{100000 + n}", photos_of(folder, 4)[0][3]) for n, folder in enumerate(people.staff[:20])]
        idle, wrong = [], []
        for turn in range(200):
            recognise(client, *known[turn % len(known)], idle, wrong)
        del idle[:20]  # warming
        uploads, trainings, busy = [], [], []
        for number, folder in enumerate(people.later):
            photos, _ = photos_of(folder, ADDED + PROBES)
            upload, train = add(port, f"{900000 + number}", folder.name.upper().replace("_", " "), photos, known, busy, wrong)
            uploads.append(upload)
            trainings.append(train)
        report(idle, uploads, trainings, busy, wrong)
    finally:
        process.terminate()
        process.wait(30)


def add(port, nik, name, photos, known, busy, wrong):
    """Adds a person while one client recognises without pause; only what overlaps counts."""
    done = threading.Event()
    taken = []

    def others():
        client, turn = Client(port), 0
        while not done.is_set():
            begun = time.monotonic()
            times = []
            recognise(client, *known[turn % len(known)], times, wrong)
            taken.append((begun, times[0]))
            turn += 1

    thread = threading.Thread(target=others)
    thread.start()
    time.sleep(0.3)
    client = Client(port)
    begun = time.monotonic()
    _, stages, upload = client.post("/upload/", [("nik", nik), ("nama", name), *[("files", p) for p in photos[:ADDED]]])
    ended = time.monotonic()
    done.set()
    thread.join()
    busy += [time_ for at, time_ in taken if at + time_ / 1000 > begun and at < ended]
    answer, _, _ = client.post("/recognize/", [("nik_input", nik), ("file", photos[ADDED])])
    if not answer["nik_matched"]:
        wrong.append(nik)
    return upload, stages["train"]


def report(idle, uploads, trainings, busy, wrong):
    ratio = statistics.median(busy) / statistics.median(idle)
    rows = [("recognition, idle: median (p95), ms", f"{statistics.median(idle):.1f} ({percentile(idle, .95):.1f})", None),
            ("recognition during an upload: median (p95, most), ms",
             f"{statistics.median(busy):.1f} ({percentile(busy, .95):.1f}, {max(busy):.1f})", None),
            ("  of the idle median, <= 2", f"{ratio:.2f}", ratio <= 2),
            ("upload of 5 photos: most, ms, < 1000", f"{max(uploads):.0f}", max(uploads) < 1000),
            ("  of it training: most, ms, < 100", f"{max(trainings):.0f}", max(trainings) < 100),
            ("recognitions that did not match (unsure, or several faces)", f"{len(wrong)} of {len(idle) + len(busy) + 25}", None)]
    for name, value, passed in rows:
        print(f"{name:<58}{value:>22}  {'' if passed is None else 'pass' if passed else 'MISSED'}")


if __name__ == "__main__":
    main()
