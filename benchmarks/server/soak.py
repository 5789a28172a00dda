#!/usr/bin/env python3
"""Thousands of mixed requests to one server, and whether its memory stays where it was.

soak.py BINARY [--device cuda|cpu] [--requests N] [--minutes M] [--clients N] [--gpu-memory-fraction F] [--csv FILE]

Starts `wajah serve` on loopback with a data folder of its own, enrols some people of LFW (the shared data beside the
checkout, or WAJAH_SHARED), and lets clients recognise, enrol and remove people, list them, look for faces in several
pictures at once, and send what is no picture, no face and no route. Every answer must have the status that it deserves.
A hundred times it notes what memory the process has, and with --device cuda what the card's memory is.

Memory is flat if, of the samples after the first fifth, the later half's median is above the earlier's by no more than 2 %
or 8 MB, and its largest by no more than 5 % or 16 MB. On a card the peak may be the fraction and a gigabyte, which is
CUDA's own. Ends with 1 where it is not flat or an answer was wrong.
"""

import argparse
import csv
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "contract"))
from server import Photos, Server, shared  # noqa: E402

STAFF = {"1001": "Abdullah_Gul", "1002": "Adrien_Brody", "1003": "Al_Sharpton", "1004": "Alejandro_Toledo"}
PHOTOS = 3  # of everybody
SAMPLES, WARM_UP = 100, 0.2
GROWTH, GROWTH_MB, PEAK_GROWTH, PEAK_GROWTH_MB, CUDA_ITSELF_MB = 0.02, 8, 0.05, 16, 1024
# kind: of a hundred requests
MIX = {"recognise": 62, "recognise a stranger": 10, "list": 8, "detect": 6, "batch": 4, "no picture": 4, "no field": 2, "no route": 2,
       "come and go": 2}


def people_of(archive):
    """The names of everybody's photos, of those who have enough."""
    people = {}
    for name in sorted(archive.names):
        if name.endswith(".jpg"):
            people.setdefault(name.split("/")[1], []).append(name)
    return {person: names for person, names in people.items() if len(names) >= PHOTOS}


def photos_of(archive, names):
    return [archive.archive.extractfile(name).read() for name in names[:PHOTOS]]


