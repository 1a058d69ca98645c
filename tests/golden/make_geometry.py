"""Writes the golden files of the geometry ops (tests/data/golden/<op>): what torchvision, tf.image, albumentations (OpenCV) and
Pillow make of small, difficult images. Run it again only to add cases: the files are committed.

Versions: requirements.txt. All of these scripts at once: generate.py.
"""

import os
import subprocess
import sys

import numpy as np

import common
from common import checker, noise, photo, pixel, primaries, producer, ramp, save

common.require(*common.PINS)
ALBUMENTATIONS = producer("albumentations")
OPENCV = producer("opencv-python-headless")
PILLOW = producer("pillow")
TENSORFLOW = producer("tensorflow-cpu")
TORCHVISION = producer("torchvision")

# Importing both TensorFlow and torch aborts, so every library has a process of its own.
LIBRARIES = ["pillow", "torchvision", "tensorflow", "opencv"]
if len(sys.argv) == 1:
    ops = ["horizontal_flip", "vertical_flip", "rot90", "center_crop", "central_crop", "fixed_crop", "random_crop"]
    for op in [*ops, "random_resized_crop", "resize"]:
        common.clear(op)
    for library in LIBRARIES:
        subprocess.run([sys.executable, __file__, library], check=True)
    raise SystemExit
if sys.argv[1] == "pillow":
    from PIL import Image
elif sys.argv[1] == "torchvision":
    # Its resize of 8 bits is a loop in integers there, as on the processors of nearly everyone; without it it is another one, in floats.
    os.environ["ATEN_CPU_CAPABILITY"] = "avx2"
    import torch
    from torchvision.transforms.v2 import InterpolationMode
    from torchvision.transforms.v2 import functional as tv
elif sys.argv[1] == "tensorflow":
    import tensorflow as tf
elif sys.argv[1] == "opencv":
    import albumentations
    import cv2

# Mean difference of 8-bit images whose values differ by 1 at most: only roundings may, and both ways.
MEAN = 0.25


