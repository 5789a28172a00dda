"""Inception-ResNet-v1 of a TensorFlow frozen graph as an ONNX file, so that other runtimes compute the same thing.

    python inception_onnx.py GRAPH.pb OUT.onnx

Input `x` (batch, 3, 160, 160), prewhitened RGB; output `embedding` (batch, 512), not yet of unit length. Batch norm is
folded into the convolutions as wajah does when it converts, so nobody computes it.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "weights" / "train"))
from frozen_graph import read_constants  # noqa: E402

ROOT = "InceptionResnetV1"
EPSILON = 1e-3


class Graph:
    """Collects nodes; every function takes and gives the names of maps."""

    def __init__(self, constants):
        self.constants, self.nodes, self.weights = constants, [], []

    def constant(self, scope, name):
        return self.constants[f"{ROOT}/{scope}/{name}"]

    def add(self, kind, inputs, **attributes):
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def weight(self, values):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
        return name

    def folded(self, scope):
        """(scale, bias) of the batch norm of a scope; it has no gamma."""
        scale = 1 / np.sqrt(self.constant(scope, "BatchNorm/moving_variance") + EPSILON)
        return scale, self.constant(scope, "BatchNorm/beta") - self.constant(scope, "BatchNorm/moving_mean") * scale

    def convolve(self, x, kernel, bias, stride, same):
        height, width = kernel.shape[:2]
        pad = [height // 2, width // 2] * 2 if same else [0] * 4
        return self.add("Conv", [x, self.weight(kernel.transpose(3, 2, 0, 1)), self.weight(bias)],
                        kernel_shape=[height, width], strides=[stride, stride], pads=pad)

    def conv(self, x, scope, stride=1, same=True):
        scale, bias = self.folded(scope)
        return self.add("Relu", [self.convolve(x, self.constant(scope, "weights") * scale, bias, stride, same)])

    def chain(self, x, scope, *names):
        for name in names:
            x = self.conv(x, f"{scope}/{name}")
        return x

    def pool(self, x):
        return self.add("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2])

    def join(self, *maps):
        return self.add("Concat", list(maps), axis=1)

    def block(self, x, scope, factor, branches, relu=True):
        """x + factor * up(branches): the factor is folded into the convolution, as any optimiser would."""
        joined = self.join(*(self.chain(x, f"{scope}/Branch_{i}", *names) for i, names in enumerate(branches)))
        kernel, bias = self.constant(f"{scope}/Conv2d_1x1", "weights"), self.constant(f"{scope}/Conv2d_1x1", "biases")
        x = self.add("Add", [x, self.convolve(joined, kernel * factor, bias * factor, 1, True)])
        return self.add("Relu", [x]) if relu else x


def stem(g, x):
    x = g.conv(x, "Conv2d_1a_3x3", 2, same=False)
    x = g.conv(x, "Conv2d_2a_3x3", same=False)
    x = g.pool(g.conv(x, "Conv2d_2b_3x3"))
    x = g.conv(x, "Conv2d_3b_1x1")
    x = g.conv(x, "Conv2d_4a_3x3", same=False)
    return g.conv(x, "Conv2d_4b_3x3", 2, same=False)


def mixed_6a(g, x):
    tower = g.chain(x, "Mixed_6a/Branch_1", "Conv2d_0a_1x1", "Conv2d_0b_3x3")
    return g.join(g.conv(x, "Mixed_6a/Branch_0/Conv2d_1a_3x3", 2, same=False),
                  g.conv(tower, "Mixed_6a/Branch_1/Conv2d_1a_3x3", 2, same=False), g.pool(x))


def mixed_7a(g, x):
    towers = [g.chain(x, "Mixed_7a/Branch_0", "Conv2d_0a_1x1"), g.chain(x, "Mixed_7a/Branch_1", "Conv2d_0a_1x1"),
              g.chain(x, "Mixed_7a/Branch_2", "Conv2d_0a_1x1", "Conv2d_0b_3x3")]
    return g.join(*(g.conv(tower, f"Mixed_7a/Branch_{i}/Conv2d_1a_3x3", 2, same=False)
                    for i, tower in enumerate(towers)), g.pool(x))


def blocks(g, x, scope, count, factor, branches):
    for i in range(1, count + 1):
        x = g.block(x, f"{scope}_{i}", factor, branches)
    return x


def network(g, x):
    x = stem(g, x)
    x = blocks(g, x, "Repeat/block35", 5, 0.17, [["Conv2d_1x1"], ["Conv2d_0a_1x1", "Conv2d_0b_3x3"],
                                                 ["Conv2d_0a_1x1", "Conv2d_0b_3x3", "Conv2d_0c_3x3"]])
    x = mixed_6a(g, x)
    x = blocks(g, x, "Repeat_1/block17", 10, 0.10,
               [["Conv2d_1x1"], ["Conv2d_0a_1x1", "Conv2d_0b_1x7", "Conv2d_0c_7x1"]])
    x = mixed_7a(g, x)
    eight = [["Conv2d_1x1"], ["Conv2d_0a_1x1", "Conv2d_0b_1x3", "Conv2d_0c_3x1"]]
    x = blocks(g, x, "Repeat_2/block8", 5, 0.20, eight)
    x = g.block(x, "Block8", 1.0, eight, relu=False)
    x = g.add("Flatten", [g.add("GlobalAveragePool", [x])])
    scale, bias = g.folded("Bottleneck")
    return g.add("Gemm", [x, g.weight(g.constant("Bottleneck", "weights") * scale), g.weight(bias)])


def write(graph_file, out):
    g = Graph(read_constants(graph_file))
    last = network(g, "x")
    g.nodes[-1].output[0] = "embedding"
    assert last.startswith("Gemm")
    maps = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 160, 160]),
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", 512])]
    graph = helper.make_graph(g.nodes, "inception_resnet_v1", maps[:1], maps[1:], g.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, out)


if __name__ == "__main__":
    write(*sys.argv[1:3])
