"""Runs every comparison that needs a card and prints one table; see `run_cuda` for what it needs.

    python run_cuda.py WAJAH [--device cuda[:n]|cpu] [--shared DIR] [--only PART[,PART]] [--rounds N] [--batches N,N]
                       [--precisions P,P] [--compile MODE] [--markdown FILE] [--svg FILE]

Tuning by torch.compile takes minutes for each network, batch and precision; --compile reduce-overhead leaves it out.

--device cpu tries all of it without a card, in fp32 and int8, at batch 1 and without tuning; its figures say nothing about a card.
Ends with 1 where a figure is missed.
"""

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
KERNELS_OF = ("fp32", "tf32", "fp16", "int8")


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


def arguments():
    parser = run.parser_for(__doc__, PARTS)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batches", type=lambda text: tuple(map(int, text.split(","))), help="of the embedders [1,256; on a CPU 1]")
    parser.add_argument("--precisions", type=lambda text: tuple(text.split(",")), help="[fp32,tf32,fp16,int8; on a CPU fp32,int8]")
    parser.add_argument("--compile", help="torch.compile's mode [max-autotune; on a CPU default]")
    given = run.checked(parser, PARTS)
    given.batches = given.batches or ((1,) if given.device == "cpu" else (1, 256))
    return given


def main():
    given = arguments()
    if given.worker:
        with tempfile.TemporaryDirectory() as folder:
            run.print_rows(rows_of(given.worker, given, folder))
        return
    print(f"{card()}; {machine.describe()}")
    began = time.perf_counter()
    found = run.measure(given.only, [sys.executable, "-B", __file__, *sys.argv[1:]], PARTS.get)
    sys.exit(0 if run.report(found, given, f"{card()}; {machine.describe()}", time.perf_counter() - began) else 1)


if __name__ == "__main__":
    main()
