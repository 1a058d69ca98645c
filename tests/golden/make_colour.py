"""Writes the golden files of the colour and value ops (tests/data/golden/<op>): what torchvision, tf.image, Pillow, albumentations
(OpenCV) and numpy make of small, difficult images. Run it again only to add cases: the files are committed.

Versions: requirements.txt. All of these scripts at once: generate.py.
"""

import os
import subprocess
import sys

import common
import numpy as np
from common import producer, save

common.require(*common.PINS)
OPS = ["brightness", "contrast", "saturation", "hue", "grayscale", "color_jitter", "clip", "to_float", "normalize"]
# The libraries can't share a process: torch and TensorFlow bring two versions of LLVM.
if len(sys.argv) < 2:
    for op in OPS:
        common.clear(op)
    for library in ["torchvision", "tensorflow", "others"]:
        subprocess.run([sys.executable, __file__, library], check=True)
    raise SystemExit
if sys.argv[1] == "torchvision":
    # Without fused multiplications, as torch computes on processors that have none: the same bytes everywhere.
    os.environ["ATEN_CPU_CAPABILITY"] = "default"
    import torch
    from PIL import Image
    from torchvision.transforms.v2 import functional as tv
elif sys.argv[1] == "tensorflow":
    import tensorflow as tf
else:
    import albumentations
    from PIL import Image, ImageEnhance

ALBUMENTATIONS = producer("albumentations")
NUMPY = producer("numpy")
PILLOW = producer("pillow")
TENSORFLOW = producer("tensorflow-cpu")
TORCHVISION = producer("torchvision")

IMAGES = {
    "ramp": common.ramp(),
    "primaries": common.primaries(),
    "noise": common.noise(11, 13),
    "pixel": common.pixel(),
    "photo": common.photo(16, 20),
}
GRAY = common.noise(7, 9, 1)
# Floats: 0 to 1 with both ends, none of them a whole number of 255ths.
UNIT = (common.noise(5, 9, seed=3).astype(np.float32) / np.float32(254.3)).clip(0, 1)
UNIT[0, 0], UNIT[0, 1] = 0, 1

def on_tensor(f):
    """A function of torchvision, on height, width, channels."""

    def run(image):
        return f(torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))).numpy().transpose(1, 2, 0)

    return run


def on_tf(f):
    """A function of tf.image, outside of any graph."""
    return lambda image: f(tf.constant(image)).numpy()


def on_pillow(f):
    """A function of Pillow, on one channel or three."""

    def run(image):
        found = np.asarray(f(Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)))
        return found[:, :, None] if found.ndim == 2 else found

    return run


def cases(op, name, made_by, message, f, images, **exactness):
    """One case for each image."""
    for label, image in images.items():
        save(f"{op}/{name}_{label}", made_by, [{op: message}], image, f(image), **exactness)


def floats(op, name, made_by, message, f, scale=1.0, **exactness):
    """One case of floats from 0 to `scale`. `f` works on 0 to 1."""
    image = UNIT * np.float32(scale)
    found = f(UNIT) * np.float32(scale)
    save(f"{op}/{name}_f32_{scale:.0f}", made_by, [{op: message}], image, found, full=scale, **exactness)



