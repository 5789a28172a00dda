"""Between PyTorch networks and the tensors wajah reads.

Kernels are stored [height, width, in, out] and matrices [in, out] for upright NHWC pictures. The embedder's batch norms are
folded into weights and biases; its weights are int8 with one scale an output channel, the detector's fp16.
"""

import numpy as np
import torch
from torch import nn

from irv1 import ConvBnRelu, scope_of
from mtcnn import ONet, PNet, RNet

DETECTORS = {"pnet": PNet, "rnet": RNet, "onet": ONet}


def _stored(weight):
    return weight.permute(2, 3, 1, 0) if weight.ndim == 4 else weight.T


def _loaded(array):
    tensor = torch.from_numpy(np.array(array, np.float32))
    return tensor.permute(3, 2, 0, 1) if tensor.ndim == 4 else tensor.T


def _folds(model):
    """(scope, linear layer, its batch norm or None) of every layer with weights."""
    for name, module in model.named_modules():
        if isinstance(module, ConvBnRelu):
            yield scope_of(name), module.conv, module.norm
        elif isinstance(module, nn.Conv2d) and module.bias is not None:
            yield scope_of(name), module, None
        elif isinstance(module, nn.Linear):
            yield scope_of(name), module, model.BottleneckNorm


def fold(model):
    """{name: float32 array} of an InceptionResnetV1 with its batch norms folded in."""
    tensors = {}
    for scope, layer, norm in _folds(model):
        weight = layer.weight.detach().double()
        if norm is None:
            bias = layer.bias.detach().double()
        else:
            gain = (norm.running_var.double() + norm.eps).rsqrt()
            weight = weight * gain.view(-1, *[1] * (weight.ndim - 1))
            bias = norm.bias.detach().double() - norm.running_mean.double() * gain
        tensors[f"{scope}/weights"] = _stored(weight).float().numpy()
        tensors[f"{scope}/biases"] = bias.float().numpy()
    return tensors


@torch.no_grad()
def unfold(model, tensors):
    """Puts folded tensors into `model`, whose batch norms then only add the biases."""
    for scope, layer, norm in _folds(model):
        layer.weight.copy_(_loaded(tensors[f"{scope}/weights"]))
        bias = torch.from_numpy(np.array(tensors[f"{scope}/biases"]))
        if norm is None:
            layer.bias.copy_(bias)
        else:
            norm.bias.copy_(bias)
            norm.running_mean.zero_()
            norm.running_var.fill_(1 - norm.eps)
    return model.eval()


def _quantised(weight):
    """int8 and per-channel scale with the least squared error over a few clipping points."""
    flat = weight.reshape(-1, weight.shape[-1]).astype(np.float64)
    widest = np.maximum(np.abs(flat).max(0), 1e-12) / 127
    best_error, best = np.full(flat.shape[1], np.inf), widest.copy()
    for part in np.linspace(0.7, 1.0, 13):
        scale = (widest * part).astype(np.float32).astype(np.float64)
        error = (((flat / scale).round().clip(-127, 127) * scale - flat) ** 2).sum(0)
        better = error < best_error
        best_error[better], best[better] = error[better], scale[better]
    return (flat / best).round().clip(-127, 127).astype(np.int8).reshape(weight.shape), best.astype(np.float32)


def quantise(tensors):
    """Folded float tensors as int8 'NAME' with 'NAME.scale'; biases stay float32."""
    stored = {}
    for name, array in tensors.items():
        if name.endswith("/weights"):
            stored[name], stored[f"{name}.scale"] = _quantised(array)
        else:
            stored[name] = array
    return stored


def dequantise(stored):
    """The float32 tensors a file of quantise() stands for."""
    return {name: array.astype(np.float32) * stored[f"{name}.scale"] if f"{name}.scale" in stored else array
            for name, array in stored.items() if not name.endswith(".scale")}


def detector_tensors(nets):
    """{name: float16 array} of (P-Net, R-Net, O-Net), under the published layer names."""
    tensors = {}
    for prefix, net in zip(DETECTORS, nets):
        for name, layer in net.named_children():
            scope = f"{prefix}/{name.replace('_', '-')}"
            if isinstance(layer, nn.PReLU):
                tensors[f"{scope}/alpha"] = layer.weight.detach().half().numpy()
            elif isinstance(layer, (nn.Conv2d, nn.Linear)):
                tensors[f"{scope}/weights"] = _stored(layer.weight.detach()).half().numpy()
                tensors[f"{scope}/biases"] = layer.bias.detach().half().numpy()
    return tensors


@torch.no_grad()
def load_detector(tensors):
    """(P-Net, R-Net, O-Net) from the tensors of a file."""
    nets = tuple(make() for make in DETECTORS.values())
    for prefix, net in zip(DETECTORS, nets):
        for name, layer in net.named_children():
            scope = f"{prefix}/{name.replace('_', '-')}"
            if isinstance(layer, nn.PReLU):
                layer.weight.copy_(torch.from_numpy(tensors[f"{scope}/alpha"].astype(np.float32)))
            elif isinstance(layer, (nn.Conv2d, nn.Linear)):
                layer.weight.copy_(_loaded(tensors[f"{scope}/weights"]))
                layer.bias.copy_(torch.from_numpy(tensors[f"{scope}/biases"].astype(np.float32)))
        net.eval()
    return nets
