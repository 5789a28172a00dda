"""Checks the PyTorch network against embeddings recorded from TensorFlow: python check_irv1.py GRAPH.pb GOLDEN_FOLDER."""

import sys

import numpy as np
import torch

from irv1 import InceptionResnetV1, load_frozen_graph, prewhiten


def main(graph, golden):
    model = load_frozen_graph(InceptionResnetV1(), graph).eval()
    crops = torch.from_numpy(np.load(f"{golden}/irv1_input_u8.npy")).permute(0, 3, 1, 2)
    with torch.no_grad():
        ours = model(prewhiten(crops)).numpy()
    cosine = (ours * np.load(f"{golden}/irv1_embeddings.npy")).sum(1)
    print(f"cosine to TensorFlow: min {cosine.min():.8f} mean {cosine.mean():.8f} over {len(cosine)} crops")
    if cosine.min() < 0.99999:
        sys.exit("the network differs from TensorFlow's")


main(*sys.argv[1:])
