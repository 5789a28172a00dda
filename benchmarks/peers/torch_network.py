"""An ONNX graph as a PyTorch module, and the ways its users would run it: eagerly under a CUDA graph, and compiled.

The operations are those that the two embedders have; batch norm is folded into the convolutions already. Precisions as
PyTorch means them: fp32 without TF32, tf32, fp16 (all weights and maps in halves).
"""

import numpy as np
import onnx
import torch
from onnx import numpy_helper

PRECISIONS = ("fp32", "tf32", "fp16")


class Network(torch.fx.GraphModule):
    """Node by node, so that torch.compile sees plain operations."""

    def __init__(self, file):
        model = onnx.load(str(file))
        self.values = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
        self.parts, self.graph_now, self.maps = {}, torch.fx.Graph(), {}
        name = next(i.name for i in model.graph.input if i.name not in self.values)
        self.maps[name] = self.graph_now.placeholder("x")
        for node in model.graph.node:
            given = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            if node.op_type == "Constant":
                self.values[node.output[0]] = numpy_helper.to_array(given["value"])
            else:
                self.maps[node.output[0]] = getattr(self, node.op_type.lower())(node, given)
        self.graph_now.output(self.maps[model.graph.output[0].name])
        super().__init__(self.parts, self.graph_now)

    def tensor(self, name):
        return torch.from_numpy(np.array(self.values[name]))

    def module(self, part, node):
        name = f"part{len(self.parts)}"
        self.parts[name] = part
        return self.graph_now.call_module(name, (self.maps[node.input[0]],))

    def call(self, function, *given, **named):
        return self.graph_now.call_function(function, given, named)

    def conv(self, node, given):
        weight, bias = self.tensor(node.input[1]), self.tensor(node.input[2])
        top, left, bottom, right = given["pads"]
        assert (top, left) == (bottom, right)
        part = torch.nn.Conv2d(weight.shape[1] * given.get("group", 1), weight.shape[0], tuple(weight.shape[2:]),
                               tuple(given["strides"]), (top, left), groups=given.get("group", 1))
        part.weight.data, part.bias.data = weight, bias
        return self.module(part, node)

    def gemm(self, node, _):
        weight, bias = self.tensor(node.input[1]), self.tensor(node.input[2])
        part = torch.nn.Linear(*weight.shape)
        part.weight.data, part.bias.data = weight.T.contiguous(), bias
        return self.module(part, node)

    def relu(self, node, _):
        return self.call(torch.relu, self.maps[node.input[0]])

    def clip(self, node, _):
        least, most = (float(self.values[name]) for name in node.input[1:3])
        return self.call(torch.clamp, self.maps[node.input[0]], least, most)

    def add(self, node, _):
        return self.call(torch.add, *(self.maps[name] for name in node.input))

    def concat(self, node, given):
        return self.call(torch.cat, [self.maps[name] for name in node.input], given["axis"])

    def maxpool(self, node, given):
        assert not any(given.get("pads", [0]))
        return self.module(torch.nn.MaxPool2d(tuple(given["kernel_shape"]), tuple(given["strides"])), node)

    def globalaveragepool(self, node, _):
        return self.module(torch.nn.AdaptiveAvgPool2d(1), node)

    def flatten(self, node, _):
        return self.call(torch.flatten, self.maps[node.input[0]], 1)

    def reshape(self, node, _):  # (batch, channels, 1, 1) to rows, which is all that it is used for
        assert list(self.values[node.input[1]])[1:] == [-1]
        return self.call(torch.flatten, self.maps[node.input[0]], 1)


def choose(precision):
    """TF32 is PyTorch's setting for all that follows, not a network's."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.benchmark = True


def load(file, device, precision):
    """Ready to be run, with channels innermost."""
    choose(precision)
    word = torch.float16 if precision == "fp16" else torch.float32
    return Network(file).eval().to(device=device, dtype=word, memory_format=torch.channels_last)


def images(values, device, precision):
    """(n, 3, h, w) floats on the device, as the network wants them."""
    word = torch.float16 if precision == "fp16" else torch.float32
    return torch.from_numpy(values).to(device=device, dtype=word).contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def embeddings(network, x):
    """Rows of length 1."""
    rows = network(x).float()
    return (rows / rows.norm(dim=1, keepdim=True)).cpu().numpy()


def finished(device):
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)


def eager(network, x):
    """A function that runs it once and waits; on a card all kernels are one graph."""
    if x.device.type != "cuda":
        return lambda: run(network, x)
    stream = torch.cuda.Stream(x.device)
    with torch.inference_mode(), torch.cuda.stream(stream):
        for _ in range(3):  # cuDNN chooses among its algorithms, which a capture must not
            network(x)
    finished(x.device)
    graph = torch.cuda.CUDAGraph()
    with torch.inference_mode(), torch.cuda.graph(graph):
        network(x)

    def replay():
        graph.replay()
        finished(x.device)

    return replay


def compiled(network, x, mode="max-autotune"):
    """The same by torch.compile, which makes its own graphs in this mode."""
    torch._dynamo.reset()
    made = torch.compile(network, mode=mode, fullgraph=True)
    for _ in range(3):
        run(made, x)
    return lambda: run(made, x)


@torch.inference_mode()
def run(network, x):
    y = network(x)
    finished(x.device)
    return y
