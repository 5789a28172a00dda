"""MTCNN (Zhang et al. 2016) in PyTorch: the three networks and the cascade of davidsandberg/facenet's detect_face.py.

The published weights were made for transposed images; `from_caffe` turns them for upright ones, so that here and in the
exported file every kernel is [height, width, in, out] of the upright image.
"""

import numpy as np
import torch
from torch import nn

from resize import resize_area


class PNet(nn.Module):
    """(n,3,h,w) -> face logits (n,2,h',w'), box regression (n,4,h',w')."""

    side = 12

    def __init__(self):
        super().__init__()
        self.conv1, self.PReLU1 = nn.Conv2d(3, 10, 3), nn.PReLU(10)
        self.conv2, self.PReLU2 = nn.Conv2d(10, 16, 3), nn.PReLU(16)
        self.conv3, self.PReLU3 = nn.Conv2d(16, 32, 3), nn.PReLU(32)
        self.conv4_1, self.conv4_2 = nn.Conv2d(32, 2, 1), nn.Conv2d(32, 4, 1)
        self.pool1 = nn.MaxPool2d(2, 2, ceil_mode=True)

    def forward(self, x):
        x = self.pool1(self.PReLU1(self.conv1(x)))
        x = self.PReLU3(self.conv3(self.PReLU2(self.conv2(x))))
        return self.conv4_1(x), self.conv4_2(x)


class RNet(nn.Module):
    """(n,3,24,24) -> face logits (n,2), box regression (n,4)."""

    side = 24

    def __init__(self):
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 28, 3), nn.PReLU(28)
        self.conv2, self.prelu2 = nn.Conv2d(28, 48, 3), nn.PReLU(48)
        self.conv3, self.prelu3 = nn.Conv2d(48, 64, 2), nn.PReLU(64)
        self.conv4, self.prelu4 = nn.Linear(576, 128), nn.PReLU(128)
        self.conv5_1, self.conv5_2 = nn.Linear(128, 2), nn.Linear(128, 4)
        self.pool1, self.pool2 = nn.MaxPool2d(3, 2, ceil_mode=True), nn.MaxPool2d(3, 2)

    def forward(self, x):
        x = self.pool1(self.prelu1(self.conv1(x)))
        x = self.pool2(self.prelu2(self.conv2(x)))
        x = self.prelu3(self.conv3(x)).permute(0, 2, 3, 1).flatten(1)
        x = self.prelu4(self.conv4(x))
        return self.conv5_1(x), self.conv5_2(x)


class ONet(nn.Module):
    """(n,3,48,48) -> face logits (n,2), box regression (n,4), landmarks (n,10) as x0..x4 y0..y4."""

    side = 48

    def __init__(self):
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 32, 3), nn.PReLU(32)
        self.conv2, self.prelu2 = nn.Conv2d(32, 64, 3), nn.PReLU(64)
        self.conv3, self.prelu3 = nn.Conv2d(64, 64, 3), nn.PReLU(64)
        self.conv4, self.prelu4 = nn.Conv2d(64, 128, 2), nn.PReLU(128)
        self.conv5, self.prelu5 = nn.Linear(1152, 256), nn.PReLU(256)
        self.conv6_1, self.conv6_2, self.conv6_3 = nn.Linear(256, 2), nn.Linear(256, 4), nn.Linear(256, 10)
        self.pool1, self.pool2 = nn.MaxPool2d(3, 2, ceil_mode=True), nn.MaxPool2d(3, 2)
        self.pool3 = nn.MaxPool2d(2, 2, ceil_mode=True)

    def forward(self, x):
        x = self.pool1(self.prelu1(self.conv1(x)))
        x = self.pool2(self.prelu2(self.conv2(x)))
        x = self.pool3(self.prelu3(self.conv3(x)))
        x = self.prelu4(self.conv4(x)).permute(0, 2, 3, 1).flatten(1)
        x = self.prelu5(self.conv5(x))
        return self.conv6_1(x), self.conv6_2(x), self.conv6_3(x)


def from_caffe(net, path):
    """Loads a genuine det?.npy (made for transposed images) into `net`."""
    table = np.load(path, allow_pickle=True, encoding="latin1").item()
    with torch.no_grad():
        for name, values in table.items():
            layer = getattr(net, name.replace("-", "_"))
            values = {key: torch.from_numpy(np.asarray(value)) for key, value in values.items()}
            if "alpha" in values:
                layer.weight.copy_(values["alpha"])
                continue
            weight = values["weights"]
            if weight.ndim == 4:
                weight = weight.permute(3, 2, 1, 0)
            elif layer.in_features in (576, 1152):
                # Rows run over [x][y][channel]; the upright NHWC order is [y][x][channel].
                channels = 64 if layer.in_features == 576 else 128
                weight = weight.view(3, 3, channels, -1).transpose(0, 1).reshape(layer.in_features, -1).T
            else:
                weight = weight.T
            layer.weight.copy_(weight)
            layer.bias.copy_(values["biases"])
    return net.eval()


def genuine(folder):
    """The three published networks from det1.npy, det2.npy and det3.npy in `folder`."""
    return tuple(from_caffe(net(), f"{folder}/det{i + 1}.npy") for i, net in enumerate((PNet, RNet, ONet)))


