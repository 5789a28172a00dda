"""Pools of picture patches on which a detector network is compared with its teacher.

A pool is cut once, a little larger than the network's input, from places where the cascade really looks: round faces, at what the
genuine earlier stages propose, and anywhere. Each batch then takes a random window, mirror image and light, so that no two are
alike; the teacher judges the very same pixels.
"""

import numpy as np
import torch
from PIL import Image

from mtcnn import cut, detect, propose, refine

# Side of a patch in the pool, and of the window the network sees.
SIDES = {"pnet": (64, 48), "rnet": (30, 24), "onet": (58, 48)}


def load_photos(lfw, group, people_excluded, count, rng):
    """`count` photos of people not excluded, and every photo of the folder `group`, as uint8 arrays."""
    paths = [p for p in sorted(lfw.rglob("*.jpg")) if p.parent.name not in people_excluded]
    chosen = [paths[i] for i in rng.permutation(len(paths))[:count]]
    read = lambda path: np.asarray(Image.open(path).convert("RGB"))
    return [read(p) for p in chosen], [read(p) for p in sorted(group.glob("*.jpg"))]


def seeds(teacher, image):
    """What the genuine cascade looks at in `image`: proposals, refined boxes, faces (each (n,4))."""
    proposals = propose(teacher[0], image, 20, 0.45)
    refined = refine(teacher[1], image, proposals, 0.4)
    return {"proposals": proposals, "refined": refined, "faces": detect(teacher, image)[0]}


def _shaken(box, rng, shift, zoom):
    x1, y1, x2, y2 = box
    side = max(x2 - x1, y2 - y1)
    centre = np.array([x1 + x2, y1 + y2]) / 2 + rng.uniform(-shift, shift, 2) * side
    return centre, side * float(np.exp(rng.uniform(-zoom, zoom)))


def _anywhere(image, rng, smallest):
    height, width, _ = image.shape
    side = float(np.exp(rng.uniform(np.log(smallest), np.log(max(smallest + 1, min(height, width))))))
    return np.array([rng.uniform(0, width), rng.uniform(0, height)]), side


# Per network: where a patch comes from (source, share, shift in sides, zoom as a logarithm).
RECIPES = {"pnet": (("faces", 0.6, 0.4, 0.1), ("proposals", 0.2, 0.5, 0.3), (None, 0.2, 0, 0)),
           "rnet": (("proposals", 0.6, 0.08, 0.12), ("faces", 0.3, 0.25, 0.3), (None, 0.1, 0, 0)),
           "onet": (("refined", 0.6, 0.06, 0.10), ("faces", 0.25, 0.2, 0.25), ("proposals", 0.15, 0.1, 0.15))}


def one_patch(net, image, found, rng):
    """A (side,side,3) uint8 patch for `net`, or None where the photo has no such place."""
    recipe = RECIPES[net]
    source, _, shift, zoom = recipe[rng.choice(3, p=[share for _, share, _, _ in recipe])]
    outer, inner = SIDES[net]
    if source is not None and not len(found[source]):
        return None
    centre, side = _anywhere(image, rng, 20) if source is None else _shaken(
        found[source][rng.integers(len(found[source]))], rng, shift, zoom)
    if net == "pnet":
        # The face shall measure 7 to 40 pixels in the level. Levels are never enlarged, and have nothing beyond the photo.
        side *= outer / float(np.exp(rng.uniform(np.log(7), np.log(40))))
        side = min(max(side, outer), min(image.shape[:2]))
        centre = centre.clip(side / 2, np.array(image.shape[1::-1]) - side / 2)
    else:
        side *= outer / inner
    return _cut_patch(image, np.round(centre - side / 2).astype(int), max(2, round(side)), outer)


def _cut_patch(image, corner, side, outer):
    """The square of `side` pixels from `corner`, black outside the photo, as outer x outer uint8."""
    if side < outer:
        return np.rint(cut(image, (*(corner + 1), *(corner + side)), outer)).astype(np.uint8)
    # Pillow's box filter is the same area average as cut(), a hundred times faster on large squares.
    x, y = (int(v) for v in corner)
    left, top = max(0, x), max(0, y)
    part = image[top:max(top + 1, y + side), left:max(left + 1, x + side)]
    square = Image.fromarray(part).crop((x - left, y - top, x - left + side, y - top + side))
    return np.asarray(square.resize((outer, outer), Image.Resampling.BOX))


def make_pool(net, photos, found, shares, count, rng):
    """uint8 (count,3,side,side) tensor; `found` holds the seeds of each list of `photos`, `shares` its part of the pool."""
    patches = []
    for images, places, share in zip(photos, found, shares):
        until = len(patches) + int(round(count * share))
        while len(patches) < until:
            pick = rng.integers(len(images))
            patch = one_patch(net, images[pick], places[pick], rng)
            if patch is not None:
                patches.append(patch)
    return torch.from_numpy(np.stack(patches)).permute(0, 3, 1, 2).contiguous()


def window(pool, rows, inner, rng):
    """Batch (n,3,inner,inner) as the networks want it: random windows, mirrored half the time, in other light."""
    count = len(rows)
    top, left = rng.integers(pool.shape[-1] - inner + 1, size=2)
    x = pool[rows, :, top:top + inner, left:left + inner].float()
    if rng.random() < 0.5:
        x = x.flip(3)
    draw = lambda low, high, *shape: torch.from_numpy(rng.uniform(low, high, (count, *shape, 1, 1)).astype(np.float32))
    changed = 255 * (x / 255) ** torch.exp(draw(-0.5, 0.5, 1))
    changed = changed * draw(0.6, 1.3, 1) * draw(0.88, 1.12, 3) + draw(-40, 40, 1)
    grey = changed.mean(1, keepdim=True)
    changed = torch.lerp(changed, grey.expand_as(changed), (draw(0, 1, 1) < 0.15).float() * draw(0.5, 1, 1))
    changed = changed + torch.randn(x.shape) * draw(0, 6, 1)
    # A third keeps its own light: that is what the detector meets most.
    x = torch.where(draw(0, 1, 1) < 0.33, x, changed)
    return (x.clamp(0, 255) - 127.5) * 0.0078125
