"""Writes the golden files of the colour ops that make_colour.py has not (tests/data/golden/<op>): what torchvision, tf.image, Pillow
and albumentations (OpenCV) make of small, difficult images. Run it again only to add cases: the files are committed.

pip install torch==2.15.0 torchvision==0.29.2 albumentations==2.0.8 opencv-python-headless==4.11.0.86 tensorflow-cpu==2.21.0 \
    pillow==13.0.0 numpy==2.4.6 scikit-image==0.26.0
"""

import os
import subprocess
import sys

import common
import numpy as np
from common import producer, save

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
OPS = ["random_brightness_contrast", "solarize", "posterize", "equalize", "auto_contrast", "invert", "hue_saturation_value", "gamma"]
OPS += ["rgb_shift", "channel_shuffle", "channel_dropout", "to_sepia", "clahe", "fancy_pca", "photometric_distort", "hsv_gain", "random_tone_curve"]
# The libraries can't share a process: torch and TensorFlow bring two versions of LLVM.
if len(sys.argv) < 2:
    for op in [*OPS, "grayscale"]:
        common.clear(op)
    for library in ["torchvision", "tensorflow", "others"]:
        subprocess.run([sys.executable, __file__, library], check=True)
    raise SystemExit
if sys.argv[1] == "torchvision":
    # Without fused multiplications, as torch computes on processors that have none: the same bytes everywhere.
    os.environ["ATEN_CPU_CAPABILITY"] = "default"
    import torch
    from torchvision.transforms.v2 import functional as tv
elif sys.argv[1] == "tensorflow":
    import tensorflow as tf
else:
    import albumentations as A
    import cv2
    from PIL import Image, ImageOps

ALBUMENTATIONS = producer("albumentations")
PILLOW = producer("pillow")
TENSORFLOW = producer("tensorflow-cpu")
TORCHVISION = producer("torchvision")

RAMP, PRIMARIES, NOISE = common.ramp(), common.primaries(), common.noise(11, 13)
PIXEL, CHECKER = common.pixel(), common.checker()
# Enough pixels for steps of a histogram to be more than one, and rows of whole vectors.
LARGE = common.photo(12, 32)
GRAY = common.noise(7, 9, 1)
LARGE_GRAY = np.ascontiguousarray(LARGE[:, :, 1:2] // 2 + 40)
# Floats: 0 to 1 with both ends, none of them a whole number of 255ths.
UNIT = (common.noise(3, 32, seed=3).astype(np.float32) / np.float32(254.3)).clip(0, 1)
UNIT[0, 0], UNIT[0, 1] = 0, 1
UNIT_GRAY = np.ascontiguousarray(UNIT[:, :, 1:2])
IMAGES = {"ramp": RAMP, "primaries": PRIMARIES, "pixel": PIXEL, "gray": GRAY}


def on_tensor(f):
    """A function of torchvision, on height, width, channels."""

    def run(image):
        return f(torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))).numpy().transpose(1, 2, 0)

    return run


def on_pillow(f):
    """A function of Pillow, on one channel or three."""

    def run(image):
        found = np.asarray(f(Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)))
        return found[:, :, None] if found.ndim == 2 else found

    return run


def by_albumentations(transform, **params):
    """What a transform makes of an image, with these parameters or those that its ranges fix."""

    def run(image):
        drawn = params or transform.get_params() | transform.get_params_dependent_on_data(
            {"shape": image.shape}, {"image": image}
        )
        found = transform.apply(image.copy(), **drawn)
        return found[:, :, None] if found.ndim == 2 else found

    return run


def cases(op, name, made_by, message, f, images, **exactness):
    """One case for each image. Floats are at a scale of 1."""
    for label, image in images.items():
        full = None if image.dtype == np.uint8 else 1.0
        save(f"{op}/{name}_{label}", made_by, [{op: message}], image, f(image), full=full, **exactness)


def scaled(op, name, made_by, message, f, **exactness):
    """One case of floats from 0 to 255. `f` works on 0 to 1."""
    found = f(UNIT) * np.float32(255)
    save(f"{op}/{name}_f32_255", made_by, [{op: message}], UNIT * np.float32(255), found, full=255.0, **exactness)


