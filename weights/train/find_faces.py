"""Finds the face of each photo with the genuine MTCNN: python find_faces.py --photos DIR --mtcnn DIR --out faces.npz

Photos are DIR/**/*.jpg. The result holds `names` (relative paths), `boxes` (n,4), `scores`, `landmarks` (n,5,2); with
--all every face of a photo counts, otherwise the largest central one.
"""

import argparse
import multiprocessing
import pathlib

import numpy as np
import torch
from PIL import Image

from mtcnn import detect, genuine


def central(boxes, shape):
    """Index of the largest central face (the original's rule: area - 2 * distance^2)."""
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    offset = (boxes[:, :2] + boxes[:, 2:]) / 2 - np.array([shape[1], shape[0]]) / 2
    return int((area - 2 * (offset ** 2).sum(1)).argmax())


def _start(weights, minsize):
    torch.set_num_threads(1)
    _start.nets, _start.minsize = genuine(weights), minsize


def _find(path):
    image = np.asarray(Image.open(path).convert("RGB"))
    for minsize in (_start.minsize, 20):
        found = detect(_start.nets, image, minsize)
        if len(found[0]):
            return path, image.shape, found
    return path, image.shape, None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", required=True)
    parser.add_argument("--mtcnn", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--minsize", type=int, default=20)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    paths = sorted(pathlib.Path(args.photos).rglob("*.jpg"))
    rows, missed = [], 0
    with multiprocessing.Pool(args.jobs, _start, (args.mtcnn, args.minsize)) as pool:
        for path, shape, found in pool.imap(_find, paths, chunksize=16):
            if found is None:
                missed += 1
                continue
            boxes, scores, landmarks = found
            chosen = range(len(boxes)) if args.all else [central(boxes, shape)]
            rows += [(str(path.relative_to(args.photos)), boxes[i], scores[i], landmarks[i]) for i in chosen]
    names, boxes, scores, landmarks = zip(*rows)
    np.savez(args.out, names=np.array(names), boxes=np.array(boxes), scores=np.array(scores), landmarks=np.array(landmarks))
    print(f"{len(rows)} faces in {len(paths)} photos, none in {missed}")


if __name__ == "__main__":
    main()
