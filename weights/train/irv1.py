"""Inception-ResNet-v1 (160x160 RGB -> 512-d) with the semantics of davidsandberg/facenet's inception_resnet_v1.py.

Batch norm has no gamma and epsilon 0.001. Modules are named by the TensorFlow scopes, so a parameter's name and a frozen
graph's node name differ only in '.' and '/'.
"""

import torch
from torch import nn
from torch.nn import functional

from frozen_graph import read_constants

ROOT = "InceptionResnetV1"


class ConvBnRelu(nn.Module):
    """Convolution without bias, batch norm without gamma, ReLU."""

    def __init__(self, inputs, outputs, kernel, stride=1, padding=0):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=0.001, momentum=0.01)
        self.norm.weight.requires_grad_(False)

    def forward(self, x):
        return functional.relu(self.norm(self.conv(x)), inplace=True)


class Branches(nn.Module):
    """Parallel chains over one input, joined along the channels."""

    def __init__(self, **branches):
        super().__init__()
        for name, chain in branches.items():
            self.add_module(name, nn.Sequential())
            for scope, layer in chain.items():
                getattr(self, name).add_module(scope, layer)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.children()], 1)


class Residual(nn.Module):
    """x + scale * (1x1 convolution of the branches), then ReLU if `relu`."""

    def __init__(self, channels, joined, scale, relu=True, **branches):
        super().__init__()
        self.branches = Branches(**branches)
        self.Conv2d_1x1 = nn.Conv2d(joined, channels, 1)
        self.scale, self.relu = scale, relu

    def forward(self, x):
        x = torch.add(x, self.Conv2d_1x1(self.branches(x)), alpha=self.scale)
        return functional.relu(x, inplace=True) if self.relu else x


def block35():
    return Residual(256, 96, 0.17,
                    Branch_0={"Conv2d_1x1": ConvBnRelu(256, 32, 1)},
                    Branch_1={"Conv2d_0a_1x1": ConvBnRelu(256, 32, 1), "Conv2d_0b_3x3": ConvBnRelu(32, 32, 3, padding=1)},
                    Branch_2={"Conv2d_0a_1x1": ConvBnRelu(256, 32, 1), "Conv2d_0b_3x3": ConvBnRelu(32, 32, 3, padding=1),
                              "Conv2d_0c_3x3": ConvBnRelu(32, 32, 3, padding=1)})


def block17():
    return Residual(896, 256, 0.10,
                    Branch_0={"Conv2d_1x1": ConvBnRelu(896, 128, 1)},
                    Branch_1={"Conv2d_0a_1x1": ConvBnRelu(896, 128, 1),
                              "Conv2d_0b_1x7": ConvBnRelu(128, 128, (1, 7), padding=(0, 3)),
                              "Conv2d_0c_7x1": ConvBnRelu(128, 128, (7, 1), padding=(3, 0))})


def block8(scale=0.20, relu=True):
    return Residual(1792, 384, scale, relu,
                    Branch_0={"Conv2d_1x1": ConvBnRelu(1792, 192, 1)},
                    Branch_1={"Conv2d_0a_1x1": ConvBnRelu(1792, 192, 1),
                              "Conv2d_0b_1x3": ConvBnRelu(192, 192, (1, 3), padding=(0, 1)),
                              "Conv2d_0c_3x1": ConvBnRelu(192, 192, (3, 1), padding=(1, 0))})


def mixed_6a():
    return Branches(Branch_0={"Conv2d_1a_3x3": ConvBnRelu(256, 384, 3, 2)},
                    Branch_1={"Conv2d_0a_1x1": ConvBnRelu(256, 192, 1), "Conv2d_0b_3x3": ConvBnRelu(192, 192, 3, padding=1),
                              "Conv2d_1a_3x3": ConvBnRelu(192, 256, 3, 2)},
                    Branch_2={"MaxPool_1a_3x3": nn.MaxPool2d(3, 2)})


