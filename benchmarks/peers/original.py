"""What the original service computes with, rebuilt on TensorFlow from its description, to be measured beside wajah:
MTCNN's cascade (numpy and OpenCV around three TensorFlow functions) with the genuine det*.npy, the frozen graph of
Inception-ResNet-v1, scikit-learn's SVC.

    python original.py MTCNN_FOLDER IMAGE [--min-size N]        times the detector alone
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

MEAN, SCALE = 127.5, 0.0078125


def load(file):
    return np.load(file, allow_pickle=True, encoding="latin1").item()


class Network:
    """One of the three networks; weights are those for transposed pictures, so it is fed those."""

    def __init__(self, weights, body):
        self.weights = {layer: {key: tf.constant(np.asarray(value, np.float32)) for key, value in values.items()}
                        for layer, values in weights.items()}
        self.run = tf.function(lambda x: body(self, x), input_signature=[tf.TensorSpec((None, None, None, 3), tf.float32)])

    def conv(self, x, name, prelu=None):
        w = self.weights[name]
        return self.activated(tf.nn.conv2d(x, w["weights"], 1, "VALID") + w["biases"], prelu)

    def dense(self, x, name, prelu=None):
        w = self.weights[name]
        return self.activated(tf.reshape(x, (tf.shape(x)[0], w["weights"].shape[0])) @ w["weights"] + w["biases"], prelu)

    def activated(self, x, prelu):
        return x if prelu is None else tf.nn.relu(x) - self.weights[prelu]["alpha"] * tf.nn.relu(-x)


def pool(x, size, padding):
    return tf.nn.max_pool2d(x, size, 2, padding)


def p_net(net, x):
    x = pool(net.conv(x, "conv1", "PReLU1"), 2, "SAME")
    x = net.conv(net.conv(x, "conv2", "PReLU2"), "conv3", "PReLU3")
    return net.conv(x, "conv4-2"), tf.nn.softmax(net.conv(x, "conv4-1"))


def r_net(net, x):
    x = pool(net.conv(x, "conv1", "prelu1"), 3, "SAME")
    x = pool(net.conv(x, "conv2", "prelu2"), 3, "VALID")
    x = net.dense(net.conv(x, "conv3", "prelu3"), "conv4", "prelu4")
    return net.dense(x, "conv5-2"), tf.nn.softmax(net.dense(x, "conv5-1"))


def o_net(net, x):
    x = pool(net.conv(x, "conv1", "prelu1"), 3, "SAME")
    x = pool(net.conv(x, "conv2", "prelu2"), 3, "VALID")
    x = pool(net.conv(x, "conv3", "prelu3"), 2, "SAME")
    x = net.dense(net.conv(x, "conv4", "prelu4"), "conv5", "prelu5")
    return net.dense(x, "conv6-2"), net.dense(x, "conv6-3"), tf.nn.softmax(net.dense(x, "conv6-1"))


def suppress(boxes, threshold, smaller=False):
    """Kept indices of (x1, y1, x2, y2, score, ...) rows, best first."""
    x1, y1, x2, y2, scores = boxes[:, :5].T
    area, order, keep = (x2 - x1 + 1) * (y2 - y1 + 1), np.argsort(scores), []
    while order.size:
        best, order = order[-1], order[:-1]
        keep.append(best)
        width = np.maximum(0, np.minimum(x2[best], x2[order]) - np.maximum(x1[best], x1[order]) + 1)
        height = np.maximum(0, np.minimum(y2[best], y2[order]) - np.maximum(y1[best], y1[order]) + 1)
        shared = width * height
        base = np.minimum(area[best], area[order]) if smaller else area[best] + area[order] - shared
        order = order[shared / base <= threshold]
    return keep


def squared(boxes):
    boxes, side = boxes.copy(), np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    boxes[:, 0] += (boxes[:, 2] - boxes[:, 0] - side) * 0.5
    boxes[:, 1] += (boxes[:, 3] - boxes[:, 1] - side) * 0.5
    boxes[:, 2:4] = boxes[:, :2] + side[:, None]
    boxes[:, :4] = np.fix(boxes[:, :4])
    return boxes


def regressed(boxes, regression):
    boxes, size = boxes.copy(), np.tile(boxes[:, 2:4] - boxes[:, :2] + 1, 2)
    boxes[:, :4] += regression * size
    return boxes


def crops(image, boxes, side):
    """(n, side, side, 3), black outside the picture, normalised, transposed."""
    out = np.empty((len(boxes), side, side, 3), np.float32)
    for i, (x1, y1, x2, y2) in enumerate(boxes[:, :4].astype(int)):
        crop = np.zeros((y2 - y1 + 1, x2 - x1 + 1, 3))
        part = image[max(0, y1 - 1):max(0, y2), max(0, x1 - 1):max(0, x2)]
        top, left = max(0, 1 - y1), max(0, 1 - x1)
        crop[top:top + part.shape[0], left:left + part.shape[1]] = part
        out[i] = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
    return ((out - MEAN) * SCALE).transpose(0, 2, 1, 3)


class Detector:
    def __init__(self, folder):
        self.p, self.r, self.o = (Network(load(f"{folder}/det{i}.npy"), body) for i, body in enumerate((p_net, r_net, o_net), 1))

    def proposals(self, image, scale, threshold):
        height, width = image.shape[:2]
        level = cv2.resize(image, (int(np.ceil(width * scale)), int(np.ceil(height * scale))), interpolation=cv2.INTER_AREA)
        x = ((level - MEAN) * SCALE).astype(np.float32).transpose(1, 0, 2)[None]
        regression, probability = (out.numpy()[0].transpose(1, 0, 2) for out in self.p.run(x))
        y, x = np.where(probability[:, :, 1] >= threshold)
        corner = np.stack([x, y], 1)
        boxes = np.hstack([np.fix((2 * corner + 1) / scale), np.fix((2 * corner + 12) / scale),
                           probability[y, x, 1:], regression[y, x]])
        return boxes[suppress(boxes, 0.5)]

    def detect(self, image, min_size=20, thresholds=(0.6, 0.7, 0.7), factor=0.709):
        """RGB uint8 (h, w, 3) -> boxes (n, 5) with scores, landmarks (n, 10)."""
        found, scale = [], 12 / min_size
        while min(image.shape[:2]) * scale >= 12:
            found.append(self.proposals(image, scale, thresholds[0]))
            scale *= factor
        boxes = np.concatenate(found) if found else np.zeros((0, 9))
        boxes = boxes[suppress(boxes, 0.7)]
        size = np.tile(boxes[:, 2:4] - boxes[:, :2], 2)
        boxes = squared(np.hstack([boxes[:, :4] + boxes[:, 5:9] * size, boxes[:, 4:5]]))
        if len(boxes):
            boxes = self.refined(image, boxes, thresholds[1])
        return self.faces(image, boxes, thresholds[2]) if len(boxes) else (boxes[:, :5], np.zeros((0, 10)))

    def refined(self, image, boxes, threshold):
        regression, probability = (out.numpy() for out in self.r.run(crops(image, boxes, 24)))
        passed = probability[:, 1] > threshold
        boxes, regression = np.hstack([boxes[passed, :4], probability[passed, 1:]]), regression[passed]
        keep = suppress(boxes, 0.7)
        # The networks see pictures transposed, but answer in upright terms.
        return squared(regressed(boxes[keep], regression[keep]))

    def faces(self, image, boxes, threshold):
        regression, points, probability = (out.numpy() for out in self.o.run(crops(image, boxes, 48)))
        passed = probability[:, 1] > threshold
        boxes = np.hstack([boxes[passed, :4], probability[passed, 1:]])
        width, height = (boxes[:, 2] - boxes[:, 0] + 1)[:, None], (boxes[:, 3] - boxes[:, 1] + 1)[:, None]
        points = np.hstack([points[passed, :5] * width + boxes[:, :1] - 1, points[passed, 5:] * height + boxes[:, 1:2] - 1])
        boxes = regressed(boxes, regression[passed])
        keep = suppress(boxes, 0.7, smaller=True)
        return boxes[keep], points[keep]


class Embedder:
    """The frozen graph: prewhitened (n, 160, 160, 3) -> (n, 512) of unit length."""

    def __init__(self, file):
        graph = tf.compat.v1.GraphDef()
        with open(file, "rb") as content:
            graph.ParseFromString(content.read())
        self.session = tf.compat.v1.Session(graph=tf.Graph())
        with self.session.graph.as_default():
            tf.import_graph_def(graph, name="")
        names = [node.name for node in graph.node]
        self.out = "embeddings:0" if "embeddings" in names else names[-1] + ":0"
        self.inputs = {name: f"{name}:0" for name in names if name in ("input", "phase_train")}

    def embed(self, crops):
        feed = {self.inputs["input"]: crops}
        if "phase_train" in self.inputs:
            feed[self.inputs["phase_train"]] = False
        return self.session.run(self.out, feed)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("image")
    parser.add_argument("--min-size", type=int, default=20)
    given = parser.parse_args()
    detector, image = Detector(given.folder), cv2.cvtColor(cv2.imread(given.image), cv2.COLOR_BGR2RGB)
    times = []
    for _ in range(6):
        began = time.perf_counter()
        boxes, _ = detector.detect(image, given.min_size)
        times.append(1000 * (time.perf_counter() - began))
    print(f"{len(boxes)} faces, median {statistics.median(times[1:]):.1f} ms")


if __name__ == "__main__":
    main()