SOME = {key: IMAGES[key] for key in ["primaries", "noise", "photo"]}
RAMP = {"ramp": IMAGES["ramp"]}
WITH_GRAY = {"gray": GRAY}
PIXEL = {"pixel": IMAGES["pixel"]}
# Of one set of parameters at least.
EDGES = PIXEL | {key: IMAGES[key] for key in ["primaries", "photo"]}
# Largest differences of floats from 0 to 1, and from 0 to 255.
TINY = {"tolerance": 2e-6}
TINY255 = {"tolerance": 5e-4}
FACTORS = [0.0, 0.6, 1.0, 1.37, 3.0]
DELTAS = [-0.5, -0.1, 0.0, 0.25, 0.37]
WIDE = {"brightness": [0, 2], "contrast": [0, 2], "saturation": [0, 2], "hue": [-0.5, 0.5]}
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def torchvision():
    for factor in [0.0, 0.6, 1.0, 1.37, 1000.0]:
        run = on_tensor(lambda image: tv.adjust_brightness(image, factor))
        message = {"factor": [factor, factor]}
        images = RAMP | WITH_GRAY | (EDGES if factor == 1.37 else {})
        cases("brightness", f"factor_{factor}", TORCHVISION, message, run, images)
        floats("brightness", f"factor_{factor}", TORCHVISION, message, run)
    for factor in FACTORS:
        message = {"factor": [factor, factor]}
        images = SOME | WITH_GRAY | (PIXEL if factor == 1.37 else {})
        run = on_tensor(lambda image: tv.adjust_contrast(image, factor))
        cases("contrast", f"torchvision_{factor}", TORCHVISION, message, run, images)
        floats("contrast", f"torchvision_{factor}", TORCHVISION, message, run, **TINY)
        run = on_tensor(lambda image: tv.adjust_saturation(image, factor))
        cases("saturation", f"torchvision_{factor}", TORCHVISION, message, run, images | RAMP)
        floats("saturation", f"torchvision_{factor}", TORCHVISION, message, run)
    run = on_tensor(lambda image: tv.adjust_contrast(image, 1.37))
    floats("contrast", "torchvision_1.37", TORCHVISION, {"factor": [1.37, 1.37]}, run, 255.0, **TINY255)
    for delta in DELTAS:
        message = {"delta": [delta, delta]}
        run = on_tensor(lambda image: tv.adjust_hue(image, delta))
        images = SOME | WITH_GRAY | (PIXEL if delta == 0.25 else {})
        cases("hue", f"torchvision_{delta}", TORCHVISION, message, run, images)
        floats("hue", f"torchvision_{delta}", TORCHVISION, message, run)
    run = on_tensor(lambda image: tv.adjust_hue(image, 0.25))
    floats("hue", "torchvision_0.25", TORCHVISION, {"delta": [0.25, 0.25]}, run, 255.0, **TINY255)
    for channels in [1, 3]:
        message = {"channels": channels}
        run = on_tensor(lambda image: tv.rgb_to_grayscale(image, channels))
        cases("grayscale", f"torchvision_{channels}", TORCHVISION, message, run, IMAGES | WITH_GRAY)
        floats("grayscale", f"torchvision_{channels}", TORCHVISION, message, run)
    color_jitter()
    color_jitter_of_pillow()
    # `ToTensor` divides by 255; `to_dtype` multiplies by the rounded 1/255.
    to_tensor = lambda x: x.to(torch.float32).div(255)
    assert torch.equal(to_tensor(torch.from_numpy(GRAY)), to_pil_tensor(GRAY)), "ToTensor has changed"
    to_dtype = lambda x: tv.to_dtype(x, torch.float32, scale=True)
    cases("to_float", "to_tensor", TORCHVISION, {}, on_tensor(to_tensor), RAMP | WITH_GRAY | EDGES)
    cases("to_float", "to_dtype", TORCHVISION, {}, on_tensor(to_dtype), RAMP, tolerance=6e-8)
    ops = [{"to_float": {}}, {"normalize": {}}]
    run = on_tensor(lambda x: tv.normalize(to_tensor(x), MEAN, STD))
    for label, image in (RAMP | EDGES).items():
        save(f"normalize/tail_{label}", TORCHVISION, ops, image, run(image))
    run = on_tensor(lambda x: tv.normalize(to_dtype(x), MEAN, STD))
    save("normalize/to_dtype_ramp", TORCHVISION, ops, IMAGES["ramp"], run(IMAGES["ramp"]), tolerance=1e-6)
    run = on_tensor(lambda x: tv.normalize(x, MEAN, STD))
    save("normalize/floats", TORCHVISION, [{"normalize": {}}], UNIT, run(UNIT), full=1.0)
    ops = [{"to_float": {}}, {"normalize": {"mean": [0.5], "std": [0.25]}}]
    run = on_tensor(lambda x: tv.normalize(to_tensor(x), [0.5], [0.25]))
    save("normalize/tail_gray", TORCHVISION, ops, GRAY, run(GRAY))


def to_pil_tensor(image):
    """What torchvision's ToTensor makes of an array."""
    from torchvision.transforms.functional import to_tensor

    return to_tensor(image).permute(1, 2, 0)


def color_jitter():
    """Amounts and order replayed."""
    parts = [tv.adjust_brightness, tv.adjust_contrast, tv.adjust_saturation, tv.adjust_hue]
    parts = dict(zip(["brightness", "contrast", "saturation", "hue"], parts, strict=True))
    for number, amounts in enumerate(
        [
            {"brightness": 1.37, "contrast": 0.62, "saturation": 1.29, "hue": None},
            {"brightness": 0.71, "contrast": 1.33, "saturation": 0.64, "hue": 0.08},
            {"brightness": None, "contrast": 1.21, "saturation": 1.4, "hue": None},
        ]
    ):
        for order in ["bcsh", "bsch", "cbsh", "csbh", "sbch", "hscb", "scbh", "bchs"]:
            names = [next(name for name in parts if name.startswith(letter)) for letter in order]

            def run(tensor):
                for name in names:
                    tensor = tensor if amounts[name] is None else parts[name](tensor, amounts[name])
                return tensor

            params = [(0, "color_jitter", amounts | {"order": names})]
            images = {"photo": IMAGES["photo"]}
            images |= WITH_GRAY | SOME | PIXEL if order == "bcsh" else {}
            cases("color_jitter", f"{number}_{order}", TORCHVISION, WIDE, on_tensor(run), images, params=params)
            if order == "sbch":
                name = f"{number}_{order}"
                floats("color_jitter", name, TORCHVISION, WIDE, on_tensor(run), tolerance=5e-6, params=params)


