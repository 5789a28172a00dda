"""The embedding networks on a card against PyTorch with cuDNN, and against cuDNN called from wajah: the same weights, batch
and precision, input and output on the card.

    python cuda_embedders.py WAJAH GRAPH.pb MOBILEFACENET.onnx [--device cuda|cpu] [--only TEXT] [--rounds N] [--seconds S]
                             [--batches 1,256] [--precisions fp32,tf32,fp16,int8] [--compile MODE]

A network is timed only after PyTorch and wajah have given the same embeddings. In int8 wajah is alone, since PyTorch has no
quantised convolutions on a card and cuDNN is not asked for any: it stands beside the same peers in fp16, and is timed only
after it has given what it gives on a CPU. --device cpu tries the whole comparison without a card; its times say nothing
about one.
"""

import argparse
import importlib.util
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np

import inception_onnx
import table
import torch_network
from interleaved import available, program, repeated, rounds

NETS = {"inception-resnet-v1": (3, 160, 160), "mobilefacenet": (3, 112, 112)}
BATCHES = (1, 256)
LEAST_COSINE, COMPARED = 0.999, 4
INT8_APART = 0.05  # of the largest number, from the CPU's int8: bytes that round the other way
# Of Inception-ResNet-v1 in fp16, by batch: at most this ratio to the fastest peer; at most so many ms an image, in steps.
RATIOS, STEPS = {1: 0.6, 256: 1 / 1.2}, {1: (0.35, 0.15), 256: (1 / 40, 1 / 100)}
GRAPH, EAGER, COMPILED, CUDNN = "PyTorch, CUDA graph", "PyTorch", "torch.compile", "cuDNN from wajah"
MODES = {"cuda": "max-autotune", "cpu": "default"}  # tuning for a CPU takes longer than a trial is worth


def wajah_embeddings(binary, weights, images, device, precision, folder):
    """What `wajah embed` makes of normalised images (n, h, w, 3)."""
    given, got = Path(folder) / "x.npy", Path(folder) / "y.npy"
    np.save(given, images)
    done = subprocess.run([binary, "embed", "--input", given, "--output", got, "--weights", weights, "--device", device,
                           "--precision", precision, "--mirror", "never"], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"wajah embed: {done.stderr.strip()}")
    return np.load(got)


def require_same(network, binary, weights, shape, settings, precision):
    """Throws where both do not compute the same function; gives the least cosine."""
    values = np.random.default_rng(7).standard_normal((COMPARED, *shape), dtype=np.float32)
    theirs = torch_network.embeddings(network, torch_network.images(values, settings.device, precision))
    ours = wajah_embeddings(binary, weights, np.ascontiguousarray(values.transpose(0, 2, 3, 1)), settings.device, precision,
                            settings.folder)
    least = float((theirs * ours).sum(axis=1).min())
    if not least > LEAST_COSINE:
        raise RuntimeError(f"wajah and PyTorch give other embeddings: cosine {least:.5f}, expected more than {LEAST_COSINE}")
    return least


def require_same_bytes(binary, net, settings):
    """Throws where int8 gives something else than on a CPU. The weights are made up, with the ranges of their maps."""
    other = settings.device if settings.device != "cpu" else "cpu:scalar"
    done = subprocess.run([binary, "bench", "--check", f"{other},cpu", "--net", net, "--precision", "int8", "--batch",
                           str(COMPARED), "--tolerance", str(INT8_APART)], capture_output=True, text=True)
    if done.returncode != 0:
        why = done.stderr.strip() or done.stdout.strip().splitlines()[-1]
        raise RuntimeError(f"wajah bench --check {other},cpu in int8: {why}")


def cudnn_of_pytorch():
    """The variable by which wajah finds the cuDNN that PyTorch brings, behind whatever it says already."""
    found = importlib.util.find_spec("nvidia")
    folders = [folder for root in (found.submodule_search_locations or [] if found else []) for folder in Path(root).glob("*/lib")]
    if not any((folder / "libcudnn.so.9").exists() for folder in folders):
        return {}
    said = [os.environ["LD_LIBRARY_PATH"]] if "LD_LIBRARY_PATH" in os.environ else []
    return {"LD_LIBRARY_PATH": ":".join([*said, *map(str, sorted(folders))])}


def wajah(binary, net, weights, batch, precision, settings, *more):
    # PyTorch holds memory of the same card meanwhile.
    where = ["--input", "card", "--gpu-memory-fraction", 0.4] if settings.device != "cpu" else ["--threads", 1]
    # Weights without measured ranges are none for int8, whose time does not depend on them.
    given = [] if precision == "int8" else ["--weights", weights]
    return program(binary, "net", "--net", net, "--batch", batch, "--precision", precision, "--device", settings.device,
                   *given, *where, *more, environment=settings.environment)


