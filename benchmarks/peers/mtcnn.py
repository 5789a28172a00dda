"""Finding faces: wajah against the original's TensorFlow pipeline, facenet-pytorch, and the same cascade with its three
networks on onnxruntime, OpenVINO and ncnn; the genuine weights everywhere (facenet-pytorch brings its own copy of them).

    python mtcnn.py WAJAH DATA [--rounds N] [--seconds S]      DATA: the shared data folder, with mtcnn/ and photos/
"""

import argparse
import tempfile
from pathlib import Path

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import mtcnn_ncnn
import original
import table
from interleaved import available, program, repeated, rounds

THREADS, MIN_SIZE, A_COMPARISON_AT_MOST = 2, 20, 50
ORIGINAL, FACENET = "the original (TensorFlow)", "facenet-pytorch"
# photo: at most this ratio to the original, to facenet-pytorch, to the fastest runtime
PHOTOS = {"group_1920x1080.jpg": (1 / 20, 1 / 20, 1 / 3), "phone_720x1080.jpg": (None, None, None)}


class Graph:
    """An ONNX graph that is written layer by layer. Pictures come transposed in NHWC, as the weights want them."""

    def __init__(self, weights):
        self.weights, self.nodes, self.tensors = weights, [], []

    def constant(self, values):
        name = f"t{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, operation, *inputs, **attributes):
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, list(inputs), [name], **attributes))
        return name

    def activated(self, x, prelu, axes):
        if prelu is None:
            return x
        alpha = np.asarray(self.weights[prelu]["alpha"], np.float32)
        return self.node("PRelu", x, self.constant(alpha.reshape(-1, *[1] * axes)))

    def conv(self, x, name, prelu=None):
        w = self.weights[name]
        kernel = np.asarray(w["weights"], np.float32).transpose(3, 2, 0, 1)
        x = self.node("Conv", x, self.constant(kernel), self.constant(np.asarray(w["biases"], np.float32)))
        return self.activated(x, prelu, 2)

    def dense(self, x, name, prelu=None):
        w = self.weights[name]
        x = self.node("Gemm", x, self.constant(np.asarray(w["weights"], np.float32)),
                      self.constant(np.asarray(w["biases"], np.float32)))
        return self.activated(x, prelu, 0)

    def pool(self, x, size, up):
        return self.node("MaxPool", x, kernel_shape=[size, size], strides=[2, 2], ceil_mode=up)

    def flat(self, x):
        return self.node("Flatten", self.node("Transpose", x, perm=[0, 2, 3, 1]))

    def write(self, file, outputs):
        for i, (name, _) in enumerate(outputs):
            self.nodes.append(helper.make_node("Identity", [name], [f"out{i}"]))
        shape = ["n", "h", "w", 3]
        graph = helper.make_graph(
            self.nodes, "mtcnn", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(f"out{i}", TensorProto.FLOAT, size) for i, (_, size) in enumerate(outputs)],
            self.tensors)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), str(file))


