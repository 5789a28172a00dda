"""Writes what the C++ programs ship, measured on the very numbers that are stored.

python export.py embedder --checkpoint best.pt --data FOLDER --pairs lfw_pairs_dev.txt --out ..
python export.py detector --checkpoint FOLDER --mtcnn DIR --group PHOTOS --photos LFW --faces faces.npz --people people.txt --out ..

Gives inception_resnet_v1.safetensors or mtcnn.safetensors and a model card (JSON) beside it.
"""

import argparse
import hashlib
import json
import pathlib

import numpy as np
import torch

import safetensors_file
from crops import SIDE, student_template
from evaluate_mtcnn import measure, open_detector
from irv1 import InceptionResnetV1
from mtcnn import genuine
from pairs import pair_accuracy, read_pairs
from store import dequantise, detector_tensors, fold, load_detector, quantise, unfold
from train_irv1 import embed, load_split

LICENCE = ("MIT, like wajah; trained by weights/train with the teachers named under training; "
           "the photos (LFW) are a public research set and not part of the weights")


def crop_line():
    """The crop in the words of the C++ parse_crop()."""
    return f"aligned {SIDE} " + " ".join(f"{v:.6f}" for v in student_template().ravel())


def write(out, name, tensors, metadata, card):
    path = pathlib.Path(out) / f"{name}.safetensors"
    safetensors_file.write(path, tensors, metadata)
    data = path.read_bytes()
    card = {"name": name, "file": path.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), **card,
            "licence": LICENCE}
    path.with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n")
    print(json.dumps(card, indent=1))


def verify(model, split, pairs):
    """Pair accuracy of one view and of photo plus mirror, and the embeddings of one view."""
    frames, _, names = split
    wanted = {name for a, b, _ in pairs for name in (a, b)}
    rows = [i for i, name in enumerate(names) if name in wanted]
    report = {}
    for view in (False, True):
        embeddings = embed(model, frames[rows], mirror=view)
        best, folds, count = pair_accuracy(dict(zip((names[i] for i in rows), embeddings)), pairs)
        report["photo_and_mirror" if view else "photo"] = {
            "best_threshold": round(float(best), 4), "ten_folds": round(float(folds), 4), "pairs": count}
        single = embeddings if not view else single
    return report, single


def export_embedder(args):
    state = torch.load(args.checkpoint, weights_only=False)
    model = InceptionResnetV1()
    model.load_state_dict(state["average"])
    model = model.eval().to(memory_format=torch.channels_last)
    pairs, split = read_pairs(args.pairs), load_split(pathlib.Path(args.data) / "dev")
    exact, exact_embeddings = verify(model, split, pairs)
    stored = quantise(fold(model))
    small, small_embeddings = verify(unfold(model, dequantise(stored)), split, pairs)
    cosine = (exact_embeddings * small_embeddings).sum(1)
    faces = len(load_split(pathlib.Path(args.data) / "train")[2])
    card = {
        "architecture": "inception-resnet-v1", "input": SIDE, "dimension": 512,
        "preprocessing": "RGB; (x - mean) / max(std, 1/sqrt(size)) per crop over all pixels and channels",
        "crop": crop_line(),
        "storage": "int8 per output channel, symmetric; batch norms folded; residual scales (0.17, 0.10, 0.20) not folded",
        "training": {"photos": faces, "source": "LFW without the development people, and the group photos; faces blended and warped",
                     "teacher": "MobileFaceNet (foamliu, Apache-2.0), photo plus mirror, rotated into 512-d", "steps": state["step"]},
        "measured": {"lfw_pairs_dev": {"fp32": exact, "int8_storage": small},
                     "cosine_int8_storage_to_fp32": {"mean": round(float(cosine.mean()), 5), "min": round(float(cosine.min()), 5)}},
        "meaning": "try-out quality; for production fetch facenet-vggface2 or mobilefacenet with `wajah models fetch`",
    }
    metadata = {"architecture": "inception-resnet-v1", "crop": crop_line(), "licence": LICENCE}
    write(args.out, "inception_resnet_v1", stored, metadata, card)


def export_detector(args):
    torch.set_num_threads(1)
    tensors = detector_tensors(open_detector(args.checkpoint))
    measured = measure(load_detector(tensors), genuine(args.mtcnn), args.group, args.photos, args.faces, args.people)
    card = {
        "architecture": "mtcnn", "preprocessing": "RGB; (x - 127.5) * 0.0078125; upright NHWC", "storage": "fp16",
        "training": {"source": "LFW without the development people, and the group photos",
                     "teacher": "det1.npy, det2.npy, det3.npy (davidsandberg/facenet, MIT), outputs only"},
        "measured": {"against_genuine": measured},
    }
    write(args.out, "mtcnn", tensors, {"architecture": "mtcnn", "licence": LICENCE}, card)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, run, wanted in (("embedder", export_embedder, ("data", "pairs")),
                              ("detector", export_detector, ("mtcnn", "group", "photos", "faces", "people"))):
        command = commands.add_parser(name)
        for option in ("checkpoint", "out", *wanted):
            command.add_argument(f"--{option}", required=True)
        command.set_defaults(run=run)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
