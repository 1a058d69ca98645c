"""Writes the golden files of noise and compression (tests/data/golden/<op>): what albumentations (OpenCV) and Pillow make of small,
difficult images with the same random numbers. Run it again only to add cases: the files are committed.

pip install albumentations==2.0.8 opencv-python-headless==4.11.0.86 pillow==13.0.0 numpy==2.4.6 scikit-image==0.26.0
"""

import io

import albumentations
import common
import numpy as np
from albucore import multiply
from albumentations.augmentations.pixel import functional as pixel
from common import producer, save
from PIL import Image

common.require(
    albumentations="2.0.8",
    opencv_python_headless="4.11.0.86",
    pillow="13.0.0",
    numpy="2.4.6",
    scikit_image="0.26.0",
)
ALBUMENTATIONS = producer("albumentations")
PILLOW = producer("pillow")
OPS = ["jpeg", "downscale", "multiplicative_noise", "gauss_noise", "iso_noise", "shot_noise", "salt_and_pepper"]
for op in OPS:
    common.clear(op)

IMAGES = {
    "primaries": common.primaries(),
    "noise": common.noise(11, 19),
    "photo": common.photo(16, 20),
    "gray": common.noise(6, 37, 1),
    "pixel": common.pixel(),
}
UNIT = (common.noise(8, 13, seed=3).astype(np.float32) / np.float32(254.3)).clip(0, 1)
UNIT[0, 0], UNIT[0, 1] = 0, 1
# Those whose fields are short in a record.
SMALL = {key: IMAGES[key] for key in ["primaries", "gray", "pixel"]}
COLOURS = {key: image for key, image in IMAGES.items() if image.shape[2] == 3}


def numbers(field):
    """A field as JSON, each number as it is in 32 bits."""
    return [float(x) for x in np.asarray(field, np.float32).ravel()]


def cases(op, name, made_by, message, f, images=IMAGES, params=None, **exactness):
    """One case for each image, and one of floats."""
    tolerance = exactness.pop("float_tolerance", 0)
    for label, image in (images | {"f32": UNIT}).items():
        record = None if params is None else [(0, op, params(image))]
        found = f(image).reshape(image.shape)
        exact = exactness | {"tolerance": tolerance, "full": 1.0} if label == "f32" else exactness
        save(f"{op}/{name}_{label}", made_by, [{op: message}], image, found, params=record, **exact)


def pillow(quality):
    def run(image):
        file = io.BytesIO()
        Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image).save(file, "JPEG", quality=quality, subsampling=2)
        return np.asarray(Image.open(file)).reshape(image.shape)

    return run


for quality in [1, 10, 50, 75, 95, 100]:
    for label, image in (IMAGES | {"checker": common.checker(), "wide": common.photo(17, 33)}).items():
        message = {"quality": [quality, quality]}
        save(f"jpeg/pillow_{quality}_{label}", PILLOW, [{"jpeg": message}], image, pillow(quality)(image))
for quality in [20, 90]:
    op = albumentations.ImageCompression(quality_range=(quality, quality), p=1)
    message = {"quality": [quality, quality], "swap_red_blue": True}
    cases("jpeg", f"albumentations_{quality}", ALBUMENTATIONS, message, lambda image: op(image=image)["image"], float_tolerance=1e-7)

large = {key: image for key, image in IMAGES.items() if key != "pixel"}
for scale in [0.25, 0.5, 0.37, 0.9]:
    op = albumentations.Downscale(scale_range=(scale, scale), p=1)
    message = {"scale": [scale, scale], "p": 1}
    cases("downscale", f"{scale}", ALBUMENTATIONS, message, lambda image: op(image=image)["image"], large, float_tolerance=1e-7)

rng = np.random.default_rng(1)
fields = {image.shape: rng.random(image.shape, np.float32) for image in [*IMAGES.values(), UNIT]}
for factor in [0.5, 1.13, 2.0]:
    message = {"multiplier": [factor, factor], "p": 1}
    cases("multiplicative_noise", f"{factor}", ALBUMENTATIONS, message, lambda image: multiply(image, np.float32(factor).item()))
