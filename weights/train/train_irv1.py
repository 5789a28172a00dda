"""Distils MobileFaceNet into Inception-ResNet-v1; stops and goes on at any moment with the same command.

python train_irv1.py --data FOLDER --start GRAPH.pb --teacher X.onnx --pairs lfw_pairs_dev.txt --out FOLDER

Loss: 1 - cosine to the teacher's embedding (rotated into 512-d by a fixed matrix with orthonormal columns, so cosines are
kept) plus the squared error of the batch's pairwise similarities. The learning rate stays flat and falls as a half cosine
over the last part, so a run may be prolonged or cut short by another --steps; in its last tenth batch norm is frozen, so
that folding it is exact for the network that was trained.
"""

import argparse
import copy
import json
import math
import os
import pathlib
import signal
import time

import numpy as np
import torch

from augment import make_batch
from crops import PAD, SIDE
from irv1 import InceptionResnetV1, load_frozen_graph, prewhiten
from pairs import pair_accuracy, read_pairs
from teacher import Teacher


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--data", "--start", "--teacher", "--pairs", "--out"):
        parser.add_argument(name, required=True)
    parser.add_argument("--steps", type=int, default=12000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=4e-4)
    parser.add_argument("--warmup", type=int, default=100)
    parser.add_argument("--fall", type=float, default=0.35, help="part of the steps in which the learning rate falls")
    parser.add_argument("--average", type=float, default=0.995, help="decay of the averaged weights")
    parser.add_argument("--evaluate", type=int, default=150, help="steps between evaluations")
    parser.add_argument("--save", type=float, default=300, help="seconds between checkpoints")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def learning_rate(args, step):
    falling = args.steps * args.fall
    left = min(1.0, (args.steps - step) / falling)
    return args.rate * min(1.0, (step + 1) / args.warmup) * 0.5 * (1 - math.cos(math.pi * left))


def load_split(folder):
    return (np.load(folder / "frames.npy", mmap_mode="r"), np.load(folder / "teacher.npy"),
            json.load(open(folder / "names.json")))


def prepared(crops):
    return prewhiten(crops).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def embed(model, frames, mirror=False):
    """Embeddings (n,512) of the middle of the training crops."""
    was_training = model.training
    model.eval()
    out = []
    for start in range(0, len(frames), 32):
        crops = torch.from_numpy(np.ascontiguousarray(frames[start:start + 32, PAD:PAD + SIDE, PAD:PAD + SIDE]))
        crops = crops.permute(0, 3, 1, 2)
        out.append(model(prepared(crops)) + (model(prepared(crops.flip(3))) if mirror else 0))
    model.train(was_training)
    return torch.nn.functional.normalize(torch.cat(out)).numpy()


def rotation_into(embeddings, teacher):
    """(512,128) with orthonormal columns that turns teacher embeddings onto the network's own (orthogonal Procrustes)."""
    u, _, vt = np.linalg.svd(embeddings.T @ teacher, full_matrices=False)
    return (u @ vt).astype(np.float32)


def loss_of(embeddings, targets):
    cosine = 1 - (embeddings * targets).sum(1).mean()
    off_diagonal = 1 - torch.eye(len(targets))
    error = (embeddings @ embeddings.T - targets @ targets.T) * off_diagonal
    return cosine + 4 * error.square().sum() / off_diagonal.sum(), float(cosine.detach())