def contenders(binary, net, weights, network, batch, precision, settings, skipped):
    """What is measured beside wajah: {name: contender} whose figures are milliseconds a batch, but for cuDNN's."""
    x = torch_network.images(np.random.default_rng(3).standard_normal((batch, *NETS[net]), dtype=np.float32),
                             settings.device, precision)
    made = available({EAGER if settings.device == "cpu" else GRAPH: lambda: repeated(torch_network.eager(network, x)),
                      COMPILED: lambda: repeated(torch_network.compiled(network, x, settings.mode))}, skipped)

    def cudnn():
        contender = wajah(binary, net, weights, batch, precision, settings, "--cuda-conv", "cudnn")
        contender(0.05)  # says at once whether cuDNN is there
        return lambda seconds: batch * contender(seconds)

    if settings.device != "cpu":
        made.update(available({CUDNN: cudnn}, skipped))
    return made


def compare(binary, net, model, weights, batch, precision, settings):
    network = torch_network.load(model, settings.device, precision)
    cosine = require_same(network, binary, weights, NETS[net], settings, precision)
    name, skipped = f"{net} {precision}, batch {batch}, on {settings.place}", {}
    print(f"({name}: cosine to PyTorch's embeddings at least {cosine:.6f})", flush=True)
    works = {"wajah": wajah(binary, net, weights, batch, precision, settings)}
    works.update(contenders(binary, net, weights, network, batch, precision, settings, skipped))
    figures = rounds(works, settings.rounds, settings.seconds)
    ours = figures.pop("wajah")
    peers = {peer: [value / batch for value in values] for peer, values in figures.items()}
    wanted = precision == "fp16" and net == "inception-resnet-v1" and settings.device != "cpu"
    if peers:
        yield table.row(name, ours, peers, RATIOS.get(batch) if wanted else None)
    if wanted:
        for number, step in enumerate(STEPS.get(batch, ())):
            words = f"{step:g} ms" if batch == 1 else f"{1 / step:.0f},000 images/s"
            yield table.limited(f"{name}, step {number + 1}: {words}", sorted(ours)[len(ours) // 2], step)
    for peer, why in skipped.items():
        yield table.unmeasured(f"{name}, {peer}", why)


def compare_bytes(binary, net, model, weights, batch, _, settings):
    """int8 beside its peers in the fastest precision that they have here, and beside wajah in the same."""
    theirs = "fp32" if settings.device == "cpu" else "fp16"
    require_same_bytes(binary, net, settings)
    network = torch_network.load(model, settings.device, theirs)
    name, skipped = f"{net} int8, batch {batch}, on {settings.place}", {}
    works = {"wajah": wajah(binary, net, weights, batch, "int8", settings),
             "own": wajah(binary, net, weights, batch, theirs, settings)}
    works.update(contenders(binary, net, weights, network, batch, theirs, settings, skipped))
    figures = rounds(works, settings.rounds, settings.seconds)
    ours, own = figures.pop("wajah"), figures.pop("own")
    peers = {f"{peer} {theirs}": [value / batch for value in values] for peer, values in figures.items()}
    if peers:
        yield table.row(f"{name}, by peers in {theirs}, who have no int8", ours, peers, None)
    yield table.row(f"{name}, by its own {theirs}", ours, {f"wajah {theirs}": own}, None)
    for peer, why in skipped.items():
        yield table.unmeasured(f"{name}, {peer}", why)


def rows(binary, graph, mobilefacenet, settings, only=""):
    """All rows whose name contains `only`, as they are ready."""
    with tempfile.TemporaryDirectory() as folder:
        settings.folder = folder
        files = {"inception-resnet-v1": (Path(folder) / "inception.onnx", graph), "mobilefacenet": (mobilefacenet, mobilefacenet)}
        inception_onnx.write(graph, files["inception-resnet-v1"][0])
        for net, (model, weights) in files.items():
            for precision in settings.precisions:
                for batch in settings.batches:
                    name = f"{net} {precision}, batch {batch}"
                    if only in name:
                        work = compare_bytes if precision == "int8" else compare
                        yield from table.tried(name, lambda f=work, n=net, m=model, w=weights, b=batch, p=precision: f(
                            binary, n, m, w, b, p, settings))


def settings_for(device, count=5, seconds=0.5, batches=BATCHES, precisions=None, mode=None):
    """A CPU has fp32 and int8 alone in common with a card."""
    kind = device.split(":")[0]
    usual = torch_network.PRECISIONS if kind == "cuda" else ("fp32",)
    return argparse.Namespace(device=device, place="the card" if kind == "cuda" else "the CPU", rounds=count, seconds=seconds,
                              batches=batches, precisions=precisions or (*usual, "int8"),
                              mode=mode or MODES[kind], environment=cudnn_of_pytorch())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("binary", "graph", "mobilefacenet"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each burst")
    parser.add_argument("--batches", type=lambda text: tuple(map(int, text.split(","))), default=BATCHES)
    parser.add_argument("--precisions", type=lambda text: tuple(text.split(",")))
    parser.add_argument("--compile", help="torch.compile's mode")
    given = parser.parse_args()
    settings = settings_for(given.device, given.rounds, given.seconds, given.batches, given.precisions, given.compile)
    found = []
    for one in rows(given.binary.resolve(), given.graph, given.mobilefacenet, settings, given.only):
        found.append(one)
        print(table.line(one), flush=True)
    print(table.text(found))


if __name__ == "__main__":
    main()
