"""Runs every comparison and prints one table; see `run` for what it needs.

    python run.py WAJAH [--shared DIR] [--only PART[,PART]] [--rounds N] [--markdown FILE] [--svg FILE]

Every part is a process of its own with a limit of its own, so that one that crashes or hangs costs its rows and nothing
else; such rows, and those of peers that are not here, count as not measured. Ends with 1 where a figure is missed.
"""

import argparse
import datetime
import importlib
import json
import lzma
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import machine
import table

# part: the seconds it may take, and what all of them may take together: what takes longest, libsvm among 300 people, has
# what is left. Each module is a command of its own too.
PARTS, TOGETHER = {"service": 120, "embedders": 330, "mtcnn": 150, "search": 150, "svm": 600}, 14.5 * 60


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


def print_rows(rows):
    """What the process of a part does: a line of JSON for every row."""
    for row in rows:
        print(json.dumps(row), flush=True)


def end(process):
    """Ends a part and everything it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def rows_of_process(command, part, seconds):
    """The rows of a part as its process has them ready; where it ends early, one that says why."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True)
        late = threading.Event()
        alarm = threading.Timer(seconds, lambda: (late.set(), end(process)))
        alarm.start()
        try:
            for line in process.stdout:
                if line.startswith("{"):
                    yield json.loads(line)
                else:
                    print(line, end="", flush=True)
            code = process.wait()
        finally:
            alarm.cancel()
            end(process)
        errors.seek(0)
        last = (errors.read().strip().splitlines() or ["without a word"])[-1]
    if late.is_set():
        yield table.unmeasured(f"{part}: the rest", f"took longer than its {seconds} s")
    elif code != 0:
        yield table.unmeasured(f"{part}: the rest", f"ended with {code}: {last}")


def measure(only, command, seconds_for):
    """All rows of these parts, printed as they are ready. `command` and --worker PART make a part's process."""
    found = []
    for part in only.split(","):
        began = time.perf_counter()
        for row in rows_of_process([*command, "--worker", part], part, seconds_for(part)):
            found.append(row)
            print(table.line(row), flush=True)
        print(f"({part}: {time.perf_counter() - began:.0f} s)", flush=True)
    return found


def report(found, given, where, seconds):
    """Prints and writes the table; gives whether no figure is missed."""
    found = table.ordered(found)
    print(f"\n{table.text(found)}\n\n{table.count(found)}; {seconds / 60:.1f} minutes\n{where}\n{machine.peers()}")
    if given.markdown:
        given.markdown.write_text(f"{where}; {machine.peers()}; {datetime.date.today()}\n\n{table.markdown(found)}\n")
    if given.svg:
        given.svg.write_text(table.svg(found, where) + "\n")
    return not any(table.verdict(row) == table.MISSED for row in found)


def parser_for(description, parts):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=Path)
    beside = Path(__file__).resolve().parents[3] / "shared"
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("WAJAH_SHARED", beside)),
                        help="the shared folder; default: WAJAH_SHARED, or beside the checkout")
    parser.add_argument("--only", default=",".join(parts), help="of " + ",".join(parts))
    parser.add_argument("--rounds", type=int, default=5, help="of the embedders, at most")
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--svg", type=Path)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser


def checked(parser, parts):
    """The arguments, looked at before anything is measured for minutes."""
    given = parser.parse_args()
    unknown = set(given.only.split(",")) - set(parts)
    if unknown:
        parser.error(f"--only {','.join(sorted(unknown))}: expected of {', '.join(parts)}")
    if not (given.shared / "data").is_dir():
        parser.error(f"--shared {given.shared}: expected a folder with data/ in it (or WAJAH_SHARED)")
    for name, path in {"--markdown": given.markdown, "--svg": given.svg}.items():
        if path and not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
            parser.error(f"{name} {path}: cannot be written; expected a file in a folder that is there")
    given.binary = given.binary.resolve()
    return given


def main():
    given = checked(parser_for(__doc__, PARTS), PARTS)
    if given.worker:
        with tempfile.TemporaryDirectory() as folder:
            print_rows(rows_of(given.worker, given.binary, given.shared / "data", folder, given.rounds))
        return
    print(machine.describe())
    began = time.perf_counter()
    command = [sys.executable, "-B", __file__, str(given.binary), "--shared", str(given.shared), "--rounds", str(given.rounds)]
    found = measure(given.only, command, lambda part: round(min(PARTS[part], began + TOGETHER - time.perf_counter())))
    sys.exit(0 if report(found, given, machine.describe(), time.perf_counter() - began) else 1)


if __name__ == "__main__":
    main()
