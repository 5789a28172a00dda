"""The embedding networks against onnxruntime, OpenVINO and ncnn: the same weights, batch and threads.

    python embedders.py WAJAH GRAPH.pb MOBILEFACENET.onnx [--only TEXT] [--rounds N]
"""

import argparse
import os
import tempfile
from pathlib import Path

import inception_onnx
import machine
import quantised
import runtimes
import table
from interleaved import available, program, repeated, rounds

# net: (shape of an image, at most this ratio to the fastest peer by batch)
NETS = {"inception-resnet-v1": ((3, 160, 160), {1: 0.75, 32: 0.80}), "mobilefacenet": ((3, 112, 112), {1: 0.80})}  # its file fixes the batch
AVX2_AT_MOST = 0.9  # of Inception-ResNet-v1 where nobody uses AVX-512
INT8_AT_MOST, INT8_OF_OWN_FP32 = 0.85, 1 / 2.5
FP16_OF_OWN_FP32 = 1 / 1.7
SECONDS, A_COMPARISON_AT_MOST = 0.4, 36
AVX2 = {"WAJAH_ISA": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}


def plural(threads):
    return f"{threads} thread{'s' * (threads > 1)}"


def runners(model, shape, threads, folder, with_ncnn, skipped):
    factories = {"onnxruntime": lambda: runtimes.onnxruntime_runner(model, shape, threads),
                 "OpenVINO": lambda: runtimes.openvino_runner(model, shape, threads)}
    if with_ncnn:
        factories["ncnn"] = lambda: runtimes.ncnn_runner(model, shape, threads, folder)
    return available(factories, skipped)


def wajah(binary, net, weights, batch, threads, precision, environment=None):
    # int8 takes the ranges of random weights: its kernels' time does not depend on values.
    given = [] if precision == "int8" else ["--weights", weights]
    return program(binary, "net", "--net", net, "--batch", batch, "--threads", threads, "--precision", precision, *given,
                   environment=environment)


def compare(binary, net, model, weights, batch, threads, precision, settings):
    shape, limits = NETS[net]
    name, skipped = f"{net} {precision}, batch {batch}, {plural(threads)}", {}
    peers = runners(model, (batch, *shape), threads, settings.folder, precision == "fp32", skipped)
    contenders = {"wajah": wajah(binary, net, weights, batch, threads, precision)}
    if precision == "int8" and batch == 1:
        contenders["own fp32"] = wajah(binary, net, weights, batch, threads, "fp32")
    contenders.update({peer: repeated(run) for peer, run in peers.items()})
    figures = rounds(contenders, settings.rounds, SECONDS, A_COMPARISON_AT_MOST)
    ours, fp32 = figures.pop("wajah"), figures.pop("own fp32", None)
    limit = INT8_AT_MOST if precision == "int8" else limits[batch]
    if precision == "fp32" and net == "inception-resnet-v1" and not machine.has_avx512():
        name, limit = name + ", AVX2 on both sides", AVX2_AT_MOST
    if figures:
        per_image = {peer: [value / batch for value in values] for peer, values in figures.items()}
        yield table.row(name, ours, per_image, limit)
    for peer, why in skipped.items():
        yield table.unmeasured(f"{name}, {peer}", why)
    if fp32:
        yield table.row(f"{net} int8 by its fp32, batch {batch}, {plural(threads)}", ours, {"wajah fp32": fp32}, INT8_OF_OWN_FP32)


def compare_avx2(binary, model, weights, batch, threads, settings):
    """AVX2 on both sides where the CPU could do more: OpenVINO alone can be told so, in a process of its own."""
    net = "inception-resnet-v1"
    shape = (batch, *NETS[net][0])
    figures = rounds({"wajah": wajah(binary, net, weights, batch, threads, "fp32", AVX2),
                      "OpenVINO": runtimes.in_another_process("openvino", model, shape, threads, AVX2)},
                     settings.rounds, SECONDS, A_COMPARISON_AT_MOST)
    yield table.row(f"{net} fp32, batch {batch}, {plural(threads)}, AVX2 on both sides", figures["wajah"],
                    {"OpenVINO": [value / batch for value in figures["OpenVINO"]]}, AVX2_AT_MOST)


def compare_fp16(binary, weights, batch, threads, settings):
    """No peer computes in halves on a CPU: against wajah's own fp32."""
    net = "inception-resnet-v1"
    figures = rounds({precision: wajah(binary, net, weights, batch, threads, precision) for precision in ("fp16", "fp32")},
                     settings.rounds, SECONDS, A_COMPARISON_AT_MOST)
    yield table.row(f"{net} fp16 by its fp32, batch {batch}, {plural(threads)}", figures["fp16"],
                    {"wajah fp32": figures["fp32"]}, FP16_OF_OWN_FP32)


def has_halves():
    return "avx512_fp16" in machine.flags() or os.environ.get("WAJAH_FP16") == "1"


def comparisons(binary, weights, files, settings):
    """(name, function that gives rows), each to be tried by itself."""
    for precision in ("fp32", "int8"):
        for net, model in files.items():
            if precision == "int8":
                model = Path(settings.folder) / f"{net}_int8.onnx"
            for batch in NETS[net][1]:
                for threads in (1, 2):
                    yield f"{net} {precision}, batch {batch}, {plural(threads)}", lambda n=net, m=model, b=batch, t=threads, p=precision: compare(
                        binary, n, m, weights[n], b, t, p, settings)
    if machine.has_avx512():
        net = "inception-resnet-v1"
        for batch in NETS[net][1]:
            for threads in (1, 2):
                yield f"{net} fp32, batch {batch}, {plural(threads)}, AVX2", lambda b=batch, t=threads: compare_avx2(
                    binary, files[net], weights[net], b, t, settings)
    if has_halves():
        net = "inception-resnet-v1"
        for batch in NETS[net][1]:
            for threads in (1, 2):
                yield f"{net} fp16, batch {batch}, {plural(threads)}", lambda b=batch, t=threads: compare_fp16(
                    binary, weights[net], b, t, settings)


def rows(binary, graph, mobilefacenet, only="", count=5):
    """All rows whose name contains `only`, as they are ready."""
    with tempfile.TemporaryDirectory() as folder:
        settings = argparse.Namespace(folder=folder, rounds=count)
        files = {"inception-resnet-v1": Path(folder) / "inception.onnx", "mobilefacenet": Path(folder) / "mobilefacenet.onnx"}
        inception_onnx.write(graph, files["inception-resnet-v1"])
        files["mobilefacenet"].symlink_to(Path(mobilefacenet).resolve())
        weights = {"inception-resnet-v1": graph, "mobilefacenet": mobilefacenet}
        for net, model in files.items():
            if only in f"{net} int8":
                quantised.write(model, Path(folder) / f"{net}_int8.onnx", NETS[net][0])
        for name, work in comparisons(binary, weights, files, settings):
            if only in name:
                yield from table.tried(name, work)
    if not only:
        if not has_halves():
            yield table.unmeasured("fp16 by fp32", "this CPU has no AVX512-FP16, or hides it (WAJAH_FP16=1)")
        yield table.unmeasured("int8, LFW development pairs within 0.3 points of fp32",
                               "takes minutes; docs/benchmarks.md has the figures of `wajah evaluate pairs`")


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
        print(table.line(one), flush=True)
    print(table.text(found))


if __name__ == "__main__":
    main()
