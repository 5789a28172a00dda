"""Cuts training crops and asks the teacher once: python prepare.py --photos DIR --faces faces.npz --teacher X.onnx
--exclude people.txt --out FOLDER [--extra PHOTOS FACES]

Writes FOLDER/{train,dev}: frames.npy (uint8, SIDE + 2 PAD), names.json and teacher.npy (both views, 128-d). People named
in --exclude go to `dev`, which only measures.
"""

import argparse
import json
import multiprocessing
import pathlib

import numpy as np
from PIL import Image

from crops import PAD, SIDE, student_crop, teacher_crop
from teacher import Teacher


def read_people(path):
    return {line.split("#")[0].strip() for line in open(path, encoding="utf-8")} - {""}


def faces_of(photos, faces):
    """(name, path, landmarks) of every face found in the folder."""
    table = np.load(faces)
    return [(str(name), f"{photos}/{name}", landmarks) for name, landmarks in zip(table["names"], table["landmarks"])]


def cut_both(face):
    """The student's crop with its surroundings, and the teacher's."""
    _, path, landmarks = face
    image = np.asarray(Image.open(path).convert("RGB"))
    return student_crop(image, landmarks, PAD), teacher_crop(image, landmarks)


def write(faces, teacher, folder):
    folder.mkdir(parents=True, exist_ok=True)
    side = SIDE + 2 * PAD
    frames = np.lib.format.open_memmap(folder / "frames.npy", "w+", np.uint8, (len(faces), side, side, 3))
    embeddings, batch = [], []
    with multiprocessing.Pool(2) as pool:
        for i, (frame, seen) in enumerate(pool.imap(cut_both, faces, chunksize=32)):
            frames[i] = frame
            batch.append(seen)
            if len(batch) == 64 or i + 1 == len(faces):
                embeddings.append(teacher.both_views(np.stack(batch)))
                batch = []
    frames.flush()
    np.save(folder / "teacher.npy", np.concatenate(embeddings))
    json.dump([name for name, _, _ in faces], open(folder / "names.json", "w"))
    print(f"{folder}: {len(faces)} faces")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--photos", "--faces", "--teacher", "--exclude", "--out"):
        parser.add_argument(name, required=True)
    parser.add_argument("--extra", nargs=2, action="append", default=[], metavar=("PHOTOS", "FACES"))
    args = parser.parse_args()
    excluded, out = read_people(args.exclude), pathlib.Path(args.out)
    teacher = Teacher(args.teacher)
    train, dev = [], []
    for face in faces_of(args.photos, args.faces):
        (dev if face[0].split("/")[0] in excluded else train).append(face)
    for photos, faces in args.extra:
        train += faces_of(photos, faces)
    write(dev, teacher, out / "dev")
    write(train, teacher, out / "train")


if __name__ == "__main__":
    main()
