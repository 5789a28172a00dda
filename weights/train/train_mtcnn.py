"""Distils the genuine MTCNN networks into fresh ones of the same shape; goes on where it stopped with the same command.

python train_mtcnn.py --net pnet|rnet|onet --photos LFW --group PHOTOS --exclude people.txt --mtcnn DIR --out FOLDER
[--start F.safetensors] [--own STEPS] [--heads]

The student starts from random weights, or from a file this training gave before, and sees only the teacher's answers: the
face logit, the box regression and the landmarks, the latter two where the teacher sees at least a hint of a face, since nobody
reads them elsewhere. --own is the last part, on exactly what the cascade hands each network (cascade_inputs.py). --heads moves nothing but
the last layers of face and box, so landmarks, by which faces are aligned, stay what they are to the bit.
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

import safetensors_file
from cascade_inputs import exact_pool, faces_and_near
from mtcnn import ONet, PNet, RNet, genuine
from patches import SIDES, load_photos, make_pool, seeds, window
from prepare import read_people
from store import load_detector

NETS = {"pnet": PNet, "rnet": RNet, "onet": ONet}
# Pool size, batch, steps: what each network needed to converge.
PLANS = {"pnet": (30000, 96, 7000), "rnet": (120000, 384, 8000), "onet": (70000, 192, 8000)}
# The last part: batch, and shaken copies of each crop of a group photo.
OWN_PLANS = {"pnet": (96, 0), "rnet": (64, 2), "onet": (32, 3)}
# The layers that say face and box.
HEADS = {"pnet": ("conv4_1", "conv4_2"), "rnet": ("conv5_1", "conv5_2"), "onet": ("conv6_1", "conv6_2")}
# The part of a batch that is cut from the group photos, where most faces are small and nearly missed.
GROUP_SHARE = 0.65
OTHER_LIGHT = 0.1


def face_logit(logits):
    return logits[:, 1] - logits[:, 0]


def near_threshold(logit):
    """1 where the detector's thresholds are (logits 0 to 1.4), falling to 0 a few logits away."""
    return torch.exp(-((logit - 0.7) / 2).square())


def loss_of(student, teacher, given=None):
    """(total, face, box, landmark loss). The detector only asks whether a logit passes 0 to 1.4, so far tails count little. `given`:
    weights of the last part's inputs."""
    ours, theirs = face_logit(student[0]), face_logit(teacher[0])
    # Rare near-faces would drown among clear negatives.
    weight = torch.sigmoid(theirs + 3) + 0.1
    if given is not None:
        weight = (torch.sigmoid(theirs + 3) * 0.3 + near_threshold(theirs) + 0.02) * given
    squash = lambda z: 6 * torch.tanh(z / 6)
    face = (weight * functional.smooth_l1_loss(squash(ours), squash(theirs), reduction="none", beta=0.5)).sum() / weight.sum()
    hint = (torch.sigmoid(2 * (theirs + 1)) * (1 if given is None else given)).unsqueeze(1)
    near = [(hint * (a - b).square()).sum() / (hint.sum() * a.shape[1] + 1) for a, b in zip(student[1:], teacher[1:])]
    total = face + 60 * near[0] + (200 * near[1] if len(near) > 1 else 0)
    return total, [float(v.detach()) for v in (face, *near)]


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", choices=NETS, required=True)
    for name in ("--photos", "--group", "--exclude", "--mtcnn", "--out"):
        parser.add_argument(name, required=True)
    parser.add_argument("--rate", type=float, help="at the start; 2e-3, and 8e-4 with --own")
    parser.add_argument("--count", type=int, default=1000, help="photos of the folder --photos to use")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--start", metavar="F.safetensors", help="begin with these weights where --out holds no checkpoint")
    parser.add_argument("--own", type=int, metavar="STEPS",
                        help="after all three are trained: go on this long on what the cascade hands each network, its own earlier "
                             "stages as well as the teacher's")
    parser.add_argument("--heads", action="store_true", help="train only the last layers of face and box")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def save(path, **state):
    torch.save(state, f"{path}.part")
    os.replace(f"{path}.part", path)


def student_net(args, name):
    """One network of the student: its average in --out, else that of --start, else fresh."""
    net, path = NETS[name](), pathlib.Path(args.out) / f"{name}.pt"
    if path.exists():
        net.load_state_dict(torch.load(path)["average"])
    elif args.start:
        net = load_detector(safetensors_file.read(args.start)[0])[list(NETS).index(name)]
    elif args.own:
        raise SystemExit(f"--own needs all three networks: {path} is not there, and no --start was given")
    return net


class Patches:
    """Batches of one network's pool, with the teacher asked about the very same pixels."""

    def __init__(self, args, teacher):
        folder, self.net, (size, self.batch, _) = pathlib.Path(args.out), args.net, PLANS[args.net]
        path = folder / f"{args.net}_pool.pt"
        if not path.exists():
            rng = np.random.default_rng(7)
            photos = load_photos(pathlib.Path(args.photos), pathlib.Path(args.group), read_people(args.exclude), args.count, rng)
            kept = folder / "seeds.pt"
            if not kept.exists():
                save(kept, found=[[seeds(teacher, image) for image in images] for images in photos])
            found = torch.load(kept, weights_only=False)["found"]
            save(path, pool=make_pool(args.net, photos, found, (0.6, 0.4), size, rng))
        self.pool = torch.load(path)["pool"]

    def draw(self, guide, rng):
        rows = torch.from_numpy(rng.integers(len(self.pool), size=self.batch))
        x = window(self.pool, rows, SIDES[self.net][1], rng)
        return x, guide(x), None


