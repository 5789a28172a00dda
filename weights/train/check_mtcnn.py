"""Checks the cascade against recorded detections: python check_mtcnn.py DET_FOLDER GOLDEN_MTCNN.json PHOTO_FOLDER."""

import json
import sys

import numpy as np
from PIL import Image

from mtcnn import detect, genuine


def main(weights, golden, photos):
    nets = genuine(weights)
    for name, photo in json.load(open(golden)).items():
        image = np.asarray(Image.open(f"{photos}/{name}").convert("RGB"))
        for setting, want in photo["settings"].items():
            boxes, _, points = detect(nets, image, want["minsize"], want["thresholds"], want["factor"])
            box_error = point_error = 0.0
            for face in want["faces"]:
                nearest = np.abs(boxes - face["box"]).max(1).argmin()
                box_error = max(box_error, np.abs(boxes[nearest] - face["box"]).max())
                point_error = max(point_error, np.abs(points[nearest] - face["landmarks"]).max())
            print(f"{name:24} {setting:10} faces {len(boxes)}/{len(want['faces'])} "
                  f"worst box {box_error:.2f} px, worst landmark {point_error:.2f} px")


main(*sys.argv[1:])