# Of one set of parameters at least.
EDGES = {"pixel": PIXEL, "primaries": PRIMARIES, "photo": common.photo(9, 11)}
ONCE = {"p": 1}
FLOATS = {"f32": UNIT}
HUES = {"noise": common.noise(4, 32, seed=4), "large": LARGE}
# Where OpenCV fuses multiplications with additions, one value in a thousand is cut off one lower or higher.
FUSED = {"tolerance": 1, "mean_tolerance": 0.003}
TINY = {"tolerance": 2e-6}
TINY255 = {"tolerance": 5e-4}


def torchvision():
    for threshold in [0.0, 100.5, 128.0]:
        run = on_tensor(lambda image: tv.solarize(image, threshold if image.dtype == torch.uint8 else threshold / 255))
        message = {"threshold": [threshold, threshold]} | ONCE
        images = IMAGES | FLOATS | (EDGES if threshold == 100.5 else {})
        cases("solarize", f"torchvision_{threshold}", TORCHVISION, message, run, images)
        scaled("solarize", f"torchvision_{threshold}", TORCHVISION, message, run, tolerance=2e-5)
    for bits in [0, 1, 3, 4, 7, 8]:
        run = on_tensor(lambda image: tv.posterize(image, bits))
        cases("posterize", f"torchvision_{bits}", TORCHVISION, {"bits": [bits, bits]} | ONCE, run, {"ramp": RAMP} | FLOATS)
    run = on_tensor(lambda image: tv.posterize(image, 4))
    cases("posterize", "torchvision_gray", TORCHVISION, ONCE, run, EDGES | {"gray": GRAY})
    scaled("posterize", "torchvision_4", TORCHVISION, ONCE, run, tolerance=2e-5)
    run = on_tensor(tv.equalize)
    images = {"large": LARGE, "large_gray": LARGE_GRAY, "pixel": PIXEL, "checker": CHECKER, "noise": NOISE}
    images |= {"dark": LARGE // 9}
    cases("equalize", "torchvision", TORCHVISION, ONCE, run, images)
    cases("equalize", "torchvision", TORCHVISION, ONCE, run, {"f32": (LARGE / np.float32(260)).astype(np.float32)}, tolerance=1e-7)
    run = on_tensor(tv.autocontrast)
    images = {"large": LARGE, "pixel": PIXEL, "gray": LARGE_GRAY, "noise": NOISE // 3 + 7, "primaries": PRIMARIES}
    half = (UNIT * np.float32(0.6) + np.float32(0.123)).astype(np.float32)
    cases("auto_contrast", "torchvision", TORCHVISION, ONCE, run, images | {"f32": half, "f32_gray": half[:, :, 1:2]})
    scaled("auto_contrast", "torchvision", TORCHVISION, ONCE, run, **TINY255)
    run = on_tensor(tv.invert)
    cases("invert", "torchvision", TORCHVISION, ONCE, run, IMAGES | EDGES | FLOATS)
    scaled("invert", "torchvision", TORCHVISION, ONCE, run, tolerance=2e-5)
    for gamma, gain in [(1.0, 1.0), (0.5, 1.0), (2.2, 1.0), (0.8, 1.3), (0.0, 1.0)]:
        run = on_tensor(lambda image: tv.adjust_gamma(image, gamma, gain))
        message = {"gamma": [gamma, gamma], "gain": gain}
        images = {"ramp": RAMP, "gray": GRAY} | (EDGES if gamma == 0.8 else {})
        cases("gamma", f"torchvision_{gamma}", TORCHVISION, message, run, images)
        cases("gamma", f"torchvision_{gamma}", TORCHVISION, message, run, FLOATS, **TINY)
    scaled("gamma", "torchvision_0.5", TORCHVISION, {"gamma": [0.5, 0.5]}, on_tensor(lambda x: tv.adjust_gamma(x, 0.5)), **TINY255)
    photometric_distort()
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]:
        params = [(0, "channel_shuffle", order)]
        run = on_tensor(lambda image: tv.permute_channels(image, order))
        images = {"primaries": PRIMARIES} | ({"large": LARGE} | FLOATS if order == [1, 2, 0] else {})
        name = "torchvision_" + "".join(map(str, order))
        cases("channel_shuffle", name, TORCHVISION, ONCE, run, images, params=params)


def photometric_distort():
    for number, (brightness, contrast, saturation, hue, before, order) in enumerate(
        [
            (1.1, 1.3, 0.6, 0.04, True, [2, 0, 1]),
            (0.9, 0.7, 1.4, -0.05, False, None),
            (None, 1.2, None, 0.02, False, [1, 0, 2]),
            (None, None, None, None, True, None),
        ]
    ):

        def run(tensor):
            tensor = tensor if brightness is None else tv.adjust_brightness(tensor, brightness)
            tensor = tv.adjust_contrast(tensor, contrast) if contrast is not None and before else tensor
            tensor = tensor if saturation is None else tv.adjust_saturation(tensor, saturation)
            tensor = tensor if hue is None else tv.adjust_hue(tensor, hue)
            tensor = tv.adjust_contrast(tensor, contrast) if contrast is not None and not before else tensor
            return tensor if order is None or tensor.shape[0] == 1 else tv.permute_channels(tensor, order)

        drawn = {"brightness": brightness, "contrast": contrast, "saturation": saturation, "hue": hue}
        params = [(0, "photometric_distort", drawn | {"contrast_before": before, "channels": order})]
        images = {"large": LARGE, "noise": NOISE, "gray": GRAY} | (EDGES if number == 1 else {})
        cases("photometric_distort", f"{number}", TORCHVISION, {}, on_tensor(run), images, params=params)
        cases("photometric_distort", f"{number}", TORCHVISION, {}, on_tensor(run), FLOATS, params=params, tolerance=5e-6)


def tensorflow():
    for gamma, gain in [(1.0, 1.0), (2.2, 1.0), (0.8, 1.3)]:
        run = lambda image: tf.image.adjust_gamma(tf.constant(image), gamma, gain).numpy()
        message = {"gamma": [gamma, gamma], "gain": gain, "method": "tensorflow"}
        cases("gamma", f"tensorflow_{gamma}", TENSORFLOW, message, run, {"ramp": RAMP, "gray": GRAY})
        cases("gamma", f"tensorflow_{gamma}", TENSORFLOW, message, run, FLOATS, **TINY)


def others():
    pillow()
    for contrast, brightness in [(0.0, 0.0), (0.2, -0.1), (-0.3, 0.25), (-1.0, 0.3), (3.0, -1.0)]:
        for by_max in [True, False]:
            transform = A.RandomBrightnessContrast((brightness,) * 2, (contrast,) * 2, brightness_by_max=by_max)
            message = {"brightness_limit": [brightness] * 2, "contrast_limit": [contrast] * 2, "brightness_by_max": by_max}
            name = f"{contrast}_{brightness}_{'max' if by_max else 'mean'}"
            run = by_albumentations(transform)
            images = {"ramp": RAMP, "gray": GRAY} | (EDGES if contrast == 0.2 else {})
            cases("random_brightness_contrast", name, ALBUMENTATIONS, message | ONCE, run, images)
            exactness = {} if by_max else TINY
            cases("random_brightness_contrast", name, ALBUMENTATIONS, message | ONCE, run, FLOATS, **exactness)
    for threshold in [0.25, 0.5, 1.0]:
        message = {"threshold": [255 * threshold] * 2} | ONCE
        run = by_albumentations(A.Solarize((threshold, threshold)))
        cases("solarize", f"albumentations_{threshold}", ALBUMENTATIONS, message, run, {"ramp": RAMP} | FLOATS)
    for bits in [1, 5]:
        run = by_albumentations(A.Posterize(bits))
        cases("posterize", f"albumentations_{bits}", ALBUMENTATIONS, {"bits": [bits, bits]} | ONCE, run, {"ramp": RAMP})
    images = {"large": LARGE, "large_gray": LARGE_GRAY, "pixel": PIXEL, "checker": CHECKER, "noise": NOISE, "dark": LARGE // 9}
    images |= {"f32": UNIT}
    run = by_albumentations(A.Equalize())
    cases("equalize", "opencv", ALBUMENTATIONS, {"method": "opencv"} | ONCE, run, images)
    run = by_albumentations(A.Equalize(by_channels=False))
    message = {"method": "opencv", "by_channels": False} | ONCE
    cases("equalize", "luma", ALBUMENTATIONS, message, run, images | {"ramp": RAMP, "primaries": PRIMARIES})
    pil = {"method": "albumentations_pil"} | ONCE
    cases("equalize", "pil", ALBUMENTATIONS, pil, by_albumentations(A.Equalize(mode="pil")), images)
    run = by_albumentations(A.Equalize(mode="pil", by_channels=False))
    cases("equalize", "pil_luma", ALBUMENTATIONS, pil | {"by_channels": False}, run, {"large": LARGE, "noise": NOISE})
    images = {"large": LARGE, "pixel": PIXEL, "gray": LARGE_GRAY, "noise": NOISE // 3 + 7, "f32": UNIT}
    for cutoff in [0, 2, 45]:
        for method, spelled in [("cdf", "albumentations"), ("pil", "albumentations_linear")]:
            run = by_albumentations(A.AutoContrast(cutoff=cutoff, method=method))
            message = {"method": spelled, "cutoff": cutoff} | ONCE
            cases("auto_contrast", f"{spelled}_{cutoff}", ALBUMENTATIONS, message, run, images)
    cases("invert", "albumentations", ALBUMENTATIONS, ONCE, by_albumentations(A.InvertImg()), {"ramp": RAMP} | FLOATS)
    for number, (hue, saturation, value) in enumerate([(20, 30, -20), (-17.5, -30.7, 12.2), (0, 0, 0), (0, 0, 40), (-180, 255, 0), (90.5, 0, 0)]):
        limits = {"hue_shift_limit": [hue] * 2, "sat_shift_limit": [saturation] * 2, "val_shift_limit": [value] * 2}
        transform = A.HueSaturationValue(**{key: tuple(limit) for key, limit in limits.items()})
        run = by_albumentations(transform)
        images = HUES | ({"gray": common.noise(2, 64, 1)} if hue == 0 else {}) | FLOATS
        cases("hue_saturation_value", f"{number}", ALBUMENTATIONS, limits | ONCE, run, images, **FUSED)
        cases("hue_saturation_value", f"{number}", ALBUMENTATIONS, limits | ONCE, run, {"primaries": PRIMARIES, "pixel": PIXEL}, tolerance=1)
    for gamma in [1.0, 0.5, 1.2]:
        run = by_albumentations(A.RandomGamma((100 * gamma, 100 * gamma)))
        message = {"gamma": [gamma, gamma], "method": "albumentations"}
        cases("gamma", f"albumentations_{gamma}", ALBUMENTATIONS, message, run, {"ramp": RAMP, "gray": GRAY})
        cases("gamma", f"albumentations_{gamma}", ALBUMENTATIONS, message, run, FLOATS, **TINY)
    for number, shifts in enumerate([(20.0, -20.0, 0.0), (3.7, -3.7, 255.0), (-255.0, 100.0, 1.5)]):
        # At most 1 is a fraction to the library.
        limits = dict(zip(["r_shift_limit", "g_shift_limit", "b_shift_limit"], shifts, strict=True))
        run = by_albumentations(A.RGBShift(**{key: (shift, shift) for key, shift in limits.items()}))
        message = {key: [shift, shift] for key, shift in limits.items()} | ONCE
        cases("rgb_shift", f"{number}", ALBUMENTATIONS, message, run, IMAGES | (EDGES if number == 1 else {}))
        cases("rgb_shift", f"{number}", ALBUMENTATIONS, message, run, FLOATS | {"f32_gray": UNIT_GRAY}, tolerance=1e-7)
    run = by_albumentations(A.ChannelShuffle(), channels_shuffled=[2, 0, 1])
    params = [(0, "channel_shuffle", [2, 0, 1])]
    cases("channel_shuffle", "albumentations", ALBUMENTATIONS, ONCE, run, {"ramp": RAMP, "pixel": PIXEL} | FLOATS, params=params)
    for dropped, fill in [([0], 0), ([1, 2], 77), ([2], 254.9)]:
        channels = [channel in dropped for channel in range(3)]
        params = [(0, "channel_dropout", channels)]
        message = {"channel_drop_range": [1, 2], "fill": fill} | ONCE
        name = "".join(map(str, dropped))
        run = by_albumentations(A.ChannelDropout((1, 2), fill=fill), channels_to_drop=dropped)
        cases("channel_dropout", name, ALBUMENTATIONS, message, run, EDGES | {"large": LARGE}, params=params)
        run = by_albumentations(A.ChannelDropout((1, 2), fill=fill / 255), channels_to_drop=dropped)
        cases("channel_dropout", name, ALBUMENTATIONS, message, run, FLOATS, params=params)
    run = by_albumentations(A.ToSepia(), _=None)
    cases("to_sepia", "albumentations", ALBUMENTATIONS, ONCE, run, {"large": LARGE, "ramp": RAMP, "gray": GRAY})
    cases("to_sepia", "albumentations", ALBUMENTATIONS, ONCE, run, {"primaries": PRIMARIES, "pixel": PIXEL}, tolerance=1)
    cases("to_sepia", "albumentations", ALBUMENTATIONS, ONCE, run, FLOATS, **TINY)


    gray()
    clahe()
    fancy_pca()
    hsv_gain()
    for number, (low, high) in enumerate([([0.25] * 3, [0.75] * 3), ([0.0] * 3, [1.0] * 3), ([0.1, 0.5, 1.0], [0.3, 0.9, 0.0])]):
        params = [(0, "random_tone_curve", {"low_y": low, "high_y": high})]
        single = number < 2
        drawn = {"low_y": low[0], "high_y": high[0]} if single else {"low_y": np.array(low), "high_y": np.array(high)}
        run = by_albumentations(A.RandomToneCurve(per_channel=not single), **drawn)
        images = {"ramp": RAMP} | FLOATS | ({"gray": GRAY} if single else {}) | (EDGES if number == 2 else {})
        cases("random_tone_curve", f"{number}", ALBUMENTATIONS, ONCE, run, images, params=params)


def gray():
    """The methods of ToGray that make_colour.py has not."""
    for method in ["from_lab", "desaturation", "average", "max"]:
        for channels in [1, 3]:
            run = by_albumentations(A.ToGray(channels, method), _=None)
            images = {"ramp": RAMP, "primaries": PRIMARIES} if channels == 3 else {"noise": NOISE}
            message = {"channels": channels, "method": method}
            cases("grayscale", f"albumentations_{method}_{channels}", ALBUMENTATIONS, message, run, images)
            exactness = {"tolerance": 1e-7} if method == "average" else {}
            cases("grayscale", f"albumentations_{method}_{channels}", ALBUMENTATIONS, message, run, FLOATS, **exactness)
    # Colours whose variances are far apart, close together, and opposite to each other: the sign of the axis shows in each.
    opposite = np.stack([NOISE[:, :, 0], 255 - NOISE[:, :, 0] // 2, NOISE[:, :, 1] // 3], axis=-1)
    images = {"ramp": RAMP, "primaries": PRIMARIES, "photo": LARGE, "noise": NOISE, "opposite": opposite, "pixel": PIXEL}
    for channels in [1, 3]:
        run = by_albumentations(A.ToGray(channels, "pca"), _=None)
        message = {"channels": channels, "method": "pca"}
        name = f"albumentations_pca_{channels}"
        some = images if channels == 3 else {"opposite": opposite}
        cases("grayscale", name, ALBUMENTATIONS, message, run, some, share=0.002)
        floats = FLOATS | {"photo_f32": LARGE / np.float32(255)}
        cases("grayscale", name, ALBUMENTATIONS, message, run, floats, tolerance=5e-6)
    scaled("grayscale", "albumentations_pca", ALBUMENTATIONS, message, run, tolerance=1e-3)


def clahe():
    for number, (limit, tiles) in enumerate([(4.0, (8, 8)), (1.0, (2, 3)), (2.5, (1, 1)), (40.0, (4, 4))]):
        run = by_albumentations(A.CLAHE((limit, limit), tiles))
        message = {"clip_limit": [limit, limit], "tile_grid_size": tiles} | ONCE
        images = {"large": common.photo(16, 24), "odd": common.photo(11, 19), "gray": common.noise(19, 21, 1)} | FLOATS
        images |= {"pixel": PIXEL, "primaries": PRIMARIES, "dark_gray": LARGE_GRAY // 3}
        for name, image in images.items():
            # A lightness that is off by 1 moves a colour by a few values.
            exactness = {"tolerance": 4 if image.dtype == np.uint8 else 4 / 255, "mean_tolerance": 0.004}
            cases("clahe", f"{number}", ALBUMENTATIONS, message, run, {name: image}, **exactness)


def fancy_pca():
    """With the signs of the axes turned to where the largest component is positive."""
    for number, alphas in enumerate([(0.1, -0.05, 0.2), (5.0, -30.0, 90.0), (0.0, 0.0, 0.0)]):
        params = [(0, "fancy_pca", list(alphas))]
        for name, image in {"large": LARGE, "noise": NOISE, "primaries": PRIMARIES, "f32": UNIT}.items():
            unit = image.reshape(-1, 3).astype(np.float64) / (1 if name == "f32" else 255)
            axes = np.linalg.eigh(np.cov(unit, rowvar=False))[1][:, ::-1]
            signs = np.sign(axes[np.abs(axes).argmax(axis=0), range(3)])
            run = by_albumentations(A.FancyPCA(), alpha_vector=(np.array(alphas) * signs).astype(np.float32))
            exactness = {"tolerance": 1e-5} if name == "f32" else {"tolerance": 1, "mean_tolerance": 0.001}
            cases("fancy_pca", f"{number}", ALBUMENTATIONS, ONCE, run, {name: image}, params=params, **exactness)
        run = by_albumentations(A.FancyPCA(), alpha_vector=np.array(alphas[:1], np.float32))
        cases("fancy_pca", f"{number}", ALBUMENTATIONS, ONCE, run, {"gray": GRAY}, params=params, tolerance=1, mean_tolerance=0.02)


def hsv_gain():
    """The published formula: three tables on OpenCV's HSV."""
    x = np.arange(256, dtype=np.float64)
    for number, (hue, saturation, value) in enumerate([(1.0, 1.0, 1.0), (1.01, 1.6, 0.7), (0.985, 0.3, 1.4), (1.9, 2.0, 2.0)]):
        tables = [(x * hue) % 180, np.clip(x * saturation, 0, 255), np.clip(x * value, 0, 255)]

        def run(image):
            planes = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2HSV))
            planes = [cv2.LUT(plane, table.astype(np.uint8)) for plane, table in zip(planes, tables, strict=True)]
            return cv2.cvtColor(cv2.merge(planes), cv2.COLOR_HSV2RGB)

        params = [(0, "hsv_gain", [hue, saturation, value])]
        made_by = producer("opencv-python-headless")
        images = HUES | ({"pixel": PIXEL} if number == 1 else {})
        cases("hsv_gain", f"{number}", made_by, {}, run, images, params=params, **FUSED)


def pillow():
    for threshold in [0, 128, 256]:
        message = {"threshold": [threshold, threshold]} | ONCE
        run = on_pillow(lambda image: ImageOps.solarize(image, threshold))
        cases("solarize", f"pillow_{threshold}", PILLOW, message, run, {"ramp": RAMP, "gray": GRAY})
    run = on_pillow(lambda image: ImageOps.posterize(image, 4))
    cases("posterize", "pillow", PILLOW, ONCE, run, {"ramp": RAMP, "gray": GRAY})
    images = {"large": LARGE, "large_gray": LARGE_GRAY, "pixel": PIXEL, "checker": CHECKER, "dark": LARGE // 9}
    cases("equalize", "pillow", PILLOW, ONCE, on_pillow(ImageOps.equalize), images)
    images = {"large": LARGE, "pixel": PIXEL, "gray": LARGE_GRAY, "noise": NOISE // 3 + 7}
    for cutoff in [0, 2, 45]:
        run = on_pillow(lambda image: ImageOps.autocontrast(image, cutoff))
        message = {"method": "pillow", "cutoff": cutoff} | ONCE
        cases("auto_contrast", f"pillow_{cutoff}", PILLOW, message, run, images)
    cases("invert", "pillow", PILLOW, ONCE, on_pillow(ImageOps.invert), {"ramp": RAMP, "gray": GRAY})


globals()[sys.argv[1]]()