def chw(image):
    """A torch tensor, channels first."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


def hwc(tensor):
    """An array, channels last."""
    return tensor.numpy().transpose(1, 2, 0)


def floats(image):
    """The image in [0, 1]."""
    return image.astype(np.float32) / np.float32(255)


def crop_sizes():
    """Sizes of crops of a 17x24 image, with margins of every kind of half."""
    return [(4, 5), (5, 4), (3, 3), (2, 1), (17, 24), (14, 21), (16, 22)]


def window():
    """A photograph, a window of it, and what a crop of that draws. The surroundings are extreme, so that a filter that looks
    beyond the window is caught."""
    image = photo(28, 36)
    image[:6] = image[:, :10] = 255
    image[22:] = image[:, 28:] = 0
    drawn = {"x": 10, "y": 6, "size": {"width": 18, "height": 16}}
    return image, image[6:22, 10:28], [(0, "random_resized_crop", drawn)]


def torchvision():
    for op, function in [("horizontal_flip", tv.horizontal_flip), ("vertical_flip", tv.vertical_flip)]:
        for name, image in [("primaries", primaries()), ("pixel", pixel()), ("gray", noise(3, 4, 1)), ("photo", photo(9, 11))]:
            save(f"{op}/{name}", TORCHVISION, [{op: {"p": 1}}], image, hwc(function(chw(image))))
        image = floats(noise(5, 6))
        save(f"{op}/floats", TORCHVISION, [{op: {"p": 1}}], image, hwc(function(chw(image))), full=1.0)

    image = noise()
    for height, width in crop_sizes():
        op = {"center_crop": {"height": height, "width": width}}
        expected = hwc(tv.center_crop(chw(image), [height, width]))
        save(f"center_crop/torchvision_{height}x{width}", TORCHVISION, [op], image, expected)
    for name, image, height, width in [("pixel", pixel(), 1, 1), ("primaries", primaries(), 2, 3), ("photo", photo(12, 15), 7, 8)]:
        op = {"center_crop": {"height": height, "width": width}}
        save(f"center_crop/torchvision_{name}", TORCHVISION, [op], image, hwc(tv.center_crop(chw(image), [height, width])))
    image = floats(noise(7, 5, 1))
    expected = hwc(tv.center_crop(chw(image), [4, 2]))
    op = {"center_crop": {"height": 4, "width": 2}}
    save("center_crop/torchvision_floats_gray", TORCHVISION, [op], image, expected, full=1.0)

    op = {"fixed_crop": {"height": 1, "width": 1, "x": 0, "y": 0}}
    save("fixed_crop/pixel", TORCHVISION, [op], pixel(), hwc(tv.crop(chw(pixel()), 0, 0, 1, 1)))
    op = {"fixed_crop": {"height": 3, "width": 4, "x": 3, "y": 1}}
    save("fixed_crop/primaries", TORCHVISION, [op], primaries(), hwc(tv.crop(chw(primaries()), 1, 3, 3, 4)))
    image = photo(17, 24)
    corners = ["top_left", "top_right", "bottom_left", "bottom_right"]
    for corner, expected in zip(corners, tv.five_crop(chw(image), [9, 13])):
        op = {"fixed_crop": {"height": 9, "width": 13, "corner": corner}}
        save(f"fixed_crop/five_crop_{corner}", TORCHVISION, [op], image, hwc(expected))

    image = noise(5, 7)
    for border in ["constant", "edge", "reflect", "symmetric"]:
        fill = [10, 20, 30] if border == "constant" else [0, 0, 0]
        padded = tv.pad(chw(image), [4], fill=fill if border == "constant" else None, padding_mode=border)
        for x, y in [(0, 0), (2, 3), (9, 7), (4, 4)]:
            op = {"random_crop": {"height": 6, "width": 6, "padding": 4, "border": border, "fill": fill}}
            params = [(0, "random_crop", {"x": x - 4, "y": y - 4})]
            expected = hwc(tv.crop(padded, y, x, 6, 6))
            save(f"random_crop/{border}_{x}_{y}", TORCHVISION, [op], image, expected, params=params)
    op = {"random_crop": {"height": 9, "width": 3, "pad_if_needed": True}}
    padded = tv.pad(chw(image), [0, 4], fill=0)
    params = [(0, "random_crop", {"x": 3, "y": -1})]
    save("random_crop/pad_if_needed", TORCHVISION, [op], image, hwc(tv.crop(padded, 3, 3, 9, 3)), params=params)

    image, _, params = window()
    box = (6, 10, 16, 18)
    modes = {"bilinear": InterpolationMode.BILINEAR, "bicubic": InterpolationMode.BICUBIC}
    for height, width in [(8, 9), (19, 22), (7, 24), (16, 18)]:
        for name, mode in modes.items():
            op = {"random_resized_crop": {"height": height, "width": width, "filter": name}}
            case = f"random_resized_crop/torchvision_{name}_{height}x{width}"
            expected = hwc(tv.resized_crop(chw(image), *box, [height, width], mode, antialias=True))
            save(case, TORCHVISION, [op], image, expected, tolerance=1, mean_tolerance=MEAN, params=params)
            expected = hwc(tv.resized_crop(chw(floats(image)), *box, [height, width], mode, antialias=True))
            save(case + "_floats", TORCHVISION, [op], floats(image), expected, tolerance=2e-6, full=1.0, params=params)

    resize_torchvision()


def tensorflow():
    image = primaries()
    for turns in range(4):
        op = {"rot90": {"turns": [turns]}}
        save(f"rot90/turns_{turns}", TENSORFLOW, [op], image, tf.image.rot90(image, turns).numpy())
    image = noise()
    op = {"fixed_crop": {"height": 4, "width": 20, "x": 2, "y": 11}}
    save("fixed_crop/tensorflow", TENSORFLOW, [op], image, tf.image.crop_to_bounding_box(image, 11, 2, 4, 20).numpy())
    # Larger than the tiles that the loop works in.
    save("rot90/pixel", TENSORFLOW, [{"rot90": {"turns": [1]}}], pixel(), tf.image.rot90(pixel(), 1).numpy())
    image = photo(35, 44)
    save("rot90/photo", TENSORFLOW, [{"rot90": {"turns": [3]}}], image, tf.image.rot90(image, 3).numpy())
    image = noise(37, 70, 1)
    save("rot90/gray", TENSORFLOW, [{"rot90": {"turns": [1]}}], image, tf.image.rot90(image, 1).numpy())
    image = floats(noise(5, 6))
    save("rot90/floats", TENSORFLOW, [{"rot90": {"turns": [3]}}], image, tf.image.rot90(image, 3).numpy(), full=1.0)

    for name, image in [("noise", noise()), ("primaries", primaries()), ("pixel", pixel())]:
        for fraction in [0.1, 0.5, 0.7, 0.875, 1.0]:
            op = {"central_crop": {"fraction": [fraction, fraction]}}
            expected = tf.image.central_crop(image, fraction).numpy()
            save(f"central_crop/{name}_{fraction}", TENSORFLOW, [op], image, expected)
    op = {"central_crop": {"fraction": [0.6, 0.6]}}
    image = photo(13, 18)
    save("central_crop/photo", TENSORFLOW, [op], image, tf.image.central_crop(image, 0.6).numpy())
    image = floats(noise(9, 14, 1))
    save("central_crop/floats_gray", TENSORFLOW, [op], image, tf.image.central_crop(image, 0.6).numpy(), full=1.0)

    image = floats(noise(5, 7, 1))
    op = {"random_crop": {"height": 3, "width": 2}}
    params = [(0, "random_crop", {"x": 5, "y": 2})]
    expected = tf.image.crop_to_bounding_box(image, 2, 5, 3, 2).numpy()
    save("random_crop/floats_gray", TENSORFLOW, [op], image, expected, full=1.0, params=params)
    # As large as the image: there is one place only.
    for name, image in [("whole", primaries()), ("pixel", pixel())]:
        op = {"random_crop": dict(zip(["height", "width"], image.shape[:2]))}
        save(f"random_crop/{name}", TENSORFLOW, [op], image, tf.image.random_crop(image, image.shape).numpy())
    image = photo(12, 16)
    op = {"random_crop": {"height": 8, "width": 9}}
    params = [(0, "random_crop", {"x": 6, "y": 1})]
    save("random_crop/photo", TENSORFLOW, [op], image, tf.image.crop_to_bounding_box(image, 1, 6, 8, 9).numpy(), params=params)

    resize_tensorflow()


def opencv():
    image = noise()
    op = {"fixed_crop": {"height": 8, "width": 5, "x": 7, "y": 1}}
    crop = albumentations.Crop(x_min=7, y_min=1, x_max=12, y_max=9)
    save("fixed_crop/albumentations", ALBUMENTATIONS, [op], image, crop(image=image)["image"])
    gray = floats(noise(9, 12, 1))
    save("fixed_crop/albumentations_floats_gray", ALBUMENTATIONS, [op], gray, crop(image=gray)["image"].reshape(8, 5, 1), full=1.0)

    for height, width in crop_sizes():
        op = {"center_crop": {"height": height, "width": width, "centre": "floor"}}
        expected = albumentations.CenterCrop(height, width)(image=image)["image"]
        save(f"center_crop/albumentations_{height}x{width}", ALBUMENTATIONS, [op], image, expected)

    image, inside, params = window()
    op = {"random_resized_crop": {"height": 8, "width": 9, "antialias": False}}
    expected = cv2.resize(np.ascontiguousarray(inside), (9, 8), interpolation=cv2.INTER_LINEAR)
    save("random_resized_crop/opencv_8x9", OPENCV, [op], image, expected, tolerance=1, mean_tolerance=MEAN, params=params)

    resize_opencv()


def pillow():
    images = {"noise": noise(), "photo": photo(20, 28), "checker": checker(), "ramp": ramp(), "gray": noise(13, 9, 1)}
    filters = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
    filters |= {"lanczos3": Image.Resampling.LANCZOS, "box": Image.Resampling.BOX, "nearest_exact": Image.Resampling.NEAREST}
    for name, image in images.items():
        for filter, pillow in filters.items():
            sizes = [(16, 5), (9, 16)] if name == "ramp" else [(7, 9), (19, 26)]
            if filter == "nearest_exact":
                # Sizes at which no point lies on the line between two pixels: there Pillow's sums of steps go astray.
                sizes = {"noise": [(7, 16), (24, 32)]}.get(name, [])
            if name == "photo" and filter != "nearest_exact":
                sizes = [*sizes, (1, 1)]
            for height, width in sizes:
                op = {"resize": {"height": height, "width": width, "filter": filter}}
                squeezed = image[:, :, 0] if image.shape[2] == 1 else image
                expected = np.array(Image.fromarray(squeezed).resize((width, height), pillow))
                expected = expected.reshape(height, width, image.shape[2])
                save(f"resize/pillow_{name}_{filter}_{height}x{width}", PILLOW, [op], image, expected)


def resize_torchvision():
    modes = {"bilinear": InterpolationMode.BILINEAR, "bicubic": InterpolationMode.BICUBIC}
    image = noise(seed=8)
    small = floats(image[:11, :13])
    for name, mode in modes.items():
        for height, width in [(7, 9), (19, 26), (1, 1), (17, 5)]:
            op = {"resize": {"height": height, "width": width, "filter": name}}
            case = f"resize/torchvision_{name}_{height}x{width}"
            if height > 1:  # torch 2.15 fails on an assertion of its own when 8 bits become one pixel.
                expected = hwc(tv.resize(chw(image), [height, width], mode, antialias=True))
                save(case, TORCHVISION, [op], image, expected, tolerance=1, mean_tolerance=MEAN)
            expected = hwc(tv.resize(chw(small), [height, width], mode, antialias=True))
            save(case + "_floats", TORCHVISION, [op], small, expected, tolerance=2e-6, full=1.0)
    for height, width in [(7, 9), (19, 26)]:
        op = {"resize": {"height": height, "width": width, "antialias": False}}
        case = f"resize/torchvision_no_antialias_{height}x{width}"
        expected = hwc(tv.resize(chw(image), [height, width], InterpolationMode.BILINEAR, antialias=False))
        save(case, TORCHVISION, [op], image, expected, tolerance=1, mean_tolerance=MEAN)
        expected = hwc(tv.resize(chw(small), [height, width], InterpolationMode.BILINEAR, antialias=False))
        save(case + "_floats", TORCHVISION, [op], small, expected, tolerance=2e-6, full=1.0)
    modes = {"nearest": InterpolationMode.NEAREST, "nearest_exact": InterpolationMode.NEAREST_EXACT}
    for name, mode in modes.items():
        for height, width in [(7, 9), (19, 26), (1, 1)]:
            op = {"resize": {"height": height, "width": width, "filter": name}}
            expected = hwc(tv.resize(chw(image), [height, width], mode))
            save(f"resize/torchvision_{name}_{height}x{width}", TORCHVISION, [op], image, expected)
    for shape in [(20, 31), (31, 20), (9, 9)]:
        image = noise(*shape)
        expected = hwc(tv.resize(chw(image), [13], InterpolationMode.BILINEAR, antialias=True))
        op = {"resize": {"shortest_edge": 13}}
        save(f"resize/torchvision_shortest_edge_{shape[0]}x{shape[1]}", TORCHVISION, [op], image, expected, tolerance=1, mean_tolerance=MEAN)


def resize_tensorflow():
    images = {"noise": noise(seed=9), "photo": photo(15, 20), "gray": noise(13, 9, 1), "pixel": pixel()}
    for name, image in images.items():
        for filter in ["bilinear", "bicubic", "lanczos3"] if name == "noise" else ["bilinear"]:
            for height, width in [(7, 9), (19, 26)]:
                expected = tf.image.resize(image, (height, width), filter, antialias=True).numpy()
                op = {"resize": {"height": height, "width": width, "filter": filter, "output": "float"}}
                save(f"resize/tf_{name}_{filter}_{height}x{width}", TENSORFLOW, [op], image, expected, tolerance=7e-4)
        for height, width in [(7, 9), (19, 26)]:
            expected = tf.image.resize(image, (height, width), "bilinear", antialias=False).numpy()
            op = {"resize": {"height": height, "width": width, "antialias": False, "output": "float"}}
            save(f"resize/tf_{name}_no_antialias_{height}x{width}", TENSORFLOW, [op], image, expected, tolerance=1e-4)
            expected = tf.image.resize(image, (height, width), "nearest").numpy()
            op = {"resize": {"height": height, "width": width, "filter": "nearest_exact"}}
            save(f"resize/tf_{name}_nearest_{height}x{width}", TENSORFLOW, [op], image, expected)
    # Without antialias TensorFlow takes its cubic weights from a table of 1024 places.
    image = noise(seed=9)
    for height, width in [(7, 9), (19, 26)]:
        expected = tf.image.resize(image, (height, width), "bicubic", antialias=False).numpy()
        op = {"resize": {"height": height, "width": width, "filter": "bicubic", "antialias": False, "output": "float"}}
        save(f"resize/tf_bicubic_no_antialias_{height}x{width}", TENSORFLOW, [op], image, expected, tolerance=0.3)
        expected = tf.image.resize(image, (height, width), "lanczos3", antialias=False).numpy()
        op = {"resize": {"height": height, "width": width, "filter": "lanczos3", "antialias": False, "output": "float"}}
        save(f"resize/tf_lanczos3_no_antialias_{height}x{width}", TENSORFLOW, [op], image, expected, tolerance=7e-4)
    image = noise(18, 24)
    expected = tf.image.resize(image, (6, 6), "area").numpy()
    op = {"resize": {"height": 6, "width": 6, "filter": "box", "output": "float"}}
    save("resize/tf_area_6x6", TENSORFLOW, [op], image, expected, tolerance=1e-4)
    # The whole of the tutorial's first two ops, on floats that came from 8 bits.
    image = photo(30, 40)
    expected = tf.image.resize(image, (16, 16), antialias=False).numpy() / np.float32(255)
    op = {"resize": {"height": 16, "width": 16, "antialias": False, "output": "float"}}
    save("resize/tf_tutorial", TENSORFLOW, [op, {"to_float": {}}], image, expected, tolerance=4e-7)


def resize_opencv():
    images = {"noise": noise(seed=10), "photo": photo(25, 31), "gray": noise(13, 9, 1)}
    for name, image in images.items():
        for height, width in [(7, 9), (19, 26)]:
            op = {"resize": {"height": height, "width": width, "antialias": False}}
            expected = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
            expected = expected.reshape(height, width, image.shape[2])
            save(f"resize/opencv_{name}_{height}x{width}", OPENCV, [op], image, expected, tolerance=1, mean_tolerance=MEAN)
            if name != "photo":
                small = floats(image[:11, :13])
                expected = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
                expected = expected.reshape(height, width, image.shape[2])
                case = f"resize/opencv_{name}_{height}x{width}_floats"
                save(case, OPENCV, [op], small, expected, tolerance=2e-6, full=1.0)
            op = {"resize": {"height": height, "width": width, "filter": "nearest"}}
            expected = cv2.resize(image, (width, height), interpolation=cv2.INTER_NEAREST)
            expected = expected.reshape(height, width, image.shape[2])
            save(f"resize/opencv_{name}_nearest_{height}x{width}", OPENCV, [op], image, expected)
    image = noise(18, 24)
    expected = cv2.resize(image, (6, 6), interpolation=cv2.INTER_AREA)
    op = {"resize": {"height": 6, "width": 6, "filter": "box"}}
    save("resize/opencv_area_6x6", OPENCV, [op], image, expected, tolerance=1, mean_tolerance=MEAN)
    image = noise(11, 14)
    expected = albumentations.Resize(8, 9)(image=image)["image"]
    op = {"resize": {"height": 8, "width": 9, "antialias": False}}
    save("resize/albumentations_8x9", ALBUMENTATIONS, [op], image, expected, tolerance=1, mean_tolerance=MEAN)


{"pillow": pillow, "torchvision": torchvision, "tensorflow": tensorflow, "opencv": opencv}[sys.argv[1]]()
