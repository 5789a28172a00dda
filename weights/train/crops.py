"""How a face becomes the networks' input: the aligned crop, in numbers."""

import numpy as np

from resize import similarity, warp

# ArcFace's five landmarks in a 112x112 crop: eyes (left in the picture first), nose, corners of the mouth.
TEMPLATE_112 = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
SIDE = 160
# Student crop: the template about the centre of the crop, `SCALE` times as large and `DROP` pixels lower.
SCALE, DROP = SIDE / 112, 0.0
# Training crops carry this much more photo on every side, for shifts and zooms.
PAD = 20


def student_template(scale=None, drop=None, pad=0):
    """Landmark positions in the student's crop of SIDE + 2 pad pixels."""
    scale, drop = SCALE if scale is None else scale, DROP if drop is None else drop
    return (TEMPLATE_112 - 56) * scale + SIDE / 2 + pad + np.array([0, drop])


def teacher_crop(image, landmarks):
    """112x112 uint8 crop for MobileFaceNet."""
    return warp(image, similarity(landmarks, TEMPLATE_112), 112, 112)


def student_crop(image, landmarks, pad=0, scale=None, drop=None):
    """(SIDE + 2 pad)-sided uint8 crop for Inception-ResNet-v1."""
    side = SIDE + 2 * pad
    return warp(image, similarity(landmarks, student_template(scale, drop, pad)), side, side)
