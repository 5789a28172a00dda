"""The very pictures the networks of a cascade are given: tiles of pyramid levels for P-Net, crops of proposals for R-Net and O-Net.

patches.py cuts places that look like them; these are exact, at the settings the detector is used with, so a network that learned
the patches finishes on what decides. Most windows decide nothing: what counts are those near a box that some mixture of teacher and
student takes for a face, or nearly does. They are told apart by a weight.
"""

import numpy as np
import torch

from mtcnn import cut, judge, nms, propose, pyramid_scales, refine, resize_area

# Side of a tile of a level. Windows of 12 start at even places, so tiles do as well and overlap by 12.
TILE = 32
# The part that is kept of what lies near no face: tiles, and crops for R-Net.
OTHERS = 0.08
MIN_SIZES = (20, 30)
# Thresholds of P-Net and R-Net at the settings in use, and a little below.
WAYS = ((20, 0.5, 0.6), (30, 0.7, 0.8), (20, 0.6, 0.7), (20, 0.4, 0.3), (30, 0.5, 0.4))
# The weight of what lies near a face, the rest has 1.
NEAR = 20


def overlap(boxes, others):
    """(n,) largest intersection over union of each box with any of `others`."""
    if not len(others) or not len(boxes):
        return np.zeros(len(boxes))
    low, high = np.maximum(boxes[:, None, :2], others[None, :, :2]), np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    inter = (high - low).clip(0).prod(2)
    area = lambda b: (b[:, 2:] - b[:, :2]).prod(1)
    return (inter / (area(boxes)[:, None] + area(others)[None] - inter)).max(1)


def faces_and_near(cascades, image):
    """(n,4) what any mixture of the cascades' networks takes for a face with thresholds a little lower than those in use."""
    pnets, rnets, onets = zip(*cascades)
    proposals = [propose(pnet, image, minsize, 0.4) for pnet in pnets for minsize in MIN_SIZES]
    refined = [refine(rnet, image, boxes, 0.5) for rnet in rnets for boxes in proposals]
    faces = np.concatenate([judge(onet, image, boxes, 0.45)[0] for onet in onets for boxes in refined])
    # Most are the same face again.
    return faces[nms(faces, np.ones(len(faces)), 0.9)]


def level_tiles(image, near, rng):
    """Tiles of the levels of `image` that P-Net sees, uint8 (TILE,TILE,3), what lies beyond a level black, each with the weights
    (TILE/2-5,TILE/2-5) of its windows: all near a face, some of the others."""
    height, width, _ = image.shape
    for minsize in MIN_SIZES:
        for scale in pyramid_scales(height, width, minsize, 0.709):
            level = np.rint(resize_area(image, int(np.ceil(height * scale)), int(np.ceil(width * scale)))).astype(np.uint8)
            for top in range(0, max(1, level.shape[0] - 12), TILE - 12):
                for left in range(0, max(1, level.shape[1] - 12), TILE - 12):
                    y, x = np.mgrid[top:top + TILE - 11:2, left:left + TILE - 11:2]
                    windows = np.stack([x.ravel(), y.ravel(), x.ravel() + 12, y.ravel() + 12], 1) / scale
                    here = near[(near[:, :2] < windows[-1, 2:]).all(1) & (near[:, 2:] > windows[0, :2]).all(1)]
                    weight = np.where(overlap(windows, here) > 0.4, NEAR, 1).astype(np.uint8).reshape(x.shape)
                    # Windows that reach beyond the level are no windows of the detector.
                    weight[(x + 12 > level.shape[1]) | (y + 12 > level.shape[0])] = 0
                    if weight.max() == NEAR or rng.random() < OTHERS:
                        tile = np.zeros((TILE, TILE, 3), np.uint8)
                        part = level[top:top + TILE, left:left + TILE]
                        tile[:part.shape[0], :part.shape[1]] = part
                        yield tile, weight


def _boxes(net, cascade, image):
    if net == "rnet":
        found = [propose(cascade[0], image, minsize, 0.4) for minsize in MIN_SIZES]
    else:
        proposals = {key: propose(cascade[0], image, *key) for key in {way[:2] for way in WAYS}}
        found = [refine(cascade[1], image, proposals[way[:2]], way[2]) for way in WAYS]
    return np.unique(np.concatenate(found), axis=0)


def _shaken(boxes, rng):
    """The same squares moved by up to 4 % of their side and zoomed by up to 6 %."""
    side = boxes[:, 2:3] - boxes[:, :1]
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2 + rng.uniform(-0.04, 0.04, (len(boxes), 2)) * side
    half = side / 2 * np.exp(rng.uniform(-0.06, 0.06, (len(boxes), 1)))
    return np.fix(np.hstack([centre - half, centre + half]))


def crops(net, cascades, image, near, side, rng, shaken):
    """uint8 (side,side,3) crops at what the earlier stages of each cascade propose, and `shaken` times beside what lies near a face,
    with weights."""
    for cascade in cascades:
        boxes = _boxes(net, cascade, image)
        close = boxes[overlap(boxes, near) > 0.4]
        boxes = np.concatenate([boxes] + [_shaken(close, rng) for _ in range(shaken)])
        weights = np.where(overlap(boxes, near) > 0.4, NEAR, 1)
        for box, weight in zip(boxes, weights):
            wanted = net == "onet" or weight == NEAR or rng.random() < 5 * OTHERS
            if wanted and min(box[2] - box[0], box[3] - box[1]) >= 2:
                yield np.rint(cut(image, box, side)).astype(np.uint8), np.uint8(weight)


def exact_pool(net, cascades, images, nears, side, rng, shaken=0):
    """(uint8 (n,3,side,side), uint8 weights): everything `net` is given on `images`, `nears` being the faces_and_near() of each."""
    found = []
    for image, near in zip(images, nears):
        found += level_tiles(image, near, rng) if net == "pnet" else crops(net, cascades, image, near, side, rng, shaken)
    patches, weights = zip(*found)
    return torch.from_numpy(np.stack(patches)).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(np.stack(weights))
