"""Batches for distilling the embedder: virtual people for teacher and student, hard photos for the student alone.

Few thousand photos are soon learned by heart. A teacher can be asked about any picture, so two aligned faces are blended or
joined and the result is warped: a face nobody has, with a target from the teacher. What follows (shift, light, blur, JPEG,
mirror) the student has to bear without its target changing.
"""

import io
import math

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from crops import DROP, PAD, SCALE, SIDE

FRAME = SIDE + 2 * PAD


def _grid(side, to_frame):
    """Frame coordinates (side,side,2) of a crop's pixels; `to_frame` maps crop (x, y) to frame pixels."""
    y, x = torch.meshgrid(torch.arange(side, dtype=torch.float32), torch.arange(side, dtype=torch.float32), indexing="ij")
    return torch.stack(to_frame(x, y), -1)


def _sample(frames, grid):
    return functional.grid_sample(frames, grid * (2 / (FRAME - 1)) - 1, padding_mode="zeros", align_corners=True)


STUDENT_GRID = _grid(SIDE, lambda x, y: (x + PAD, y + PAD))
TEACHER_GRID = _grid(112, lambda x, y: ((x - 56) * SCALE + FRAME / 2, (y - 56) * SCALE + FRAME / 2 + DROP))


def blend(a, b, rng):
    """One virtual face from two aligned ones: an even mixture, or parts joined along a soft line."""
    if rng.random() < 0.5:
        return torch.lerp(a, b, float(rng.uniform(0.25, 0.75)))
    angle, offset = rng.uniform(0, 2 * math.pi), rng.uniform(-25, 25)
    centre = torch.arange(FRAME, dtype=torch.float32) - FRAME / 2
    along = centre[None, :] * math.cos(angle) + centre[:, None] * math.sin(angle) - offset
    return torch.lerp(a, b, torch.sigmoid(along / rng.uniform(3, 12)))


def smooth_warp(count, rng, strength=2.5):
    """Displacement fields (count,2,FRAME,FRAME) in pixels: stretch of each axis plus a smooth random part."""
    coarse = torch.from_numpy(rng.normal(0, strength, (count, 2, 5, 5)).astype(np.float32))
    field = functional.interpolate(coarse, size=(FRAME, FRAME), mode="bicubic", align_corners=True)
    centre = torch.arange(FRAME, dtype=torch.float32) - FRAME / 2
    stretch = torch.from_numpy(rng.normal(0, 0.04, (count, 2)).astype(np.float32))
    field[:, 0] += stretch[:, 0, None, None] * centre[None, None, :]
    field[:, 1] += stretch[:, 1, None, None] * centre[None, :, None]
    return field


def displaced(grid, field):
    """`grid` (n,h,w,2) moved by the displacement found there."""
    moved = functional.grid_sample(field, grid * (2 / (FRAME - 1)) - 1, padding_mode="border", align_corners=True)
    return grid + moved.permute(0, 2, 3, 1)


def jitter(count, rng):
    """Student grids (count,SIDE,SIDE,2): small zoom, turn and shift about the middle."""
    zoom, turn = np.exp(rng.normal(0, 0.04, count)), rng.normal(0, math.radians(3), count)
    shift = rng.normal(0, 2.0, (count, 2))
    matrix = np.stack([zoom * np.cos(turn), -zoom * np.sin(turn), zoom * np.sin(turn), zoom * np.cos(turn)], 1)
    matrix = torch.from_numpy(matrix.reshape(count, 2, 2).astype(np.float32))
    shift = torch.from_numpy(shift.astype(np.float32))
    middle = FRAME / 2
    return torch.einsum("nij,hwj->nhwi", matrix, STUDENT_GRID - middle) + middle + shift[:, None, None]


def _jpeg(image, quality):
    buffer = io.BytesIO()
    Image.fromarray(image.permute(1, 2, 0).clamp(0, 255).byte().numpy()).save(buffer, "JPEG", quality=quality)
    return torch.from_numpy(np.array(Image.open(buffer))).permute(2, 0, 1).float()


def photograph(x, rng):
    """One crop (3,h,w) under worse light, focus and compression."""
    x = x * torch.from_numpy(rng.normal(1, 0.06, (3, 1, 1)).astype(np.float32))
    if rng.random() < 0.5:
        x = 255 * (x / 255).clamp(0, 1) ** float(np.exp(rng.normal(0, 0.3)))
    if rng.random() < 0.3:
        ramp = torch.linspace(-1, 1, x.shape[2])
        ramp = ramp[None, :] if rng.random() < 0.6 else ramp[:, None]
        x = x * (1 + float(rng.uniform(-0.4, 0.4)) * ramp)
    if rng.random() < 0.15:
        x = (x * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(0, keepdim=True).expand(3, -1, -1)
    if rng.random() < 0.3:
        small = functional.interpolate(x[None], scale_factor=float(rng.uniform(0.25, 0.8)), mode="bilinear", antialias=True)
        x = functional.interpolate(small, size=x.shape[1:], mode="bilinear")[0]
    if rng.random() < 0.2:
        x = x + torch.from_numpy(rng.normal(0, rng.uniform(2, 10), x.shape).astype(np.float32))
    x = x * float(rng.uniform(0.75, 1.2)) + float(rng.uniform(-25, 25))
    if rng.random() < 0.2:
        x = _jpeg(x, int(rng.integers(30, 90)))
    return x.clamp(0, 255)


def make_batch(frames, rows, partners, rng, virtual=0.6):
    """Student crops (n,3,SIDE,SIDE), teacher crops of the virtual faces (m,112,112,3) and which of n they are.

    `frames` is the uint8 array of training crops, `rows` and `partners` index it.
    """
    count = len(rows)
    faces = torch.from_numpy(frames[rows]).permute(0, 3, 1, 2).float()
    is_virtual = rng.random(count) < virtual
    chosen = np.flatnonzero(is_virtual)
    grid, teacher = jitter(count, rng), np.zeros((0, 112, 112, 3), np.float32)
    if len(chosen):
        other = torch.from_numpy(frames[partners[chosen]]).permute(0, 3, 1, 2).float()
        for k, i in enumerate(chosen):
            if rng.random() < 0.75:
                mirrored = other[k].flip(2) if rng.random() < 0.5 else other[k]
                faces[i] = blend(faces[i], mirrored, rng)
        field = smooth_warp(len(chosen), rng)
        grid[chosen] = displaced(grid[chosen], field)
        seen = displaced(TEACHER_GRID.expand(len(chosen), -1, -1, -1), field)
        teacher = _sample(faces[chosen], seen).permute(0, 2, 3, 1).numpy()
    crops = _sample(faces, grid)
    mirrored = torch.from_numpy(rng.random(count) < 0.5)
    crops[mirrored] = crops[mirrored].flip(3)
    return torch.stack([photograph(x, rng) for x in crops]), teacher, chosen
