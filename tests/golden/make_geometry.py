"""Writes the golden files of the geometry ops (tests/data/golden/<op>): what torchvision, tf.image, albumentations (OpenCV) and
Pillow make of small, difficult images. Run it again only to add cases: the files are committed.

pip install torch==2.15.0 torchvision==0.29.2 albumentations==2.0.8 opencv-python-headless==4.11.0.86 tensorflow-cpu==2.21.0 \
    pillow==13.0.0 numpy==2.4.6 scikit-image==0.26.0
"""

import numpy as np
import torch
from torchvision.transforms.v2 import functional as tv

import common
from common import noise, photo, pixel, primaries, producer, ramp, save

common.require(
    torch="2.15.0",
    torchvision="0.29.2",
    albumentations="2.0.8",
    opencv_python_headless="4.11.0.86",
    tensorflow_cpu="2.21.0",
    pillow="13.0.0",
    numpy="2.4.6",
    scikit_image="0.26.0",
)
TORCHVISION = producer("torchvision")


def chw(image):
    """A torch tensor, channels first."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


def hwc(tensor):
    """An array, channels last."""
    return tensor.numpy().transpose(1, 2, 0)


def floats(image):
    """The image in [0, 1]."""
    return image.astype(np.float32) / np.float32(255)


def flips():
    for op, function in [("horizontal_flip", tv.horizontal_flip)]:
        common.clear(op)
        for name, image in [("primaries", primaries()), ("pixel", pixel()), ("gray", noise(3, 4, 1))]:
            save(f"{op}/{name}", TORCHVISION, [{op: {"p": 1}}], image, hwc(function(chw(image))))
        image = floats(noise(5, 6))
        save(f"{op}/floats", TORCHVISION, [{op: {"p": 1}}], image, hwc(function(chw(image))), full=1.0)


flips()
