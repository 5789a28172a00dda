"""Runs every comparison and prints one table; see `run` for what it needs.

    python run.py WAJAH [--shared DIR] [--only PART[,PART]] [--rounds N] [--markdown FILE] [--svg FILE]
"""

import argparse
import datetime
import importlib
import lzma
import os
import tempfile
from pathlib import Path

import machine
import table

# part: what its rows are taken with; each module is a command of its own too.
PARTS = ("embedders", "mtcnn", "svm", "search", "service")


def frozen_graph(shared, folder):
    out = Path(folder) / "graph.pb"
    out.write_bytes(lzma.decompress((shared / "irv1_distilled.pb.xz").read_bytes()))
    return out


def rows_of(part, binary, shared, folder, count):
    module = importlib.import_module(part)
    if part == "embedders":
        yield from module.rows(binary, frozen_graph(shared, folder), shared / "mobilefacenet.onnx", count=count)
    elif part in ("svm", "search"):
        yield from module.rows(binary)
    else:
        yield from module.rows(binary, shared)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=Path)
    parser.add_argument("--shared", type=Path, help="the shared folder; default: WAJAH_SHARED, or beside the checkout")
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--svg", type=Path)
    given = parser.parse_args()
    beside = Path(__file__).resolve().parents[3] / "shared"
    shared = (given.shared or Path(os.environ.get("WAJAH_SHARED", beside))) / "data"
    print(machine.describe())
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for part in given.only.split(","):
            try:
                for row in rows_of(part, given.binary.resolve(), shared, folder, given.rounds):
                    found.append(row)
                    print(table.text([row]).splitlines()[1], flush=True)
            except ImportError as error:
                print(f"skipped: {part}: {error}")
    print("\n" + table.text(found))
    missed = [row["work"] for row in found if not row["passed"]]
    print(f"\n{len(found) - len(missed)} of {len(found)} as wanted; {machine.describe()}")
    if given.markdown:
        given.markdown.write_text(f"{machine.describe()}; {datetime.date.today()}\n\n{table.markdown(found)}\n")
    if given.svg:
        given.svg.write_text(table.svg(found) + "\n")


if __name__ == "__main__":
    main()