three = [0.7, 1.5, 1.1]
run = lambda image: multiply(image, np.float32(three))
cases("multiplicative_noise", "channels", ALBUMENTATIONS, {"per_channel": True, "p": 1}, run, COLOURS, lambda _: {"multiplier": three})
low, width = np.float32(0.5), np.float32(1)
message = {"multiplier": [0.5, 1.5], "elementwise": True, "p": 1}
for per_channel in [False, True]:
    own = lambda image: fields[image.shape] if per_channel else fields[image.shape][:, :, :1]
    run = lambda image: multiply(image, np.broadcast_to(low + width * own(image), image.shape).copy())
    params = lambda image: {"field": numbers(own(image))}
    name = "values" if per_channel else "pixels"
    cases("multiplicative_noise", name, ALBUMENTATIONS, message | {"per_channel": per_channel}, run, SMALL, params)

normals = {shape: rng.standard_normal(shape, np.float32) for shape in fields}
for std, mean in [(0.1, 0.0), (0.4, -0.1)]:
    for per_channel in [False, True]:
        own = lambda image: normals[image.shape] if per_channel else normals[image.shape][:, :, :1]

        def run(image):
            full = np.float32(255 if image.dtype == np.uint8 else 1)
            noise = (np.float32(mean) + np.float32(std) * own(image)) * full
            return pixel.add_noise(image, np.broadcast_to(noise, image.shape).copy())

        params = lambda image: {"std": std, "mean": mean, "field": numbers(own(image))}
        message = {"per_channel": per_channel, "p": 1}
        cases("gauss_noise", f"{std}_{per_channel}".lower(), ALBUMENTATIONS, message, run, SMALL, params)


class Given:
    """Gives these numbers in place of random ones."""

    def __init__(self, events, normal=None):
        self.events, self.standard = events, normal

    def poisson(self, expected, size=None):
        return self.events.astype(np.int64)

    def normal(self, mean, deviation, size):
        return self.standard.astype(np.float64) * deviation


for shift, intensity in [(0.02, 0.3), (1.0, 1.0)]:
    events = lambda image: np.floor(fields[image.shape][:, :, 0] * 3)
    z = lambda image: normals[image.shape][:, :, 0]
    run = lambda image: pixel.iso_noise(image, shift, intensity, Given(events(image), z(image)))
    drawn = {"color_shift": shift, "intensity": intensity}
    params = lambda image: drawn | {"luminance": numbers(events(image)), "color": numbers(z(image))}
    cases("iso_noise", f"{shift}", ALBUMENTATIONS, {"p": 1}, run, COLOURS, params, tolerance=1, mean_tolerance=0.02, float_tolerance=1e-5)

for scale in [0.01, 0.2]:
    events = lambda image: np.floor(fields[image.shape] * 1.2 / scale)
    run = lambda image: pixel.shot_noise(image, scale, Given(events(image)))
    params = lambda image: {"scale": scale, "photons": numbers(events(image))}
    cases("shot_noise", f"{scale}", ALBUMENTATIONS, {"p": 1}, run, IMAGES, params, tolerance=1, mean_tolerance=0.02, float_tolerance=1e-5)

for number, (amount, share) in enumerate([(0.2, 0.5), (0.9, 0.3), (0.0, 0.5)]):

    def positions(image):
        area = image.shape[0] * image.shape[1]
        return np.random.default_rng(number).choice(area, int(area * amount), replace=False)

    def run(image):
        places = positions(image)
        salt, pepper = np.zeros((2, image.shape[0] * image.shape[1]), bool)
        salt[places[: int(len(places) * share)]] = True
        pepper[places[int(len(places) * share) :]] = True
        shape = image.shape[:2]
        return pixel.apply_salt_and_pepper(image, salt.reshape(shape), pepper.reshape(shape)).astype(image.dtype)

    params = lambda image: {"amount": amount, "salt_vs_pepper": share, "positions": positions(image).tolist()}
    cases("salt_and_pepper", f"{number}", ALBUMENTATIONS, {"p": 1}, run, IMAGES, params)
