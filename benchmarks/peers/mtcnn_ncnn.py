"""MTCNN's three networks for ncnn, whose files (text for the layers, raw floats for the weights) are written here.

ncnn knows no batches, so R-Net and O-Net see one crop after the other.
"""

from pathlib import Path

import numpy as np

import original

# layer: conv NAME PRELU | pool SIZE UP | dense NAME PRELU. Then the heads: (layer of the answer, whether it is a softmax).
TRUNKS = {
    "pnet": (1, ["conv conv1 PReLU1", "pool 2 up", "conv conv2 PReLU2", "conv conv3 PReLU3"],
             [("conv conv4-2", False), ("conv conv4-1", True)]),
    "rnet": (2, ["conv conv1 prelu1", "pool 3 up", "conv conv2 prelu2", "pool 3 down", "conv conv3 prelu3",
                 "dense conv4 prelu4"], [("dense conv5-2", False), ("dense conv5-1", True)]),
    "onet": (3, ["conv conv1 prelu1", "pool 3 up", "conv conv2 prelu2", "pool 3 down", "conv conv3 prelu3", "pool 2 up",
                 "conv conv4 prelu4", "dense conv5 prelu5"],
             [("dense conv6-2", False), ("dense conv6-3", False), ("dense conv6-1", True)])}


class Writer:
    """Collects ncnn's layers and weights; every function takes and gives the name of a map."""

    def __init__(self, weights):
        self.weights, self.lines, self.raw, self.channels = weights, ["Input x 0 1 x"], [], 3

    def add(self, kind, inputs, outputs, settings=""):
        self.lines.append(f"{kind} {outputs[0]}_{kind} {len(inputs)} {len(outputs)} {' '.join(inputs)} {' '.join(outputs)} {settings}")
        return outputs[0]

    def floats(self, values, tagged=False):
        if tagged:  # ncnn: what follows is float32
            self.raw.append(bytes(4))
        self.raw.append(np.ascontiguousarray(values, np.float32).tobytes())

    def multiplied(self, x, name, dense):
        """A convolution or an inner product with its biases."""
        kernel, biases = (np.asarray(self.weights[name][key]) for key in ("weights", "biases"))
        if dense:  # rows are (height, width, channel), ncnn's maps channel by channel
            side = round((len(kernel) / self.channels) ** 0.5)
            kernel = kernel.reshape(side, side, self.channels, -1) if side * side * self.channels == len(kernel) else kernel[None, None]
        out = kernel.shape[3]
        settings = (f"0={out} 1=1 2={kernel.size}" if dense else f"0={out} 1={kernel.shape[1]} 11={kernel.shape[0]} 5=1 6={kernel.size}")
        self.floats(kernel.transpose(3, 2, 0, 1), tagged=True)
        self.floats(biases)
        return self.add("InnerProduct" if dense else "Convolution", [x], [name], settings), out

    def layer(self, x, words):
        if words[0] == "pool":
            return self.add("Pooling", [x], [f"{x}_pooled"], f"0=0 1={words[1]} 2=2 5={0 if words[2] == 'up' else 1}")
        x, out = self.multiplied(x, words[1], words[0] == "dense")
        if len(words) > 2:
            self.channels = out
            self.floats(self.weights[words[2]]["alpha"])
            x = self.add("PReLU", [x], [words[2]], f"0={out}")
        return x

    def write(self, stem):
        maps = {name for line in self.lines for name in line.split()[4 + int(line.split()[2]):] if "=" not in name}
        Path(f"{stem}.param").write_text(f"7767517\n{len(self.lines)} {len(maps)}\n" + "\n".join(self.lines) + "\n")
        Path(f"{stem}.bin").write_bytes(b"".join(self.raw))


def write_network(name, weights_folder, stem):
    """Writes stem.param and stem.bin; gives the names of the answers in the original's order."""
    number, trunk, heads = TRUNKS[name]
    writer, x, answers = Writer(original.load(f"{weights_folder}/det{number}.npy")), "x", []
    for layer in trunk:
        x = writer.layer(x, layer.split())
    branches = [f"branch{i}" for i in range(len(heads))]
    writer.add("Split", [x], branches)
    for branch, (layer, softmax) in zip(branches, heads):
        y = writer.layer(branch, layer.split())
        answers.append(writer.add("Softmax", [y], [f"{y}_shares"], "0=0 1=1") if softmax else y)
    writer.write(stem)
    return answers


class Ncnn:
    """One network as a function of (n, h, w, 3), answers as the others give them: channels last."""

    def __init__(self, name, weights_folder, folder, threads):
        import ncnn

        stem = Path(folder) / name
        self.answers, self.ncnn, self.net = write_network(name, weights_folder, stem), ncnn, ncnn.Net()
        self.net.opt.num_threads = threads
        self.net.opt.use_fp16_packed = self.net.opt.use_fp16_storage = self.net.opt.use_fp16_arithmetic = False
        self.net.opt.use_bf16_storage = False
        if self.net.load_param(f"{stem}.param") or self.net.load_model(f"{stem}.bin"):
            raise RuntimeError(f"ncnn does not load {stem}.param")

    def one(self, picture):
        extractor, x = self.net.create_extractor(), np.ascontiguousarray(picture.transpose(2, 0, 1))
        extractor.input("x", self.ncnn.Mat(x))  # which only points at x
        found = [np.array(extractor.extract(name)[1]) for name in self.answers]
        return [y.transpose(1, 2, 0) if y.ndim == 3 else y for y in found]

    def run(self, x):
        pictures = [self.one(picture) for picture in x]
        return [np.stack(answer) for answer in zip(*pictures)]