class Work:
    """One request of each kind, with the status that it must have."""

    def __init__(self, server, archive, clients):
        self.server, people = server, people_of(archive)
        self.wrong, self.guard, self.next_nik = [], threading.Lock(), 5000
        self.staff = {nik: photos_of(archive, people[person]) for nik, person in STAFF.items()}
        for nik, photos in self.staff.items():
            self.upload(nik, STAFF[nik].replace("_", " ").upper(), photos)
        self.visitors = []
        for person in sorted(set(people) - set(STAFF.values())):
            if len(self.visitors) == clients:
                break
            photos = photos_of(archive, people[person])[:2]
            if self.is_taken(photos):
                self.visitors.append(photos)

    def is_taken(self, photos):
        """Whether these photos can be enrolled, one by one and together: not everybody's are good enough."""
        parts = [("nik", "4999"), ("nama", "ON TRIAL"), *[("files", ("p.jpg", photo)) for photo in photos]]
        answer = self.server.send_form("POST", "/upload/", parts)
        if answer.status == 200:
            self.server.send_form("DELETE", "/hapus/", [("nik_hapus", "4999"), ("nama", "ON TRIAL")])
        return answer.status == 200 and "x-wajah-skipped" not in answer.headers

    def check(self, kind, answer, status):
        if answer.status != status:
            with self.guard:
                self.wrong.append(f"{kind}: {answer.status} {answer.text[:200]}, expected {status}")

    def upload(self, nik, name, photos):
        parts = [("nik", nik), ("nama", name), *[("files", ("p.jpg", photo)) for photo in photos]]
        self.check("upload", self.server.send_form("POST", "/upload/", parts), 200)

    def recognise(self, kind, nik, photo, status=200):
        parts = [("nik_input", nik), *([("file", ("p.jpg", photo))] if photo is not None else [])]
        self.check(kind, self.server.send_form("POST", "/recognize/", parts), status)

    def come_and_go(self, client):
        """Every client brings somebody else: nobody may be enrolled twice at a time."""
        with self.guard:
            self.next_nik += 1
            nik = str(self.next_nik)
        self.upload(nik, "SOMEBODY NEW", self.visitors[client])
        gone = self.server.send_form("DELETE", "/hapus/", [("nik_hapus", nik), ("nama", "SOMEBODY NEW")])
        self.check("remove", gone, 200)

    def do(self, kind, chance, client):
        nik = chance.choice(list(self.staff))
        photo = chance.choice(self.staff[nik])
        if kind == "recognise":
            self.recognise(kind, nik, photo)
        elif kind == "recognise a stranger":
            self.recognise(kind, nik, chance.choice(chance.choice(self.visitors)))
        elif kind == "no picture":
            self.recognise(kind, nik, chance.randbytes(chance.randrange(1, 4000)), 400)
        elif kind == "no field":
            self.recognise(kind, nik, None, 422)
        elif kind == "list":
            self.check(kind, self.server.get("/api/v1/people?limit=3"), 200)
        elif kind == "detect":
            self.check(kind, self.server.send_form("POST", "/api/v1/detect", [("image", ("p.jpg", photo))]), 200)
        elif kind == "batch":
            images = [("images", ("p.jpg", one)) for photos in self.staff.values() for one in photos[:2]]
            self.check(kind, self.server.send_form("POST", "/api/v1/recognize:batch", images), 200)
        elif kind == "no route":
            self.check(kind, self.server.get(f"/no/{chance.randrange(1000)}"), 404)
        else:
            self.come_and_go(client)

    def try_to_do(self, kind, chance, client):
        """Whatever goes wrong is noted, and ends no client."""
        try:
            self.do(kind, chance, client)
        except Exception as error:  # pylint: disable=broad-except
            with self.guard:
                self.wrong.append(f"{kind}: {type(error).__name__}: {error}")


def resident_mb(process):
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def card_mb(field="memory.used"):
    """Of the first card, by everybody on it."""
    done = subprocess.run(["nvidia-smi", f"--query-gpu={field}", "--format=csv,noheader,nounits", "--id=0"], check=True,
                          capture_output=True, text=True)
    return float(done.stdout.split()[0])