def color_jitter_of_pillow():
    """On Pillow images, where the order matters most: every part rounds."""
    for number, (amounts, order) in enumerate(
        [
            ({"brightness": 1.37, "contrast": 0.62, "saturation": 1.29, "hue": 0.08}, "bcsh"),
            ({"brightness": 0.71, "contrast": 1.33, "saturation": 0.64, "hue": -0.31}, "hscb"),
            ({"brightness": 1.2, "contrast": 1.4, "saturation": None, "hue": 0.5}, "chbs"),
        ]
    ):
        parts = {"b": tv.adjust_brightness, "c": tv.adjust_contrast, "s": tv.adjust_saturation, "h": tv.adjust_hue}
        names = {"b": "brightness", "c": "contrast", "s": "saturation", "h": "hue"}

        def run(image):
            made = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
            for letter in order:
                made = made if amounts[names[letter]] is None else parts[letter](made, amounts[names[letter]])
            return np.asarray(made).reshape(image.shape)

        params = [(0, "color_jitter", amounts | {"order": [names[letter] for letter in order]})]
        images = SOME if number == 1 else {"photo": IMAGES["photo"], "gray": GRAY}
        cases("color_jitter", f"pillow_{number}", TORCHVISION, WIDE | {"method": "pillow"}, run, images, params=params)


def color_jitter_of_albumentations():
    """Without a turn of the hue 8 bits are exact; with one, OpenCV's vectors have to be whole: rows of 32 pixels."""
    names = ["brightness", "contrast", "saturation", "hue"]
    message = WIDE | {"method": "albumentations"}
    op = albumentations.ColorJitter()
    for number, (values, order) in enumerate(
        [
            ((1.37, 0.62, 1.4, 0.0), [0, 1, 2, 3]),
            ((0.71, 1.33, 0.6, 0.0), [3, 2, 1, 0]),
            ((1.2, 0.0, 0.25, 0.0), [2, 1, 0, 3]),
            ((1.2, 1.3, 0.8, 0.21), [0, 1, 2, 3]),
            ((1.0, 1.0, 1.0, -0.4), [0, 1, 2, 3]),
        ]
    ):
        amounts = dict(zip(names, values, strict=True))

        def run(image):
            made = op.apply(image.copy(), order=order, **amounts)
            return made.reshape(image.shape)

        params = [(0, "color_jitter", amounts | {"order": [names[part] for part in order]})]
        name = f"albumentations_{number}"
        if values[3] == 0:
            images = {"photo": IMAGES["photo"]} | ({"gray": GRAY, "primaries": IMAGES["primaries"]} if number < 1 else {})
            cases("color_jitter", name, ALBUMENTATIONS, message, run, images, params=params)
        else:
            images = {"large": common.photo(12, 32)}
            cases("color_jitter", name, ALBUMENTATIONS, message, run, images, params=params, tolerance=1, mean_tolerance=0.003)
        if number in (1, 3):
            floats("color_jitter", name, ALBUMENTATIONS, message, run, tolerance=3e-6, params=params)
        if number == 4:
            floats("color_jitter", name, ALBUMENTATIONS, message, run, 255.0, tolerance=8e-4, params=params)


