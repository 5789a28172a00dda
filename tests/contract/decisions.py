#!/usr/bin/env python3
"""Whether two devices name the same people in the same photos.

decisions.py BINARY ONE OTHER [--photos N] [--people N]      such as: decisions.py build/wajah cuda cpu

A device is what --device takes, with an instruction set behind a colon (cpu:avx2) or a precision behind a slash
(cpu/int8, cuda/fp16). Each enrols the same people of LFW into a data folder of its own and then recognises the same
photos, of these people and of strangers. What is compared, photo by photo, is how many faces there are and who they are
said to be. Ends with 1 where anything differs. Needs the shared data beside the checkout, or WAJAH_SHARED.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from server import Photos, shared

ENROLLED = 3


def command_of(device):
    """Options and environment of a device's words.

    >>> command_of("cpu:avx2")
    (['--device', 'cpu'], {'WAJAH_ISA': 'avx2'})
    >>> command_of("cuda:1/fp16")
    (['--device', 'cuda:1', '--precision', 'fp16'], {})
    """
    place, _, precision = device.partition("/")
    kind, _, which = place.partition(":")
    environment = {"WAJAH_ISA": which} if kind == "cpu" and which else {}
    return ["--device", kind if environment else place, *(["--precision", precision] if precision else [])], environment


def differences(one, other):
    """What two lists of lines of `wajah recognise --json` disagree about, in sentences.

    >>> line = lambda image, *niks: {"image": image, "results": [{"nik": n} for n in niks], "error": None}
    >>> differences([line("a", "1"), line("b", None)], [line("a", "1"), line("b", None)])
    []
    >>> differences([line("a", "1"), line("b", "2", None)], [line("a", None), line("b", "2")])
    ['a: 1, and nobody', 'b: 2 nobody, and 2']
    >>> differences([line("a")], [])
    ['1 photos, and 0']
    """
    if len(one) != len(other):
        return [f"{len(one)} photos, and {len(other)}"]

    def said(line):
        return line["error"] or " ".join(face["nik"] or "nobody" for face in line["results"]) or "no face"

    pairs = [(a["image"], said(a), said(b)) for a, b in zip(one, other)]
    return [f"{Path(image).name}: {first}, and {second}" for image, first, second in pairs if first != second]


def farthest(one, other):
    """The largest difference of a face's similarity among photos where both found as many faces."""
    return max((abs(f["similarity"] - g["similarity"]) for a, b in zip(one, other) for f, g in zip(a["results"], b["results"])),
               default=0.0)


class Trial:
    """People to enrol and photos to recognise, as files."""

    def __init__(self, data, folder, people, most):
        archive, by_person = Photos(data), {}
        for name in sorted(archive.names):
            if name.endswith(".jpg"):
                by_person.setdefault(name.split("/")[1], []).append(name)
        known = [person for person, names in by_person.items() if len(names) > ENROLLED][:people]
        self.folder, self.staff = Path(folder), Path(folder) / "staff"
        lines, probes = ["nik,nama"], []
        for number, person in enumerate(known):
            for name in by_person[person][:ENROLLED]:
                self.write(archive, name, self.staff / str(1000 + number))
            lines.append(f"{1000 + number},{person.replace('_', ' ').upper()}")
            probes += by_person[person][ENROLLED:]
        (self.staff / "staff.csv").write_text("\n".join(lines) + "\n")
        # Half of the photos, as far as there are so many, are of people who are known.
        strangers = [name for person, names in by_person.items() if person not in known for name in names]
        of_known = evenly(probes, most // 2)
        self.photos = [self.write(archive, name, self.folder / "photos") for name in of_known + evenly(strangers, most - len(of_known))]

    @staticmethod
    def write(archive, name, target):
        target.mkdir(parents=True, exist_ok=True)
        file = target / Path(name).name
        file.write_bytes(archive.archive.extractfile(name).read())
        return str(file)

    def decisions(self, binary, device, models, number):
        """The lines of all photos on this device."""
        options, environment = command_of(device)
        data = self.folder / f"data{number}"
        common = ["--data", str(data), *models, *options]
        environment = {**os.environ, **environment}
        imported = subprocess.run([binary, "import", "--dir", str(self.staff), "--csv", str(self.staff / "staff.csv"), "--report",
                                   str(self.folder / f"report{number}.csv"), *common],
                                  env=environment, capture_output=True, text=True)
        if imported.returncode not in (0, 1):
            sys.exit(f"{device}: {imported.stderr.strip()}")
        done = subprocess.run([binary, "recognise", "--json", *common, *self.photos], env=environment, capture_output=True, text=True)
        if done.returncode not in (0, 1, 3):
            sys.exit(f"{device}: {done.stderr.strip()}")
        return [json.loads(line) for line in done.stdout.splitlines()]


def evenly(values, most):
    return values if len(values) <= most else [values[i * len(values) // most] for i in range(most)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("devices", nargs=2, metavar="DEVICE")
    parser.add_argument("--photos", type=int, default=2000)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--weights", help="of the embedder; default: MobileFaceNet of the shared data")
    given = parser.parse_args()
    data = shared()
    if not data:
        print("skipped: no shared data folder: no weights and photos to decide about")
        return 0
    if any(device.startswith("cuda") for device in given.devices) and not Path("/proc/driver/nvidia/version").exists():
        print("skipped: this machine has no NVIDIA driver (no /proc/driver/nvidia/version)")
        return 0
    models = ["--mtcnn", str(data / "mtcnn"), "--weights", given.weights or str(data / "mobilefacenet.onnx")]
    with tempfile.TemporaryDirectory(prefix="wajah-decisions-") as folder:
        trial = Trial(data, folder, given.people, given.photos)
        one, other = (trial.decisions(given.binary, device, models, number) for number, device in enumerate(given.devices))
    apart = differences(one, other)
    for line in apart[:50]:
        print(line)
    named = sum(any(face["nik"] for face in line["results"]) for line in one)
    print(f"{len(one)} photos, {named} with somebody known, {given.devices[0]} against {given.devices[1]}: {len(apart)} differ; "
          f"similarities by at most {farthest(one, other):.2g}")
    if len(one) != len(trial.photos) or named == 0:
        print(f"FAILED: {len(trial.photos)} photos were shown, and somebody should be known in some")
        return 1
    return 1 if apart else 0


if __name__ == "__main__":
    sys.exit(main())