def write_networks(folder, weights_folder):
    files = [Path(folder) / f"{name}.onnx" for name in ("pnet", "rnet", "onet")]
    p, r, o = (Graph(original.load(f"{weights_folder}/det{i}.npy")) for i in (1, 2, 3))
    x = p.pool(p.conv(p.node("Transpose", "x", perm=[0, 3, 1, 2]), "conv1", "PReLU1"), 2, 1)
    x = p.conv(p.conv(x, "conv2", "PReLU2"), "conv3", "PReLU3")
    back = [p.node("Transpose", y, perm=[0, 2, 3, 1])
            for y in (p.conv(x, "conv4-2"), p.node("Softmax", p.conv(x, "conv4-1"), axis=1))]
    p.write(files[0], list(zip(back, (["n", "a", "b", 4], ["n", "a", "b", 2]))))
    x = r.pool(r.conv(r.node("Transpose", "x", perm=[0, 3, 1, 2]), "conv1", "prelu1"), 3, 1)
    x = r.conv(r.pool(r.conv(x, "conv2", "prelu2"), 3, 0), "conv3", "prelu3")
    x = r.dense(r.flat(x), "conv4", "prelu4")
    r.write(files[1], [(r.dense(x, "conv5-2"), ["n", 4]), (r.node("Softmax", r.dense(x, "conv5-1"), axis=1), ["n", 2])])
    x = o.pool(o.conv(o.node("Transpose", "x", perm=[0, 3, 1, 2]), "conv1", "prelu1"), 3, 1)
    x = o.pool(o.conv(x, "conv2", "prelu2"), 3, 0)
    x = o.conv(o.pool(o.conv(x, "conv3", "prelu3"), 2, 1), "conv4", "prelu4")
    x = o.dense(o.flat(x), "conv5", "prelu5")
    o.write(files[2], [(o.dense(x, "conv6-2"), ["n", 4]), (o.dense(x, "conv6-3"), ["n", 10]),
                       (o.node("Softmax", o.dense(x, "conv6-1"), axis=1), ["n", 2])])
    return files


class Answer:
    def __init__(self, values):
        self.values = values

    def numpy(self):
        return self.values


class OnnxRuntime:
    def __init__(self, file):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
        self.session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])

    def run(self, x):
        return [Answer(y) for y in self.session.run(None, {"x": np.ascontiguousarray(x)})]


class OpenVino:
    def __init__(self, file):
        import openvino

        core = openvino.Core()
        self.core, self.model, self.by_shape = core, core.read_model(str(file)), {}
        self.settings = {"INFERENCE_NUM_THREADS": THREADS, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32",
                         "PERFORMANCE_HINT": "LATENCY"}

    def run(self, x):
        # A network for each shape of P-Net's input, which is faster than one for all.
        key = x.shape if len(x) == 1 and x.shape[1] != x.shape[2] else None
        if key not in self.by_shape:
            model = self.model.clone()
            if key is not None:
                model.reshape(list(key))
            self.by_shape[key] = self.core.compile_model(model, "CPU", self.settings).create_infer_request()
        answers = self.by_shape[key].infer([np.ascontiguousarray(x)], share_inputs=True)
        return [Answer(answers[i]) for i in range(len(answers))]


class Ncnn:
    def __init__(self, name, *places):
        self.network = mtcnn_ncnn.Ncnn(name, *places, THREADS)

    def run(self, x):
        return [Answer(y) for y in self.network.run(x)]


class Cascade(original.Detector):
    """The original's cascade around other functions."""

    def __init__(self, p, r, o):  # pylint: disable=super-init-not-called
        self.p, self.r, self.o = p, r, o


def facenet_pytorch():
    """A function (image, min size) -> boxes; torchvision, which is not for this torch, is two functions of ours."""
    import sys
    import types

    import torch

    def batched_nms(boxes, scores, groups, threshold):
        if not len(boxes):  # a level of the pyramid where nothing looks like a face
            return torch.zeros(0, dtype=torch.int64)
        moved = (boxes + groups.to(boxes)[:, None] * (boxes.max() + 1)).numpy()
        x1, y1, x2, y2 = moved.T
        area, order, keep = (x2 - x1) * (y2 - y1), scores.numpy().argsort()[::-1], []
        while order.size:
            best, order = order[0], order[1:]
            keep.append(best)
            width = np.maximum(0, np.minimum(x2[best], x2[order]) - np.maximum(x1[best], x1[order]))
            height = np.maximum(0, np.minimum(y2[best], y2[order]) - np.maximum(y1[best], y1[order]))
            order = order[width * height / (area[best] + area[order] - width * height) <= threshold]
        return torch.tensor(np.array(keep, np.int64))

    def to_tensor(image):
        return torch.from_numpy(np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))).float() / 255

    names = {"torchvision": {}, "torchvision.transforms": {}, "torchvision.transforms.functional": {"to_tensor": to_tensor},
             "torchvision.ops": {}, "torchvision.ops.boxes": {"batched_nms": batched_nms}}
    for name, functions in names.items():
        module = sys.modules.setdefault(name, types.ModuleType(name))
        for key, value in functions.items():
            setattr(module, key, value)
        if "." in name:
            setattr(sys.modules[name.rpartition(".")[0]], name.rpartition(".")[2], module)
    from facenet_pytorch import MTCNN

    torch.set_num_threads(THREADS)
    detectors = {}

    def detect(image, min_size):
        if min_size not in detectors:
            detectors[min_size] = MTCNN(min_face_size=min_size, thresholds=[0.6, 0.7, 0.7], keep_all=True, device="cpu")
        with torch.no_grad():
            return detectors[min_size].detect(image)[0]

    return detect