def mixed_7a():
    return Branches(Branch_0={"Conv2d_0a_1x1": ConvBnRelu(896, 256, 1), "Conv2d_1a_3x3": ConvBnRelu(256, 384, 3, 2)},
                    Branch_1={"Conv2d_0a_1x1": ConvBnRelu(896, 256, 1), "Conv2d_1a_3x3": ConvBnRelu(256, 256, 3, 2)},
                    Branch_2={"Conv2d_0a_1x1": ConvBnRelu(896, 256, 1), "Conv2d_0b_3x3": ConvBnRelu(256, 256, 3, padding=1),
                              "Conv2d_1a_3x3": ConvBnRelu(256, 256, 3, 2)},
                    Branch_3={"MaxPool_1a_3x3": nn.MaxPool2d(3, 2)})


def repeat(name, make, count):
    blocks = nn.Sequential()
    for i in range(count):
        blocks.add_module(f"{name}_{i + 1}", make())
    return blocks


class InceptionResnetV1(nn.Module):
    """Prewhitened NCHW float crops (n,3,160,160) -> embeddings (n,512) of L2 norm 1."""

    def __init__(self):
        super().__init__()
        self.Conv2d_1a_3x3 = ConvBnRelu(3, 32, 3, 2)
        self.Conv2d_2a_3x3 = ConvBnRelu(32, 32, 3)
        self.Conv2d_2b_3x3 = ConvBnRelu(32, 64, 3, padding=1)
        self.MaxPool_3a_3x3 = nn.MaxPool2d(3, 2)
        self.Conv2d_3b_1x1 = ConvBnRelu(64, 80, 1)
        self.Conv2d_4a_3x3 = ConvBnRelu(80, 192, 3)
        self.Conv2d_4b_3x3 = ConvBnRelu(192, 256, 3, 2)
        self.Repeat = repeat("block35", block35, 5)
        self.Mixed_6a = mixed_6a()
        self.Repeat_1 = repeat("block17", block17, 10)
        self.Mixed_7a = mixed_7a()
        self.Repeat_2 = repeat("block8", block8, 5)
        self.Block8 = block8(scale=1.0, relu=False)
        self.Bottleneck = nn.Linear(1792, 512, bias=False)
        self.BottleneckNorm = nn.BatchNorm1d(512, eps=0.001, momentum=0.01)
        self.BottleneckNorm.weight.requires_grad_(False)

    def forward(self, x):
        for name, stage in self.named_children():
            if name == "Bottleneck":
                x = x.mean((2, 3))
            x = stage(x)
        return functional.normalize(x)


def scope_of(module_name):
    """TensorFlow scope of a module: InceptionResnetV1/Repeat/block35_1/Branch_0/Conv2d_1x1."""
    name = module_name.replace(".branches.", ".").replace("BottleneckNorm", "Bottleneck")
    return f"{ROOT}/" + name.removesuffix(".conv").removesuffix(".norm").replace(".", "/")


def load_frozen_graph(model, path):
    """Copies every weight of the frozen graph at `path` into `model`; throws KeyError where the graph lacks one."""
    constants = read_constants(path)
    with torch.no_grad():
        for name, module in model.named_modules():
            scope = scope_of(name)
            if isinstance(module, nn.Conv2d):
                module.weight.copy_(torch.from_numpy(constants[f"{scope}/weights"]).permute(3, 2, 0, 1))
                if module.bias is not None:
                    module.bias.copy_(torch.from_numpy(constants[f"{scope}/biases"]))
            elif isinstance(module, nn.Linear):
                module.weight.copy_(torch.from_numpy(constants[f"{scope}/weights"]).T)
            elif isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.weight.fill_(1)
                for target, source in ((module.bias, "beta"), (module.running_mean, "moving_mean"),
                                       (module.running_var, "moving_variance")):
                    target.copy_(torch.from_numpy(constants[f"{scope}/BatchNorm/{source}"]))
    return model


def prewhiten(crops):
    """uint8 or float (n,3,h,w) tensor of 0..255 -> (x - mean) / max(std, 1/sqrt(size)) per image."""
    flat = crops.float().flatten(1)
    std = flat.std(1, unbiased=False, keepdim=True).clamp_min(flat.shape[1] ** -0.5)
    return ((flat - flat.mean(1, keepdim=True)) / std).view(crops.shape)
