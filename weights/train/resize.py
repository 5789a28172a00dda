"""Image resizing and warping as matrices, exact enough to stand in for OpenCV's."""

import functools

import numpy as np


def _area_row(size, out):
    edges = np.arange(out + 1) * (size / out)
    pixel = np.arange(size)
    overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    return (overlap.clip(0) * (out / size)).astype(np.float32)


def _stretch_row(size, out):
    # OpenCV's INTER_AREA falls back to this linear rule when it enlarges.
    scale = size / out
    rows = np.zeros((out, size), np.float32)
    for i in range(out):
        left = int(np.floor(i * scale))
        weight = (i + 1) - (left + 1) / scale
        weight = 0.0 if weight <= 0 else weight - np.floor(weight)
        rows[i, min(left, size - 1)] += 1 - weight
        rows[i, min(left + 1, size - 1)] += weight
    return rows


@functools.lru_cache(maxsize=4096)
def _rows(size, out, shrink):
    return (_area_row if shrink else _stretch_row)(size, out)


def resize_area(image, height, width):
    """float32 (h,w,c) -> (height,width,c) as OpenCV's INTER_AREA."""
    h, w, _ = image.shape
    shrink = height <= h and width <= w
    tall = np.tensordot(_rows(h, height, shrink), image.astype(np.float32), (1, 0))
    return np.ascontiguousarray(np.tensordot(tall, _rows(w, width, shrink), (1, 1)).transpose(0, 2, 1))


def similarity(source, target):
    """Least-squares similarity transform of points (Umeyama 1991): the 2x3 matrix M with target ~ M[:, :2] source + M[:, 2]."""
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    source_mean, target_mean = source.mean(0), target.mean(0)
    a, b = source - source_mean, target - target_mean
    u, d, vt = np.linalg.svd(b.T @ a / len(a))
    sign = np.array([1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = (d * sign).sum() / a.var(0).sum()
    return np.hstack([scale * rotation, (target_mean - scale * rotation @ source_mean)[:, None]])


def warp(image, matrix, height, width):
    """Samples `image` bilinearly so that source pixel p lands on M p; outside is black. Pixel centres are whole numbers."""
    inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
    y, x = np.mgrid[:height, :width]
    sx, sy = (inverse[k, 0] * x + inverse[k, 1] * y + inverse[k, 2] for k in range(2))
    x0, y0 = np.floor(sx).astype(int), np.floor(sy).astype(int)
    fx, fy = (sx - x0)[..., None], (sy - y0)[..., None]

    def at(yy, xx):
        inside = (yy >= 0) & (yy < image.shape[0]) & (xx >= 0) & (xx < image.shape[1])
        values = image[yy.clip(0, image.shape[0] - 1), xx.clip(0, image.shape[1] - 1)].astype(np.float64)
        return values * inside[..., None]

    top = at(y0, x0) * (1 - fx) + at(y0, x0 + 1) * fx
    bottom = at(y0 + 1, x0) * (1 - fx) + at(y0 + 1, x0 + 1) * fx
    return (top * (1 - fy) + bottom * fy).round().clip(0, 255).astype(np.uint8)
