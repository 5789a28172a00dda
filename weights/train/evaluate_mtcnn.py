"""Compares two detectors: python evaluate_mtcnn.py --detector F.safetensors|F_FOLDER --mtcnn DIR --group PHOTOS
[--photos LFW --faces faces.npz --people dev_people.txt]

Prints which part of the genuine detector's faces is found at IoU 0.7 on the photos of --group, how many more are reported, and on
how many of 1,000 photos of the people in --people the person's face (as the genuine detector has it) is found at IoU 0.5.
"""

import argparse
import pathlib

import numpy as np
import torch
from PIL import Image

import safetensors_file
from mtcnn import ONet, PNet, RNet, detect, genuine
from prepare import read_people
from store import load_detector

SETTINGS = {"enrol": (20, (0.5, 0.6, 0.6)), "recognise": (30, (0.7, 0.8, 0.8)), "default": (20, (0.6, 0.7, 0.7))}


def open_detector(path):
    """Networks of an exported file, or of a training folder."""
    path = pathlib.Path(path)
    if path.is_file():
        return load_detector(safetensors_file.read(path)[0])
    nets = []
    for name, make in (("pnet", PNet), ("rnet", RNet), ("onet", ONet)):
        net = make()
        net.load_state_dict(torch.load(path / f"{name}.pt")["average"])
        nets.append(net.eval())
    return tuple(nets)


def iou(a, b):
    """(n,m) intersection over union of boxes (n,4) and (m,4)."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = (high - low).clip(0).prod(2)
    area = lambda boxes: (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return inter / (area(a)[:, None] + area(b)[None] - inter)


def match(wanted, found, threshold):
    """Pairs (i, j) of boxes that belong together, best overlap first, each used once."""
    overlap, pairs = iou(wanted, found), []
    while overlap.size and overlap.max() >= threshold:
        i, j = np.unravel_index(overlap.argmax(), overlap.shape)
        pairs.append((i, j))
        overlap[i, :] = overlap[:, j] = -1
    return pairs


def read(path):
    return np.asarray(Image.open(path).convert("RGB"))


def compare(ours, theirs, photos, setting):
    """(faces of the genuine detector, found again, reported beyond them, mean landmark distance in face widths)"""
    minsize, thresholds = SETTINGS[setting]
    wanted = again = extra = 0
    distances = []
    for path in photos:
        image = read(path)
        a, _, a_points = detect(theirs, image, minsize, thresholds)
        b, _, b_points = detect(ours, image, minsize, thresholds)
        pairs = match(a, b, 0.7)
        wanted, again, extra = wanted + len(a), again + len(pairs), extra + len(b) - len(pairs)
        distances += [np.linalg.norm(a_points[i] - b_points[j], axis=1).mean() / (a[i, 2] - a[i, 0]) for i, j in pairs]
    return {"faces": wanted, "found": again, "extra": extra, "landmark_distance": round(float(np.mean(distances)), 4)}


def people_found(ours, photos, faces, people, count=1000):
    """(photos looked at, photos in which the person's face is found)"""
    table = np.load(faces)
    chosen = [(str(name), box) for name, box in zip(table["names"], table["boxes"]) if str(name).split("/")[0] in people][:count]
    hits = sum(bool(len(match(box[None], detect(ours, read(f"{photos}/{name}"))[0], 0.5))) for name, box in chosen)
    return len(chosen), hits


def measure(ours, theirs, group, photos=None, faces=None, people=None):
    """Everything the model card says about the detector."""
    paths = sorted(pathlib.Path(group).glob("*.jpg"))
    report = {setting: compare(ours, theirs, paths, setting) for setting in SETTINGS}
    if photos:
        looked, hits = people_found(ours, photos, faces, read_people(people))
        report["lfw_development"] = {"photos": looked, "face_found": hits}
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--detector", "--mtcnn", "--group"):
        parser.add_argument(name, required=True)
    for name in ("--photos", "--faces", "--people"):
        parser.add_argument(name)
    args = parser.parse_args()
    torch.set_num_threads(1)
    for what, values in measure(open_detector(args.detector), genuine(args.mtcnn), args.group, args.photos, args.faces,
                                args.people).items():
        print(what, values)


if __name__ == "__main__":
    main()
