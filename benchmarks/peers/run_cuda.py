"""Runs every comparison that needs a card and prints one table; see `run_cuda` for what it needs.

    python run_cuda.py WAJAH [--device cuda[:n]|cpu] [--shared DIR] [--only PART[,PART]] [--rounds N] [--batches N,N]
                       [--precisions P,P] [--compile MODE] [--markdown FILE] [--svg FILE]

Tuning by torch.compile takes minutes for each network, batch and precision; --compile reduce-overhead leaves it out.

--device cpu tries all of it without a card, on fp32, at batch 1 and without tuning; its figures say nothing about a card.
Ends with 1 where a figure is missed.
"""

import argparse
import datetime
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import machine
import run
import table

# part: the seconds it may take. torch.compile tries out hundreds of kernels for each network, batch and precision.
PARTS = {"embedders": 3600, "mtcnn": 120, "service": 300, "kernels": 300}
FRAME, MIN_SIZE, FRAME_AT_MOST_MS = "photos/group_1920x1080.jpg", 20, 0.5
KERNELS_OF = ("fp32", "tf32", "fp16")


def frame_rows(binary, shared, device):
    """MTCNN on a 1080p frame that is on the card already, and with bringing it there."""
    from interleaved import bench

    found = bench(binary, "detect", shared / FRAME, "--min-size", MIN_SIZE, "--mtcnn", shared / "mtcnn", "--device", device)
    name = f"MTCNN, {Path(FRAME).name}, min size {MIN_SIZE}, {found['faces']} faces"
    if "median_ms_on_card" in found:
        yield table.limited(f"{name}, frame on the card", found["median_ms_on_card"], FRAME_AT_MOST_MS)
        yield table.limited(f"{name}, brought there", found["median_ms"], FRAME_AT_MOST_MS) | {"target": None}
    else:
        yield table.limited(f"{name}, on the CPU", found["median_ms"], FRAME_AT_MOST_MS) | {"target": None}


def kernel_rows(binary, device, batches, precisions):
    """No rows, but pages: where the time of a forward pass goes, and why a kernel is far from the card's peak."""
    if device == "cpu":
        yield table.unmeasured("times by kernel", "a CPU has none: wajah bench layers")
        return
    for precision in precisions or KERNELS_OF:
        done = subprocess.run([binary, "bench", "net", "--device", device, "--precision", precision, "--kernels", "--batch",
                               ",".join(map(str, batches))], capture_output=True, text=True)
        print(done.stdout, flush=True)
        if done.returncode != 0:
            yield table.unmeasured(f"times by kernel, {precision}", done.stderr)


def rows_of(part, given, folder):
    shared = given.shared / "data"
    if part == "embedders":
        import cuda_embedders

        trial = given.device == "cpu"
        settings = cuda_embedders.settings_for(given.device, given.rounds, batches=given.batches, seconds=0.1 if trial else 0.5,
                                                precisions=given.precisions, mode=given.compile)
        yield from cuda_embedders.rows(given.binary, run.frozen_graph(shared, folder), shared / "mobilefacenet.onnx", settings)
    elif part == "mtcnn":
        yield from frame_rows(given.binary, shared, given.device)
    elif part == "service":
        import cuda_service

        yield from cuda_service.rows(given.binary, shared, given.device)
    else:
        yield from kernel_rows(given.binary, given.device, given.batches, given.precisions)


def card():
    """The card's name, driver and clocks, if there is one."""
    try:
        done = subprocess.run(["nvidia-smi", "--query-gpu=name,driver_version,clocks.max.sm,clocks.max.memory",
                               "--format=csv,noheader"], capture_output=True, text=True, timeout=20)
    except OSError:
        return "no card"
    return "; ".join(done.stdout.strip().splitlines()) or "no card"


def measure(given):
    found = []
    for part in given.only.split(","):
        began = time.perf_counter()
        command = [sys.executable, "-B", __file__, *given.words, "--worker", part]
        for row in run.rows_of_process(command, part, PARTS[part]):
            found.append(row)
            print(table.line(row), flush=True)
        print(f"({part}: {time.perf_counter() - began:.0f} s)", flush=True)
    return found


def report(found, given, seconds):
    found, where = table.ordered(found), f"{card()}; {machine.describe()}"
    print(f"\n{table.text(found)}\n\n{table.count(found)}; {seconds / 60:.1f} minutes\n{where}\n{machine.peers()}")
    if given.markdown:
        given.markdown.write_text(f"{where}; {machine.peers()}; {datetime.date.today()}\n\n{table.markdown(found)}\n")
    if given.svg:
        given.svg.write_text(table.svg(found, where) + "\n")
    return not any(table.verdict(row) == table.MISSED for row in found)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=Path)
    beside = Path(__file__).resolve().parents[3] / "shared"
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("WAJAH_SHARED", beside)),
                        help="the shared folder; default: WAJAH_SHARED, or beside the checkout")
    parser.add_argument("--only", default=",".join(PARTS), help="of " + ",".join(PARTS))
    parser.add_argument("--rounds", type=int, default=5, help="of the embedders")
    parser.add_argument("--batches", type=lambda text: tuple(map(int, text.split(","))), help="of the embedders [1,256; on a CPU 1]")
    parser.add_argument("--precisions", type=lambda text: tuple(text.split(",")), help="[fp32,tf32,fp16; on a CPU fp32]")
    parser.add_argument("--compile", help="torch.compile's mode [max-autotune; on a CPU default]")
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--svg", type=Path)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    given = parser.parse_args()
    unknown = set(given.only.split(",")) - set(PARTS)
    if unknown:
        parser.error(f"--only {','.join(sorted(unknown))}: expected of {', '.join(PARTS)}")
    run.check_paths(parser, given)
    given.binary = given.binary.resolve()
    given.batches = given.batches or ((1,) if given.device == "cpu" else (1, 256))
    given.words = sys.argv[1:]
    return given


def main():
    given = arguments()
    if given.worker:
        with tempfile.TemporaryDirectory() as folder:
            run.print_rows(rows_of(given.worker, given, folder))
        return
    print(f"{card()}; {machine.describe()}")
    began = time.perf_counter()
    found = measure(given)
    sys.exit(0 if report(found, given, time.perf_counter() - began) else 1)


if __name__ == "__main__":
    main()
