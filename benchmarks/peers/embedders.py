"""The embedding networks against onnxruntime, OpenVINO and ncnn: the same weights, batch and threads.

    python embedders.py WAJAH GRAPH.pb MOBILEFACENET.onnx [--only TEXT] [--rounds N]
"""

import argparse
import tempfile
from pathlib import Path

import inception_onnx
import quantised
import runtimes
import table
from interleaved import program, repeated, rounds

# net: (shape of an image, at most this ratio to the fastest peer by batch)
NETS = {"inception-resnet-v1": ((3, 160, 160), {1: 0.75, 32: 0.80}), "mobilefacenet": ((3, 112, 112), {1: 0.80})}  # its file fixes the batch
INT8_AT_MOST = 0.85


def runners(model, shape, threads, folder, with_ncnn):
    found = {"onnxruntime": runtimes.onnxruntime_runner(model, shape, threads),
             "OpenVINO": runtimes.openvino_runner(model, shape, threads)}
    if with_ncnn:
        found["ncnn"] = runtimes.ncnn_runner(model, shape, threads, folder)
    return found


def compare(binary, net, model, weights, batch, threads, precision, settings):
    shape, limits = NETS[net]
    peers = runners(model, (batch, *shape), threads, settings.folder, precision == "fp32")
    extra = ["--weights", weights] if weights else []
    contenders = {"wajah": program(binary, "net", "--net", net, "--batch", batch, "--threads", threads, "--precision",
                                   precision, *extra)}
    contenders.update({name: repeated(run) for name, run in peers.items()})
    figures = rounds(contenders, settings.rounds, settings.seconds)
    ours = figures.pop("wajah")
    per_image = {name: [value / batch for value in values] for name, values in figures.items()}
    limit = INT8_AT_MOST if precision == "int8" else limits[batch]
    return table.row(f"{net} {precision}, batch {batch}, {threads} thread{'s' * (threads > 1)}", ours, per_image, limit)


def rows(binary, graph, mobilefacenet, only="", count=5, seconds=0.4):
    """All rows whose name contains `only`, as they are ready."""
    with tempfile.TemporaryDirectory() as folder:
        settings = argparse.Namespace(folder=folder, rounds=count, seconds=seconds)
        files = {"inception-resnet-v1": Path(folder) / "inception.onnx", "mobilefacenet": Path(folder) / "mobilefacenet.onnx"}
        inception_onnx.write(graph, files["inception-resnet-v1"])
        files["mobilefacenet"].symlink_to(Path(mobilefacenet).resolve())
        weights = {"inception-resnet-v1": graph, "mobilefacenet": mobilefacenet}
        for precision in ("fp32", "int8"):
            for net, model in files.items():
                if only and only not in f"{net} {precision}":
                    continue
                if precision == "int8":
                    model = quantised.write(model, Path(folder) / f"{net}_int8.onnx", NETS[net][0])
                for batch in NETS[net][1]:
                    for threads in (1, 2):
                        # wajah's int8 takes the ranges of random weights: its kernels' time does not depend on values.
                        yield compare(binary, net, model, weights[net] if precision == "fp32" else None, batch, threads,
                                      precision, settings)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("binary", "graph", "mobilefacenet"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    found = []
    for one in rows(given.binary, given.graph, given.mobilefacenet, given.only, given.rounds):
        found.append(one)
        print(table.text([one]).splitlines()[1], flush=True)
    print(table.text(found))


if __name__ == "__main__":
    main()
