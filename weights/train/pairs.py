"""Verification accuracy over a pair list in LFW's format."""

import numpy as np


def read_pairs(path):
    """[(photo a, photo b, same person)] with photos as name/name_0001.jpg; '#' starts a comment."""
    def photo(name, number):
        return f"{name}/{name}_{int(number):04d}.jpg"

    pairs = []
    for line in open(path, encoding="utf-8"):
        words = line.split("#")[0].split()
        if len(words) == 3:
            pairs.append((photo(words[0], words[1]), photo(words[0], words[2]), True))
        elif len(words) == 4:
            pairs.append((photo(words[0], words[1]), photo(words[2], words[3]), False))
    return pairs


def _best_threshold(similarity, same):
    order = np.argsort(-similarity)
    right = np.concatenate([[0], np.cumsum(np.where(same[order], 1, -1))]) + (~same).sum()
    # A threshold between two equal similarities does not exist, but ties are too rare in floats to matter.
    cut = right.argmax()
    edges = np.concatenate([[np.inf], similarity[order], [-np.inf]])
    return (edges[cut] + edges[cut + 1]) / 2, right[cut] / len(same)


def pair_accuracy(embeddings, pairs, folds=10):
    """(accuracy at the best threshold over all pairs, mean accuracy over folds with the threshold of the others)."""
    kept = [(embeddings[a], embeddings[b], same) for a, b, same in pairs if a in embeddings and b in embeddings]
    similarity = np.array([float(np.dot(a, b)) for a, b, _ in kept])
    same = np.array([s for _, _, s in kept])
    # Pair lists are sorted, so folds are dealt out like cards.
    fold = np.arange(len(kept)) % folds
    scores = []
    for k in range(folds):
        threshold, _ = _best_threshold(similarity[fold != k], same[fold != k])
        scores.append(((similarity[fold == k] > threshold) == same[fold == k]).mean())
    return _best_threshold(similarity, same)[1], float(np.mean(scores)), len(kept)