def cascades(data, folder, skipped):
    """{name: function (image, min size) -> boxes} of everything that runs here."""
    files = write_networks(folder, data / "mtcnn")
    factories = {ORIGINAL: lambda: original.Detector(data / "mtcnn"), "onnxruntime": lambda: Cascade(*map(OnnxRuntime, files)),
                 "OpenVINO": lambda: Cascade(*map(OpenVino, files)),
                 "ncnn": lambda: Cascade(*(Ncnn(file.stem, data / "mtcnn", folder) for file in files))}
    found = {name: (lambda image, size, c=cascade: c.detect(image, size)[0])
             for name, cascade in available(factories, skipped).items()}
    found.update(available({FACENET: facenet_pytorch}, skipped))
    return found


def compare(binary, data, photo, finders, count, seconds):
    """Each peer against its own figure to reach: the original, facenet-pytorch, and the fastest cascade on a runtime."""
    image, skipped = cv2.cvtColor(cv2.imread(str(data / "photos" / photo)), cv2.COLOR_BGR2RGB), {}
    faces = available({name: lambda f=find: len(f(image, MIN_SIZE)) for name, find in finders.items()}, skipped)
    print(f"{photo}: faces {faces}", flush=True)
    contenders = {"wajah": program(binary, "detect", data / "photos" / photo, "--min-size", MIN_SIZE, "--threads", THREADS,
                                   "--mtcnn", data / "mtcnn", key="median_ms")}
    contenders.update({name: repeated(lambda f=finders[name]: f(image, MIN_SIZE)) for name in faces})
    figures = rounds(contenders, count, seconds, A_COMPARISON_AT_MOST)
    work = f"MTCNN, {photo}, min size {MIN_SIZE}, {THREADS} threads"
    runtimes = [name for name in figures if name not in ("wajah", ORIGINAL, FACENET)]
    for names, limit, kind in (([ORIGINAL], 0, "the original"), ([FACENET], 1, FACENET), (runtimes, 2, "same cascade elsewhere")):
        peers = {name: figures[name] for name in names if name in figures}
        if peers:
            yield table.row(f"{work}, {kind}", figures["wajah"], peers, PHOTOS[photo][limit])
    for name, why in skipped.items():
        yield table.unmeasured(f"{work}, {name}", why)


def rows(binary, data, count=5, seconds=0.5):
    """All rows, as they are ready; their figures are milliseconds a picture without decoding."""
    data, skipped = Path(data), {}
    original.tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    with tempfile.TemporaryDirectory() as folder:
        finders = cascades(data, folder, skipped)
        for photo in PHOTOS:
            yield from table.tried(f"MTCNN, {photo}", lambda p=photo: compare(binary, data, p, finders, count, seconds))
    for name, why in skipped.items():
        yield table.unmeasured(f"MTCNN, {name}", why)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5)
    given = parser.parse_args()
    print(table.text(list(rows(given.binary.resolve(), given.data, given.rounds, given.seconds))))


if __name__ == "__main__":
    main()