class Soak:
    def __init__(self, work, given, card_before):
        self.work, self.given, self.card_before = work, given, card_before
        self.samples, self.done, self.guard = [], 0, threading.Lock()
        self.begun = time.monotonic()
        self.end = self.begun + 60 * given.minutes

    def sample(self, done):
        card = card_mb() - self.card_before if self.card_before is not None else 0.0
        row = (done, time.monotonic() - self.begun, resident_mb(self.work.server.process), card)
        self.samples.append(row)
        if len(self.samples) % 10 == 1:
            print(f"{row[0]:>7} requests {row[1]:7.0f} s  {row[2]:8.1f} MB" + (f"  card {card:8.1f} MB" if card else ""), flush=True)

    def warm(self, seed):
        """What takes most memory, by all clients at once: later it may come to that at any time."""
        chance = random.Random(1000 + seed)
        for _ in range(5):
            for kind in ("batch", "recognise", "detect", "come and go"):
                self.work.try_to_do(kind, chance, seed)

    def client(self, seed):
        chance = random.Random(seed)
        kinds, weights = list(MIX), list(MIX.values())
        while True:
            with self.guard:
                if self.done >= self.given.requests or time.monotonic() > self.end:
                    return
                self.done += 1
                if self.done % max(1, self.given.requests // SAMPLES) == 0:
                    self.sample(self.done)
            kind = chance.choices(kinds, weights)[0]
            self.work.try_to_do(kind, chance, seed)

    def by_all(self, work):
        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(self.given.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def run(self):
        self.sample(0)
        self.by_all(self.warm)
        self.by_all(self.client)
        self.sample(self.done)


def not_flat(values):
    """Why these samples in MB, in order, are not flat; None if they are.

    >>> not_flat([300.0] * 10 + [500.0] * 40)
    >>> not_flat([500.0 + i for i in range(100)])
    'the later half of the samples has a median of 580 MB, the earlier 540 MB'
    >>> not_flat([500.0] * 60 + [540.0] * 10 + [500.0] * 30)
    'the later half of the samples has a largest of 540 MB, the earlier 500 MB'
    """
    counted = values[int(WARM_UP * len(values)):]
    early, late = counted[:len(counted) // 2], counted[len(counted) // 2:]
    for name, figure, share, least in (("median", statistics.median, GROWTH, GROWTH_MB),
                                       ("largest", max, PEAK_GROWTH, PEAK_GROWTH_MB)):
        before, after = figure(early), figure(late)
        if after - before > max(share * before, least):
            return f"the later half of the samples has a {name} of {after:.0f} MB, the earlier {before:.0f} MB"
    return None


def verdicts(soak, given):
    """Everything that is wrong, in sentences."""
    wrong = list(soak.work.wrong)
    if len(soak.samples) < 20:
        return [*wrong, f"{len(soak.samples)} samples say nothing; expected 20 or more: more --requests or --minutes"]
    wrong += [f"the process's memory: {why}" for why in [not_flat([row[2] for row in soak.samples])] if why]
    if soak.card_before is not None:
        wrong += [f"the card's memory: {why}" for why in [not_flat([row[3] for row in soak.samples])] if why]
        peak, most = max(row[3] for row in soak.samples), given.gpu_memory_fraction * card_mb("memory.total") + CUDA_ITSELF_MB
        if peak > most:
            wrong.append(f"the card's memory: {peak:.0f} MB, expected at most {most:.0f}")
    return wrong


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=30, help="at most [30]")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--gpu-memory-fraction", type=float, default=0.3)
    parser.add_argument("--csv", type=Path, help="where the samples go: requests, seconds, MB, MB of the card")
    given = parser.parse_args()
    if not 1 <= given.clients <= 32:
        parser.error(f"--clients {given.clients}: expected 1 to 32")
    return given


def main():
    given = arguments()
    on_card, data = given.device.startswith("cuda"), shared()
    if on_card and not os.path.exists("/proc/driver/nvidia/version"):
        print("skipped: this machine has no NVIDIA driver (no /proc/driver/nvidia/version)")
        return 0
    if not data:
        print("skipped: no shared data folder: no weights and photos to run the service on")
        return 0
    before = card_mb() if on_card else None
    options = ["--mtcnn", str(data / "mtcnn"), "--weights", str(data / "mobilefacenet.onnx"), "--device", given.device,
               "--gpu-memory-fraction", str(given.gpu_memory_fraction), "--log-access", "false"]
    with Server(given.binary, options) as server:
        server.wait_until_ready()
        print(server.get("/version").text)
        work = Work(server, Photos(data), given.clients)
        soak = Soak(work, given, before)
        soak.run()
        wrong = verdicts(soak, given)
    if given.csv:
        with given.csv.open("w", newline="") as file:
            csv.writer(file).writerows([("requests", "seconds", "mb", "card_mb"), *soak.samples])
    memory = [row[2] for row in soak.samples]
    print(f"{soak.done} requests in {soak.samples[-1][1]:.0f} s, memory {memory[0]:.0f} MB at the start, {memory[-1]:.0f} at the end, "
          f"{max(memory):.0f} at most" + (f"; card at most {max(row[3] for row in soak.samples):.0f} MB" if on_card else ""))
    for why in wrong[:20]:
        print(f"FAILED: {why}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
