"""Writes the golden files of the filters (tests/data/golden/<op>): what torchvision, Pillow and albumentations (OpenCV) make of small,
difficult images. Run it again only to add cases: the files are committed.

pip install torch==2.15.0 torchvision==0.29.2 albumentations==2.0.8 opencv-python-headless==4.11.0.86 pillow==13.0.0 \
    numpy==2.4.6 scikit-image==0.26.0
"""

import os

# Without fused multiplications, as torch computes on processors that have none: the same bytes everywhere.
os.environ["ATEN_CPU_CAPABILITY"] = "default"
import random

import albumentations
import common
import numpy as np
import torch
from albumentations.augmentations.blur import functional as blur
from albumentations.augmentations.pixel import functional as pixel
from common import producer, save
from PIL import Image, ImageEnhance
from torchvision.transforms.v2 import functional as tv

common.require(
    torch="2.15.0",
    torchvision="0.29.2",
    albumentations="2.0.8",
    opencv_python_headless="4.11.0.86",
    pillow="13.0.0",
    numpy="2.4.6",
    scikit_image="0.26.0",
)
ALBUMENTATIONS = producer("albumentations")
PILLOW = producer("pillow")
TORCHVISION = producer("torchvision")
OPS = ["gaussian_blur", "median_blur", "box_blur", "motion_blur", "adjust_sharpness", "sharpen"]
for op in OPS:
    common.clear(op)

IMAGES = {
    "primaries": common.primaries(),
    "noise": common.noise(11, 19),
    "photo": common.photo(12, 23),
    "gray": common.noise(6, 37, 1),
}
PIXEL = {"pixel": common.pixel()}
CHECKER = {"checker": common.checker()}
UNIT = (common.noise(8, 13, seed=3).astype(np.float32) / np.float32(254.3)).clip(0, 1)
UNIT[0, 0], UNIT[0, 1] = 0, 1


def on_tensor(f):
    """A function of torchvision, on height, width, channels."""
    return lambda image: f(torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))).numpy().transpose(1, 2, 0)


def on_pillow(f):
    """A function of Pillow, on one channel or three."""

    def run(image):
        found = np.asarray(f(Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)))
        return found[:, :, None] if found.ndim == 2 else found

    return run


def cases(op, name, made_by, message, f, images, params=None, **exactness):
    """One case for each image."""
    record = None if params is None else [(0, op, params)]
    for label, image in images.items():
        found = f(image).reshape(image.shape)
        save(f"{op}/{name}_{label}", made_by, [{op: message}], image, found, params=record, **exactness)


def floats(op, name, made_by, message, f, params=None, **exactness):
    """Cases of floats from 0 to 1, and from 0 to 255. `f` works on 0 to 1."""
    record = None if params is None else [(0, op, params)]
    found = f(UNIT)
    save(f"{op}/{name}_f32_1", made_by, [{op: message}], UNIT, found, full=1.0, params=record, **exactness)
    if name.endswith("_"):
        return
    exactness["tolerance"] *= 255
    wide = np.float32(255)
    save(f"{op}/{name}_f32_255", made_by, [{op: message}], UNIT * wide, found * wide, full=255.0, params=record, **exactness)


# Half a value more or less where the exact result is close to a half.
NEAR = {"tolerance": 0, "share": 0.004}