class OwnInputs:
    """Batches of what the cascade hands a network: the group photos' and the other photos', what decides drawn more often."""

    def __init__(self, args, teacher, guide):
        self.net, path = args.net, pathlib.Path(args.out) / f"{args.net}_own_pool.pt"
        self.batch, shaken = OWN_PLANS[args.net]
        if not path.exists():
            rng = np.random.default_rng(8)
            photos = load_photos(pathlib.Path(args.photos), pathlib.Path(args.group), read_people(args.exclude), args.count, rng)
            cascades = [teacher, [student_net(args, name).eval() for name in NETS]]
            kept = path.parent / "near.pt"
            if not kept.exists():
                save(kept, near=[[faces_and_near(cascades[:1], image) for image in photos[0]],
                                 [faces_and_near(cascades, image) for image in photos[1]]])
            near, side = torch.load(kept, weights_only=False)["near"], NETS[args.net].side
            save(path, pools=[exact_pool(args.net, cascades[:1], photos[0], near[0], side, rng),
                              exact_pool(args.net, cascades, photos[1], near[1], side, rng, shaken)])
        self.pools, self.weights = zip(*torch.load(path)["pools"])
        self.answers = [self._ask(guide, pool) for pool in self.pools]
        self.odds = [self._odds(face_logit(answer[0]), weights) for answer, weights in zip(self.answers, self.weights)]

    @staticmethod
    def _ask(guide, pool):
        parts = [guide((chunk.float() - 127.5) * 0.0078125) for chunk in pool.split(256)]
        return [torch.cat(part) for part in zip(*parts)]

    @staticmethod
    def _odds(logit, weights):
        """A crop is drawn by its weight, which then is not one of the loss; a tile by that of its best window, a little."""
        weight = (0.15 + near_threshold(logit)) * weights
        if logit.ndim > 1:
            weight = 1 + weight.flatten(1).amax(1)
        return (weight.double() / weight.double().sum()).numpy()

    def draw(self, guide, rng):
        """Mostly as they are, with the teacher's known answers; a tenth of the batches mirrored or in other light."""
        counts = round(self.batch * (1 - GROUP_SHARE)), round(self.batch * GROUP_SHARE)
        rows = [torch.from_numpy(rng.choice(len(odds), count, p=odds)) for odds, count in zip(self.odds, counts)]
        pool = torch.cat([pool[chosen] for pool, chosen in zip(self.pools, rows)])
        if rng.random() < OTHER_LIGHT:
            x = window(pool, torch.arange(len(pool)), pool.shape[-1], rng)
            return x, guide(x), torch.ones(())
        wanted = [torch.cat([answer[k][chosen] for answer, chosen in zip(self.answers, rows)])
                  for k in range(len(self.answers[0]))]
        given = torch.cat([weights[chosen] for weights, chosen in zip(self.weights, rows)]) if self.net == "pnet" else torch.ones(())
        return (pool.float() - 127.5) * 0.0078125, wanted, given


def rate_at(rate, own, done, steps):
    """Half a cosine; fresh networks warm up first, the last part begins at once."""
    return rate * (1 if own else min(1, (done + 1) / 200)) * 0.5 * (1 + math.cos(math.pi * done / steps))


def train(args):
    folder = pathlib.Path(args.out)
    folder.mkdir(parents=True, exist_ok=True)
    steps, rate = args.own or args.steps or PLANS[args.net][2], args.rate or (8e-4 if args.own else 2e-3)
    teacher = genuine(args.mtcnn)
    guide = teacher[list(NETS).index(args.net)].requires_grad_(False)
    inputs = OwnInputs(args, teacher, guide) if args.own else Patches(args, teacher)
    student = student_net(args, args.net).train()
    average = copy.deepcopy(student)
    trained = [p for name, p in student.named_parameters() if not args.heads or name.split(".")[0] in HEADS[args.net]]
    optimizer = torch.optim.Adam(trained, rate)
    path, first = folder / f"{args.net}.pt", 0
    if path.exists():
        state = torch.load(path)
        # The last part begins with the averaged weights of the part before and counts from zero.
        if state.get("own", False) == bool(args.own):
            student.load_state_dict(state["model"])
            optimizer.load_state_dict(state["optimizer"])
            first = state["step"]
    rng = np.random.default_rng(first)
    torch.manual_seed(first)
    began, sums = time.monotonic(), []
    for step in range(first, steps):
        x, wanted, given = inputs.draw(guide, rng)
        loss, parts = loss_of(student(x), wanted, given)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = rate_at(rate, args.own, step, steps)
        optimizer.step()
        with torch.no_grad():
            for mean, value in zip(average.parameters(), student.parameters()):
                mean.lerp_(value, max(0.005 if args.own else 0.002, 1 / (step + 1)))
        sums.append(parts)
        if (step + 1) % 100 == 0 or step + 1 == steps:
            shown = " ".join(f"{v:.5f}" for v in np.mean(sums, 0))
            print(f"{time.strftime('%H:%M:%S')} {args.net} step {step + 1}/{steps} face, box, landmark loss {shown} "
                  f"{(time.monotonic() - began) / (step + 1 - first):.3f} s/step", flush=True)
            sums = []
            save(path, model=student.state_dict(), average=average.state_dict(), optimizer=optimizer.state_dict(), step=step + 1,
                 own=bool(args.own))


if __name__ == "__main__":
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    train(arguments)