def tensorflow():
    for delta in [-0.3, 0.2, 1.0]:
        run = on_tf(lambda image: tf.image.adjust_brightness(image, delta))
        message = {"delta": [delta, delta]}
        cases("brightness", f"delta_{delta}", TENSORFLOW, message, run, RAMP | WITH_GRAY)
        floats("brightness", f"delta_{delta}", TENSORFLOW, message, run)
    run = on_tf(lambda image: tf.image.adjust_brightness(image, 0.2))
    floats("brightness", "delta_0.2", TENSORFLOW, {"delta": [0.2, 0.2]}, run, 255.0, **TINY255)
    for factor in FACTORS:
        message = {"factor": [factor, factor], "method": "tensorflow"}
        run = on_tf(lambda image: tf.image.adjust_contrast(image, factor))
        cases("contrast", f"tensorflow_{factor}", TENSORFLOW, message, run, SOME | WITH_GRAY)
        floats("contrast", f"tensorflow_{factor}", TENSORFLOW, message, run, **TINY)
        run = on_tf(lambda image: tf.image.adjust_saturation(image, factor))
        cases("saturation", f"tensorflow_{factor}", TENSORFLOW, message, run, SOME)
        floats("saturation", f"tensorflow_{factor}", TENSORFLOW, message, run, **TINY)
    for delta in [-1.0, *DELTAS]:
        message = {"delta": [delta, delta], "method": "tensorflow"}
        run = on_tf(lambda image: tf.image.adjust_hue(image, delta))
        cases("hue", f"tensorflow_{delta}", TENSORFLOW, message, run, SOME)
        floats("hue", f"tensorflow_{delta}", TENSORFLOW, message, run)
    for channels in [1, 3]:
        message = {"channels": channels, "method": "tensorflow"}
        run = lambda image: np.repeat(on_tf(tf.image.rgb_to_grayscale)(image), channels, axis=2)
        cases("grayscale", f"tensorflow_{channels}", TENSORFLOW, message, run, IMAGES)
        floats("grayscale", f"tensorflow_{channels}", TENSORFLOW, message, run)


def others():
    color_jitter_of_albumentations()
    for factor in FACTORS:
        message = {"factor": [factor, factor], "method": "pillow"}
        run = on_pillow(lambda image: ImageEnhance.Contrast(image).enhance(factor))
        cases("contrast", f"pillow_{factor}", PILLOW, message, run, SOME | WITH_GRAY)
        run = on_pillow(lambda image: ImageEnhance.Color(image).enhance(factor))
        cases("saturation", f"pillow_{factor}", PILLOW, message, run, SOME | WITH_GRAY)
    for factor in [0.6, 1.37]:
        limit = factor - 1
        op = albumentations.RandomBrightnessContrast(brightness_limit=(0, 0), contrast_limit=(limit, limit), p=1)
        message = {"factor": [factor, factor], "method": "zero"}
        run = lambda image: op(image=image)["image"]
        cases("contrast", f"zero_{factor}", ALBUMENTATIONS, message, run, RAMP)
        floats("contrast", f"zero_{factor}", ALBUMENTATIONS, message, run)
    for channels in [1, 3]:
        message = {"channels": channels, "method": "pillow"}
        run = lambda image: np.repeat(on_pillow(lambda x: x.convert("L"))(image), channels, axis=2)
        cases("grayscale", f"pillow_{channels}", PILLOW, message, run, IMAGES)
        message = {"channels": channels, "method": "opencv"}
        op = albumentations.ToGray(num_output_channels=channels, p=1)
        run = lambda image: op(image=image)["image"].reshape(*image.shape[:2], channels)
        cases("grayscale", f"opencv_{channels}", ALBUMENTATIONS, message, run, IMAGES)
        floats("grayscale", f"opencv_{channels}", ALBUMENTATIONS, message, run, **TINY)
    low, high = np.float32(0.25), np.float32(0.75)
    floats("clip", "narrow", NUMPY, {"min": 0.25, "max": 0.75}, lambda image: np.clip(image, low, high))
    beyond = UNIT * 2 - np.float32(0.5)
    save("clip/default_f32", NUMPY, [{"clip": {}}], beyond, np.clip(beyond, 0, 1), full=1.0)
    cases("clip", "bytes", NUMPY, {"min": 16, "max": 235}, lambda image: np.clip(image, 16, 235), RAMP | WITH_GRAY | EDGES)
    run = lambda image: albumentations.ToFloat(max_value=255, p=1)(image=image)["image"]
    cases("to_float", "albumentations", ALBUMENTATIONS, {}, run, RAMP)
    run = lambda image: image.astype(np.float32) / np.float32(127.5)
    cases("to_float", "127.5", NUMPY, {"divisor": 127.5}, run, RAMP)
    made = albumentations.Normalize(p=1)(image=IMAGES["ramp"])["image"]
    ops = [{"to_float": {}}, {"normalize": {}}]
    save("normalize/albumentations", ALBUMENTATIONS, ops, IMAGES["ramp"], made, **TINY)
    # Floats before the last ops: no table, the ops one after the other.
    ops = [{"to_float": {}}, {"brightness": {"delta": [0.1, 0.1]}}, {"normalize": {}}]
    made = IMAGES["photo"].astype(np.float32) / np.float32(255) + np.float32(0.1)
    save("normalize/after_floats", NUMPY, ops, IMAGES["photo"], (made - np.float32(MEAN)) / np.float32(STD))


{"torchvision": torchvision, "tensorflow": tensorflow, "others": others}[sys.argv[1]]()