for size, sigma in [(3, 0.4), (5, 1.3), (9, 2.0)]:
    message = {"kernel_size": size, "sigma": [sigma, sigma]}
    run = on_tensor(lambda image: tv.gaussian_blur(image, [size, size], [sigma, sigma]))
    images = {key: image for key, image in IMAGES.items() if min(image.shape[:2]) > size // 2}
    cases("gaussian_blur", f"torchvision_{size}", TORCHVISION, message, run, images, **NEAR)
run = on_tensor(lambda image: tv.gaussian_blur(image, [7, 7], [1.1, 1.1]))
floats("gaussian_blur", "torchvision_7", TORCHVISION, {"kernel_size": 7, "sigma": [1.1, 1.1]}, run, tolerance=2e-6)
for size, sigma in [(0, 0.6), (0, 1.7), (5, 1.0), (9, 3.0)]:
    message = {"kernel_size": size, "sigma": [sigma, sigma], "method": "albumentations"}
    op = albumentations.GaussianBlur(blur_limit=(size, size), sigma_limit=(sigma, sigma), p=1)
    run = lambda image: op(image=image)["image"]
    cases("gaussian_blur", f"albumentations_{size}_{sigma}", ALBUMENTATIONS, message, run, IMAGES | PIXEL, **NEAR)
floats("gaussian_blur", "albumentations_9", ALBUMENTATIONS, message, run, tolerance=2e-6)

for size in [3, 5, 7, 11, 17]:
    message = {"kernel_size": [size, size], "p": 1}
    op = albumentations.MedianBlur(blur_limit=(size, size), p=1)
    run = lambda image: op(image=image)["image"]
    cases("median_blur", f"{size}", ALBUMENTATIONS, message, run, IMAGES | PIXEL | CHECKER)
    if size == 5:
        floats("median_blur", f"{size}", ALBUMENTATIONS, message, run, tolerance=1e-7)
    op = albumentations.Blur(blur_limit=(size, size), p=1)
    run = lambda image: op(image=image)["image"]
    cases("box_blur", f"{size}", ALBUMENTATIONS, message, run, IMAGES | PIXEL | CHECKER)
    floats("box_blur", f"{size}", ALBUMENTATIONS, message, run, tolerance=1e-6)


class Shifts(random.Random):
    """Gives these numbers in place of random ones."""

    def __init__(self, numbers):
        super().__init__(0)
        self.numbers = list(numbers)

    def uniform(self, low, high):
        return self.numbers.pop(0)


lines = [(3, 45.0, 0.0, None), (7, 30.0, 0.4, None), (9, 200.0, -0.7, (0.5, -0.9)), (5, 90.0, 1.0, (-1.0, 1.0)), (9, 0.0, -1.0, None)]
for number, (side, angle, direction, shift) in enumerate(lines):
    kernel = blur.create_motion_kernel(side, angle, direction, shift is not None, Shifts(shift or ()))
    kernel = kernel.astype(np.float32) / np.sum(kernel)
    run = lambda image: pixel.convolve(image, kernel=kernel)
    params = {"side": side, "angle": angle, "direction": direction, "shift": list(shift or (0.0, 0.0))}
    cases("motion_blur", f"{number}", ALBUMENTATIONS, {"p": 1}, run, IMAGES | PIXEL, params, tolerance=1, mean_tolerance=0.03)
    if number == 2:
        floats("motion_blur", f"{number}", ALBUMENTATIONS, {"p": 1}, run, params, tolerance=2e-6)

for factor in [0.0, 0.6, 2.5]:
    message = {"factor": [factor, factor], "p": 1}
    run = on_tensor(lambda image: tv.adjust_sharpness(image, factor))
    cases("adjust_sharpness", f"torchvision_{factor}", TORCHVISION, message, run, IMAGES | PIXEL)
    floats("adjust_sharpness", f"torchvision_{factor}", TORCHVISION, message, run, tolerance=2e-6)
    run = on_pillow(lambda image: ImageEnhance.Sharpness(image).enhance(factor))
    message = message | {"method": "pillow"}
    cases("adjust_sharpness", f"pillow_{factor}", PILLOW, message, run, IMAGES | PIXEL)

for alpha, lightness in [(0.2, 0.5), (0.37, 0.8), (1.0, 1.0)]:
    message = {"alpha": [alpha, alpha], "lightness": [lightness, lightness], "p": 1}
    op = albumentations.Sharpen(alpha=(alpha, alpha), lightness=(lightness, lightness), p=1)
    run = lambda image: op(image=image)["image"]
    cases("sharpen", f"{alpha}_{lightness}", ALBUMENTATIONS, message, run, IMAGES | PIXEL | CHECKER, tolerance=1, mean_tolerance=0.05)
    floats("sharpen", f"{alpha}_{lightness}", ALBUMENTATIONS, message, run, tolerance=2e-6)