class Run:
    """Everything a checkpoint holds."""

    def __init__(self, args):
        self.args, self.step, self.best = args, 0, 0.0
        self.out = pathlib.Path(args.out)
        self.train, self.targets, _ = load_split(pathlib.Path(args.data) / "train")
        self.dev, _, self.dev_names = load_split(pathlib.Path(args.data) / "dev")
        self.pairs = read_pairs(args.pairs)
        wanted = {name for a, b, _ in self.pairs for name in (a, b)}
        self.measured = [i for i, name in enumerate(self.dev_names) if name in wanted]
        self.teacher = Teacher(args.teacher, args.threads)
        self.model = load_frozen_graph(InceptionResnetV1(), args.start).to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.model).eval()
        weights = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            [{"params": [p for p in weights if p.ndim > 1], "weight_decay": 0.05},
             {"params": [p for p in weights if p.ndim == 1], "weight_decay": 0.0}], lr=args.rate)
        self.rng = np.random.default_rng(2026)
        self.order = np.zeros(0, int)
        self.rotation = None

    def log(self, text):
        line = f"{time.strftime('%H:%M:%S')} {text}"
        print(line, flush=True)

    def restore_or_start(self):
        path = self.out / "checkpoint.pt"
        if path.exists():
            state = torch.load(path, weights_only=False)
            self.model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.best, self.order = state["step"], state["best"], state["order"]
            self.rotation = state["rotation"]
            self.rng.bit_generator.state = state["rng"]
            self.log(f"resumed at step {self.step}")
            return
        sample = np.linspace(0, len(self.train) - 1, 1000).astype(int)
        self.rotation = rotation_into(embed(self.model, self.train[sample]), self.targets[sample])
        self.log(f"start: {len(self.train)} faces, {len(self.measured)} measuring photos")
        self.evaluate()

    def save(self):
        state = {"model": self.model.state_dict(), "average": self.average.state_dict(),
                 "optimizer": self.optimizer.state_dict(), "step": self.step, "best": self.best, "order": self.order,
                 "rotation": self.rotation, "rng": self.rng.bit_generator.state, "args": vars(self.args)}
        self.replace(state, "checkpoint.pt")

    def replace(self, state, name):
        part = self.out / f"{name}.part"
        torch.save(state, part)
        os.replace(part, self.out / name)

    def evaluate(self, mirror=False):
        embeddings = embed(self.average, self.dev[self.measured], mirror)
        table = dict(zip((self.dev_names[i] for i in self.measured), embeddings))
        best, folds, count = pair_accuracy(table, self.pairs)
        self.log(f"step {self.step} pairs {count} accuracy {100 * best:.2f} folds {100 * folds:.2f} mirror {mirror}")
        if best >= self.best and not mirror:
            self.best = best
            self.replace({"average": self.average.state_dict(), "step": self.step, "accuracy": best}, "best.pt")

    def next_rows(self):
        if len(self.order) < self.args.batch:
            self.order = np.concatenate([self.order, self.rng.permutation(len(self.train))])
        rows, self.order = np.split(self.order, [self.args.batch])
        return rows

    def train_step(self):
        rows = self.next_rows()
        partners = self.rng.integers(len(self.train), size=len(rows))
        crops, seen, virtual = make_batch(self.train, rows, partners, self.rng)
        targets = self.targets[rows]
        if len(virtual):
            targets[virtual] = self.teacher.both_views(seen)
        targets = torch.from_numpy(targets @ self.rotation.T)
        loss, cosine = loss_of(self.model(prepared(crops)), targets)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.args, self.step)
        self.optimizer.step()
        self.step += 1
        self.update_average()
        return float(loss.detach()), cosine

    @torch.no_grad()
    def update_average(self):
        decay = min(self.args.average, (1 + self.step) / (10 + self.step))
        for mean, value in zip(self.average.state_dict().values(), self.model.state_dict().values()):
            if mean.dtype.is_floating_point:
                mean.lerp_(value, 1 - decay)

    def set_mode(self):
        self.model.train()
        if self.step >= 0.9 * self.args.steps:
            for module in self.model.modules():
                if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                    module.eval()


def main():
    args = parse()
    torch.set_num_threads(args.threads)
    torch.manual_seed(2026)
    pathlib.Path(args.out).mkdir(parents=True, exist_ok=True)
    pathlib.Path(args.out, "pid").write_text(str(os.getpid()))
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    run = Run(args)
    run.restore_or_start()
    saved, shown, sums = time.monotonic(), time.monotonic(), []
    while run.step < args.steps and not stop:
        run.set_mode()
        sums.append(run.train_step())
        if run.step % 25 == 0:
            loss, cosine = np.mean(sums, 0)
            pace = (time.monotonic() - shown) / len(sums)
            run.log(f"step {run.step}/{args.steps} loss {loss:.4f} 1-cosine {cosine:.4f} "
                    f"rate {learning_rate(args, run.step):.2e} {pace:.2f} s/step")
            shown, sums = time.monotonic(), []
        if run.step % args.evaluate == 0:
            run.evaluate()
        if time.monotonic() - saved > args.save:
            run.save()
            saved = time.monotonic()
    run.save()
    if run.step >= args.steps:
        run.evaluate()
        run.evaluate(mirror=True)


if __name__ == "__main__":
    main()
