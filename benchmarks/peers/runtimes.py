"""The other runtimes, each as a function that runs one batch: same model file, same number of threads, nothing else.

    python runtimes.py onnxruntime|openvino MODEL.onnx SHAPE THREADS SECONDS      one burst; prints its median
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from interleaved import repeated


def onnxruntime_runner(model, shape, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: random_input(shape)}
    return lambda: session.run(None, feed)[0]


def openvino_runner(model, shape, threads):
    import openvino

    core = openvino.Core()
    network = core.read_model(str(model))
    network.reshape(list(shape))
    # Where the CPU has AMX, OpenVINO would compute fp32 models in bf16 unless told otherwise.
    compiled = core.compile_model(network, "CPU", {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1,
                                                   "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"})
    request, x = compiled.create_infer_request(), random_input(shape)

    def run():
        return next(iter(request.infer([x], share_inputs=True, share_outputs=True).values()))

    return run


def ncnn_files(model, folder):
    """Converts by pnnx, weights in fp32; gives (param, bin)."""
    stem = Path(folder) / (Path(model).stem + "_ncnn")
    param, weights = stem.with_suffix(".param"), stem.with_suffix(".bin")
    if not param.exists():
        import pnnx

        program = pnnx.EXEC_PATH
        subprocess.run([program, str(model), f"inputshape=[1,3,{SIDES[Path(model).stem]}]", "fp16=0", f"ncnnparam={param}",
                        f"ncnnbin={weights}", *(f"{key}={stem}.{key}" for key in ("pnnxparam", "pnnxbin", "pnnxpy", "ncnnpy"))],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return param, weights


SIDES = {"inception": "160,160", "mobilefacenet": "112,112"}


def ncnn_runner(model, shape, threads, folder):
    import ncnn

    net = ncnn.Net()
    net.opt.num_threads = threads
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_storage = False
    param, weights = ncnn_files(model, folder)
    if net.load_param(str(param)) or net.load_model(str(weights)):
        raise RuntimeError(f"ncnn does not load {param}")
    images = random_input(shape)
    name_in, name_out = net.input_names()[0], net.output_names()[0]

    def run():  # ncnn knows no batches
        for image in images:
            extractor = net.create_extractor()
            extractor.input(name_in, ncnn.Mat(image))
            _, out = extractor.extract(name_out)
        return np.array(out)

    return run


def random_input(shape):
    return np.random.default_rng(3).standard_normal(shape, dtype=np.float32)


def in_another_process(runtime, model, shape, threads, environment):
    """A contender whose every burst is a process of its own, for what only an environment variable can tell a runtime."""

    def burst(seconds):
        command = [sys.executable, "-B", __file__, runtime, str(model), ",".join(map(str, shape)), str(threads), str(seconds)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **environment})
        return float(done.stdout.splitlines()[-1])

    return burst


def main():
    runtime, model, shape, threads, seconds = sys.argv[1:6]
    runner = {"onnxruntime": onnxruntime_runner, "openvino": openvino_runner}[runtime]
    print(repeated(runner(model, tuple(map(int, shape.split(","))), int(threads)))(float(seconds)))


if __name__ == "__main__":
    main()
