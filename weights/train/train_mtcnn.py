"""Distils the genuine MTCNN networks into fresh ones of the same shape; goes on where it stopped with the same command.

python train_mtcnn.py --net pnet|rnet|onet --photos LFW --group PHOTOS --exclude people.txt --mtcnn DIR --out FOLDER

The student starts from random weights and sees only the teacher's answers: the face logit, the box regression and the
landmarks, the latter two where the teacher sees at least a hint of a face, since nobody reads them elsewhere.
"""

import argparse
import copy
import math
import os
import pathlib
import time

import numpy as np
import torch
from torch.nn import functional

from mtcnn import ONet, PNet, RNet, genuine
from patches import load_photos, make_pool, seeds, window
from prepare import read_people

NETS = {"pnet": PNet, "rnet": RNet, "onet": ONet}
# Pool size, batch, steps: what each network needed to converge.
PLANS = {"pnet": (30000, 96, 7000), "rnet": (120000, 384, 8000), "onet": (70000, 192, 8000)}


def face_logit(logits):
    return logits[:, 1] - logits[:, 0]


def loss_of(student, teacher):
    """(total, face, box, landmark loss). The detector only asks whether a logit passes -0.4..0.9, so far tails count little."""
    ours, theirs = face_logit(student[0]), face_logit(teacher[0])
    # Rare near-faces would drown among clear negatives.
    weight = torch.sigmoid(theirs + 3) + 0.1
    squash = lambda z: 6 * torch.tanh(z / 6)
    face = (weight * functional.smooth_l1_loss(squash(ours), squash(theirs), reduction="none", beta=0.5)).sum() / weight.sum()
    hint = torch.sigmoid(2 * (theirs + 1)).unsqueeze(1)
    near = [(hint * (a - b).square()).sum() / (hint.sum() * a.shape[1] + 1) for a, b in zip(student[1:], teacher[1:])]
    total = face + 60 * near[0] + (200 * near[1] if len(near) > 1 else 0)
    return total, [float(v.detach()) for v in (face, *near)]


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", choices=NETS, required=True)
    for name in ("--photos", "--group", "--exclude", "--mtcnn", "--out"):
        parser.add_argument(name, required=True)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--count", type=int, default=1000, help="photos of the folder --photos to use")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--own", type=int, metavar="STEPS",
                        help="after all three are trained: go on this long on what the student's own earlier stages propose")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def save(path, **state):
    torch.save(state, f"{path}.part")
    os.replace(f"{path}.part", path)


def load_average(folder, name):
    net = NETS[name]()
    net.load_state_dict(torch.load(folder / f"{name}.pt")["average"])
    return net.eval()


def pool_for(args, teacher, size, folder):
    """The patches for one network, cut once and kept for resuming."""
    kind = "own_" if args.own else ""
    path = folder / f"{args.net}_{kind}pool.pt"
    if not path.exists():
        rng = np.random.default_rng(8 if args.own else 7)
        photos = load_photos(pathlib.Path(args.photos), pathlib.Path(args.group), read_people(args.exclude), args.count, rng)
        kept = folder / f"{kind}seeds.pt"
        if not kept.exists():
            looker = [load_average(folder, name) for name in NETS] if args.own else teacher
            save(kept, found=[[seeds(looker, image) for image in images] for images in photos])
        found = torch.load(kept, weights_only=False)["found"]
        save(path, pool=make_pool(args.net, photos, found, (0.3, 0.7) if args.own else (0.6, 0.4), size, rng, bool(args.own)))
    return torch.load(path)["pool"]


def rate_at(args, step, begin, steps):
    """Cosine from the full rate; the last part, on its own proposals, begins at a quarter of it."""
    if args.own:
        return args.rate / 4 * 0.5 * (1 + math.cos(math.pi * (step - begin) / (steps - begin)))
    return args.rate * min(1, (step + 1) / 200) * 0.5 * (1 + math.cos(math.pi * step / steps))


def train(args):
    folder = pathlib.Path(args.out)
    folder.mkdir(parents=True, exist_ok=True)
    size, batch, steps = PLANS[args.net]
    steps = args.steps or steps
    if args.own:
        size //= 6
    teacher = genuine(args.mtcnn)
    pool = pool_for(args, teacher, size, folder)
    guide = teacher[list(NETS).index(args.net)]
    student = NETS[args.net]()
    average = copy.deepcopy(student)
    optimizer = torch.optim.Adam(student.parameters(), args.rate)
    path, first = folder / f"{args.net}.pt", 0
    if path.exists():
        state = torch.load(path)
        student.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["step"]
    begin = first
    if args.own:
        begin = state.get("own_begin", first)
        steps = begin + args.own
    rng = np.random.default_rng(first)
    torch.manual_seed(first)
    began, sums = time.monotonic(), []
    for step in range(first, steps):
        rows = torch.from_numpy(rng.integers(len(pool), size=batch))
        x = window(pool, rows, args.net, rng, plain=bool(args.own) and rng.random() < 0.7)
        with torch.no_grad():
            wanted = guide(x)
        loss, parts = loss_of(student(x), wanted)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = rate_at(args, step, begin, steps)
        optimizer.step()
        with torch.no_grad():
            for mean, value in zip(average.parameters(), student.parameters()):
                mean.lerp_(value, max(0.002, 1 / (step + 1)))
        sums.append(parts)
        if (step + 1) % 250 == 0 or step + 1 == steps:
            shown = " ".join(f"{v:.5f}" for v in np.mean(sums, 0))
            print(f"{time.strftime('%H:%M:%S')} {args.net} step {step + 1}/{steps} face, box, landmark loss {shown} "
                  f"{(time.monotonic() - began) / (step + 1 - first):.3f} s/step", flush=True)
            sums = []
            save(path, model=student.state_dict(), average=average.state_dict(), optimizer=optimizer.state_dict(), step=step + 1,
                 **({"own_begin": begin} if args.own else {}))


if __name__ == "__main__":
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    train(arguments)