def nms(boxes, scores, threshold, smaller=False):
    """Kept indices, best first; overlap over the union, or over the smaller box."""
    x1, y1, x2, y2 = boxes.T
    area = (x2 - x1 + 1) * (y2 - y1 + 1)
    order, keep = np.argsort(scores, kind="stable"), []
    while len(order):
        best, order = order[-1], order[:-1]
        keep.append(best)
        width = np.maximum(0, np.minimum(x2[best], x2[order]) - np.maximum(x1[best], x1[order]) + 1)
        height = np.maximum(0, np.minimum(y2[best], y2[order]) - np.maximum(y1[best], y1[order]) + 1)
        inter = width * height
        base = np.minimum(area[best], area[order]) if smaller else area[best] + area[order] - inter
        order = order[inter / base <= threshold]
    return np.array(keep, int)


def pyramid_scales(height, width, minsize, factor):
    scale, scales = 12.0 / minsize, []
    while min(height, width) * scale >= 12:
        scales.append(scale)
        scale *= factor
    return scales


def normalise(crops):
    """(n,h,w,3) 0..255 -> (n,3,h,w) tensor as the networks want it."""
    return torch.from_numpy((np.asarray(crops, np.float32) - 127.5) * 0.0078125).permute(0, 3, 1, 2)


def _square(boxes):
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    side = np.maximum(width, height)
    x1, y1 = boxes[:, 0] + (width - side) * 0.5, boxes[:, 1] + (height - side) * 0.5
    return np.stack([x1, y1, x1 + side, y1 + side], 1)


def _regress(boxes, regression):
    size = np.tile(boxes[:, 2:] - boxes[:, :2] + 1, 2)
    return boxes + regression * size


def cut(image, box, side):
    """Crop of a whole-number box with 1-based corners (the original's convention), black outside, as side x side."""
    x1, y1, x2, y2 = (int(v) for v in box)
    crop = np.zeros((y2 - y1 + 1, x2 - x1 + 1, 3), np.float32)
    top, left = max(0, 1 - y1), max(0, 1 - x1)
    part = image[max(0, y1 - 1):max(0, y2), max(0, x1 - 1):max(0, x2)]
    crop[top:top + part.shape[0], left:left + part.shape[1]] = part
    return resize_area(crop, side, side)


def _proposals(pnet, image, scale, threshold):
    h, w, _ = image.shape
    # OpenCV resizes the uint8 photo to uint8, so the pixel is rounded before it is normalised.
    level = np.rint(resize_area(image, int(np.ceil(h * scale)), int(np.ceil(w * scale))))
    logits, regression = pnet(normalise(level[None]))
    score = logits.softmax(1)[0, 1].numpy()
    y, x = np.where(score >= threshold)
    corner = np.stack([x, y], 1) * 2.0
    boxes = np.hstack([np.fix((corner + 1) / scale), np.fix((corner + 12) / scale)])
    keep = nms(boxes, score[y, x], 0.5)
    return boxes[keep], score[y, x][keep], regression[0].permute(1, 2, 0).numpy()[y, x][keep]


@torch.no_grad()
def propose(pnet, image, minsize=20, threshold=0.6, factor=0.709):
    """First stage: whole-number square boxes (n,4)."""
    found = [_proposals(pnet, image, scale, threshold)
             for scale in pyramid_scales(*image.shape[:2], minsize, factor)]
    if not found:
        return np.zeros((0, 4))
    boxes, scores, regression = (np.concatenate(parts) for parts in zip(*found))
    keep = nms(boxes, scores, 0.7)
    boxes, regression = boxes[keep], regression[keep]
    boxes = boxes + regression * np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return np.fix(_square(boxes))


@torch.no_grad()
def refine(rnet, image, boxes, threshold=0.7):
    """Second stage: whole-number square boxes (n,4)."""
    if not len(boxes):
        return boxes
    logits, regression = rnet(normalise([cut(image, box, 24) for box in boxes]))
    score = logits.softmax(1)[:, 1].numpy()
    passed = np.where(score > threshold)[0]
    boxes, score, regression = boxes[passed], score[passed], regression.numpy()[passed]
    keep = nms(boxes, score, 0.7)
    return np.fix(_square(_regress(boxes[keep], regression[keep])))


@torch.no_grad()
def judge(onet, image, boxes, threshold=0.7):
    """Third stage: boxes (n,4), scores (n), landmarks (n,5,2), best first."""
    if not len(boxes):
        return np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2))
    logits, regression, points = onet(normalise([cut(image, box, 48) for box in boxes]))
    score = logits.softmax(1)[:, 1].numpy()
    passed = np.where(score > threshold)[0]
    boxes, score, regression = boxes[passed], score[passed], regression.numpy()[passed]
    points = points.numpy()[passed].reshape(-1, 2, 5).transpose(0, 2, 1)
    size = boxes[:, 2:] - boxes[:, :2] + 1
    points = points * size[:, None] + boxes[:, None, :2] - 1
    boxes = _regress(boxes, regression)
    keep = nms(boxes, score, 0.7, smaller=True)
    return boxes[keep], score[keep], points[keep]


def detect(nets, image, minsize=20, thresholds=(0.6, 0.7, 0.7), factor=0.709):
    """RGB uint8 (h,w,3) -> boxes (n,4), scores (n), landmarks (n,5,2), as the original's detect_face, best first."""
    pnet, rnet, onet = nets
    return judge(onet, image, refine(rnet, image, propose(pnet, image, minsize, thresholds[0], factor), thresholds[1]), thresholds[2])
