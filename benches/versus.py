"""Times every op against the same transform of albumentations (or torchvision, where that is the reference), one thread each, on the
same photograph of 224x224 with the same parameters: those of the op's example in the catalogue, always applied.

    pip install -r tests/golden/requirements.txt
    python benches/versus.py [--write] [--rounds N] [OP ...]

Ours and theirs are measured in turn, op by op, so that a disturbed machine disturbs both; a figure is the median over all images of
all rounds. `--write` writes docs/speed-ops.md and src/augment/costs.json, from which `feedline ops` knows what an op costs.
"""

import argparse
import inspect
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

for threads in ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"]:
    os.environ[threads] = "1"
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"

import albumentations as A
import cv2
import numpy as np
import torch
from torchvision.transforms import v2

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "golden"))
import common  # noqa: E402

common.require("albumentations", "opencv-python-headless", "numpy", "torch", "torchvision")
SIDE = 224
SECONDS = 0.2
ALBUMENTATIONS = common.producer("albumentations")
OPENCV = common.producer("opencv-python-headless")
NUMPY = common.producer("numpy")
TORCHVISION = common.producer("torchvision")


def plain(value):
    return tuple(value) if isinstance(value, list) else value


def of_albumentations(transform, **renamed):
    """A transform of albumentations with those of our parameters that have its names, and others by `renamed` (a value, or a
    function of our parameters)."""

    def make(p):
        known = inspect.signature(transform.__init__).parameters
        arguments = {name: plain(value) for name, value in p.items() if name in known and not isinstance(value, str)}
        for name, value in renamed.items():
            arguments[name] = value(p) if callable(value) else value
        arguments["p"] = 1.0
        made = transform(**arguments)
        return (lambda image: made(image=image)["image"]), f"{transform.__name__}, {ALBUMENTATIONS}"

    return make


def jitter(name):
    """albumentations' ColorJitter with one of its four parts."""
    neutral = {"brightness": (1, 1), "contrast": (1, 1), "saturation": (1, 1), "hue": (0, 0)}

    def make(p):
        drawn = p.get("factor") or p.get("delta")
        made = A.ColorJitter(**{**neutral, name: plain(drawn)}, p=1)
        return (lambda image: made(image=image)["image"]), f"ColorJitter, {ALBUMENTATIONS}"

    return make


def of_torchvision(make_transform, label=None):
    """A transform of torchvision on a tensor of 8 bits, channels first, as it is used there."""

    def make(p):
        transform = make_transform(p)
        name = label or type(transform).__name__
        return (lambda image: transform(image)), f"{name}, {TORCHVISION}"

    make.tensor = True
    return make


def sequence(*makes):
    """Several transforms one after the other."""

    def make(p):
        made = [part(p) for part in makes]

        def run(image):
            for function, _ in made:
                image = function(image)
            return image

        names = " and ".join(label.split(",")[0] for _, label in made)
        return run, f"{names}, {made[0][1].split(', ')[-1]}"

    return make


def on_floats(make):
    """The same, measured on floats of 0 to 1."""
    make.floats = True
    return make


def hsv_gain(p):
    """Gains on OpenCV's HSV by three tables, as detectors' training recipes do it."""
    limits = [plain(p.get(name, default)) for name, default in [("hue", 0.015), ("saturation", 0.7), ("value", 0.4)]]
    limits = [limit if isinstance(limit, tuple) else (-limit, limit) for limit in limits]
    rng, values = np.random.default_rng(1), np.arange(256)

    def run(image):
        gains = [1 + rng.uniform(low, high) for low, high in limits]
        hue, saturation, value = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2HSV))
        tables = [(values * gains[0]) % 180, np.clip(values * gains[1], 0, 255), np.clip(values * gains[2], 0, 255)]
        parts = [cv2.LUT(part, table.astype(np.uint8)) for part, table in zip([hue, saturation, value], tables)]
        return cv2.cvtColor(cv2.merge(parts), cv2.COLOR_HSV2RGB)

    return run, f"cvtColor and LUT, {OPENCV}"


def clip(p):
    low, high = p.get("min", 0), p.get("max", 255)
    return (lambda image: np.clip(image, low, high)), f"clip, {NUMPY}"


def odd(value):
    return int(value) | 1


def sizes(p, *names):
    """A range of odd kernel sizes, under whatever name it has."""
    for name in names:
        if name in p:
            found = p[name]
            low, high = (found[0], found[-1]) if isinstance(found, list) else (found, found)
            return odd(max(low, 3)), odd(max(high, 3))
    return 3, 7


def hundredfold(p):
    low, high = p.get("gamma", [0.8, 1.2])
    return max(low * 100, 1), max(high * 100, 1)


def of_255(p):
    low, high = p["threshold"]
    return min(low / 255, 1), min(high / 255, 1)


def side_of(p, *names):
    return next((p[name] for name in names if p.get(name)), SIDE // 2)


def padding(p):
    names = ["left", "top", "right", "bottom"]
    if any(name in p for name in names):
        return tuple(p.get(name, 0) for name in names)
    found = p.get("padding", 0)
    return tuple(found) if isinstance(found, list) else found


def symmetric(name, default):
    """A limit as albumentations takes it: a range."""

    def value(p):
        found = p.get(name, default)
        return plain(found) if isinstance(found, list) else (-found, found)

    return value


def box_of(p):
    return p["height"], p["width"]


def mean_crop(p):
    side = max(int(SIDE * sum(p["fraction"]) / 2), 1)
    return of_albumentations(A.CenterCrop, height=side, width=side)({})


def onnx(p):
    """The model of the example by ONNX Runtime, with the conversions that an image of 8 bits needs."""
    import onnxruntime

    common.require("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = ROOT / "assets" / "models" / p["model"]
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def run(image):
        values = np.ascontiguousarray(image.transpose(2, 0, 1)[None], dtype=np.float32) / np.float32(255)
        made = session.run(None, {"image": values})[0][0].transpose(1, 2, 0)
        return np.clip(np.rint(made * 255), 0, 255).astype(np.uint8)

    return run, f"{p['model']} by InferenceSession, {common.producer('onnxruntime')}"


LINEAR = cv2.INTER_LINEAR
COUNTERPARTS = {
    # Geometry. Ours shrinks with antialias unless told otherwise; OpenCV's linear resize, which never does, has less to do.
    "resize": of_albumentations(A.Resize, interpolation=LINEAR),
    "center_crop": of_albumentations(A.CenterCrop),
    "central_crop": mean_crop,
    "random_crop": of_albumentations(A.RandomCrop),
    "random_resized_crop": of_albumentations(A.RandomResizedCrop, size=box_of, interpolation=LINEAR),
    "horizontal_flip": of_albumentations(A.HorizontalFlip),
    "vertical_flip": of_albumentations(A.VerticalFlip),
    "rot90": of_albumentations(A.RandomRotate90),
    "transpose": of_albumentations(A.Transpose),
    "d4": of_albumentations(A.D4),
    "pad": of_albumentations(A.Pad, padding=padding),
    "pad_if_needed": of_albumentations(A.PadIfNeeded),
    "longest_max_size": of_albumentations(A.LongestMaxSize, max_size=lambda p: side_of(p, "max_size", "size")),
    "smallest_max_size": of_albumentations(A.SmallestMaxSize, max_size=lambda p: side_of(p, "max_size", "size")),
    "letterbox": sequence(
        of_albumentations(A.LongestMaxSize, max_size=lambda p: min(box_of(p))),
        of_albumentations(A.PadIfNeeded, min_height=lambda p: p["height"], min_width=lambda p: p["width"], fill=114),
    ),
    "affine": of_albumentations(A.Affine),
    "rotate": of_albumentations(A.Rotate, limit=lambda p: plain(p.get("limit") or p.get("angle") or p.get("degrees") or [-90, 90])),
    "shift_scale_rotate": of_albumentations(A.ShiftScaleRotate),
    "perspective": of_albumentations(A.Perspective),
    "elastic": of_albumentations(A.ElasticTransform),
    "grid_distortion": of_albumentations(A.GridDistortion),
    "optical_distortion": of_albumentations(A.OpticalDistortion),
    "random_scale": of_albumentations(A.RandomScale, scale_limit=symmetric("scale_limit", 0.1)),
    "random_sized_crop": of_albumentations(A.RandomSizedCrop, size=box_of),
    "random_zoom_out": of_torchvision(lambda p: v2.RandomZoomOut(side_range=plain(p.get("side_range", [1.0, 4.0])), p=1)),
    # Dropout.
    "coarse_dropout": of_albumentations(A.CoarseDropout),
    "random_erasing": of_albumentations(A.Erasing),
    "grid_dropout": of_albumentations(A.GridDropout),
    "pixel_dropout": of_albumentations(A.PixelDropout),
    "xy_masking": of_albumentations(A.XYMasking),
    # Colour.
    "brightness": jitter("brightness"),
    "contrast": jitter("contrast"),
    "saturation": jitter("saturation"),
    "hue": jitter("hue"),
    "grayscale": of_albumentations(A.ToGray, num_output_channels=lambda p: p.get("channels", 3)),
    "color_jitter": of_albumentations(A.ColorJitter),
    "clip": clip,
    "random_brightness_contrast": of_albumentations(A.RandomBrightnessContrast),
    "hue_saturation_value": of_albumentations(A.HueSaturationValue),
    "hsv_gain": hsv_gain,
    "rgb_shift": of_albumentations(A.RGBShift),
    "gamma": of_albumentations(A.RandomGamma, gamma_limit=hundredfold),
    "solarize": of_albumentations(A.Solarize, threshold_range=of_255),
    "posterize": of_albumentations(A.Posterize, num_bits=lambda p: tuple(max(bits, 1) for bits in p["bits"])),
    "equalize": of_albumentations(A.Equalize),
    "auto_contrast": of_albumentations(A.AutoContrast),
    "invert": of_albumentations(A.InvertImg),
    "clahe": of_albumentations(A.CLAHE),
    "channel_shuffle": of_albumentations(A.ChannelShuffle),
    "channel_dropout": of_albumentations(A.ChannelDropout),
    "to_sepia": of_albumentations(A.ToSepia),
    "fancy_pca": of_albumentations(A.FancyPCA),
    "random_tone_curve": of_albumentations(A.RandomToneCurve),
    "photometric_distort": of_torchvision(lambda p: v2.RandomPhotometricDistort(p=1)),
    "planckian_jitter": of_albumentations(A.PlanckianJitter),
    # Filters.
    "gaussian_blur": of_albumentations(
        A.GaussianBlur,
        # Without a size both take the one that sigma asks for.
        blur_limit=lambda p: sizes(p, "kernel_size") if "kernel_size" in p else (0, 0),
        sigma_limit=lambda p: plain(p.get("sigma") or p.get("sigma_limit") or [0.5, 3.0]),
    ),
    "median_blur": of_albumentations(A.MedianBlur, blur_limit=lambda p: sizes(p, "kernel_size", "kernel", "blur_limit")),
    "box_blur": of_albumentations(A.Blur, blur_limit=lambda p: sizes(p, "kernel_size", "kernel", "blur_limit")),
    "motion_blur": of_albumentations(A.MotionBlur, blur_limit=lambda p: sizes(p, "kernel_size", "kernel", "blur_limit")),
    "adjust_sharpness": of_torchvision(
        lambda p: lambda image: v2.functional.adjust_sharpness(image, sum(p["factor"]) / 2), "adjust_sharpness"
    ),
    "sharpen": of_albumentations(A.Sharpen),
    "unsharp_mask": of_albumentations(A.UnsharpMask),
    # Noise and compression.
    "gauss_noise": of_albumentations(A.GaussNoise),
    "multiplicative_noise": of_albumentations(A.MultiplicativeNoise),
    "iso_noise": of_albumentations(A.ISONoise),
    "shot_noise": of_albumentations(A.ShotNoise),
    "salt_and_pepper": of_albumentations(A.SaltAndPepper),
    "jpeg": of_albumentations(A.ImageCompression, quality_range=lambda p: plain(p["quality"])),
    "downscale": of_albumentations(A.Downscale),
    # Conversion.
    "to_float": of_albumentations(A.ToFloat, max_value=lambda p: p.get("divisor", 255.0)),
    "normalize": on_floats(of_albumentations(A.Normalize, max_pixel_value=1.0)),
    # Models.
    "onnx": onnx,
    # Policies.
    "rand_augment": of_torchvision(lambda p: v2.RandAugment(p.get("num_ops", 2), p.get("magnitude", 9))),
    "trivial_augment_wide": of_torchvision(lambda p: v2.TrivialAugmentWide()),
    "auto_augment": of_torchvision(lambda p: v2.AutoAugment()),
    "aug_mix": of_torchvision(lambda p: v2.AugMix()),
}


def bench_binary():
    """Builds our benchmark and returns where it is."""
    command = ["cargo", "bench", "--all-features", "--bench", "ops", "--no-run", "--message-format=json"]
    built = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = [json.loads(line) for line in built.splitlines() if line.startswith("{")]
    found = [m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "ops"]
    return found[-1]


def ours(binary, ops):
    """What our benchmark says of these ops: name to its line."""
    out = subprocess.run([binary, "--json", *ops], check=True, stdout=subprocess.PIPE, text=True).stdout
    return {line["op"]: line for line in map(json.loads, out.splitlines())}


def theirs(function, image):
    """Times of single images, in microseconds."""
    for _ in range(10):
        function(image)
    times, start = [], time.perf_counter()
    while len(times) < 60 or (time.perf_counter() - start < SECONDS and len(times) < 4000):
        begun = time.perf_counter_ns()
        function(image)
        times.append((time.perf_counter_ns() - begun) / 1000)
    return times


def machine():
    """Name of the processor."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def measure(binary, names, image, rounds):
    rows = {}
    tensor = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
    for name in names:
        make = COUNTERPARTS.get(name)
        function, label = None, None
        mine, other = [], []
        for _ in range(rounds):
            line = ours(binary, [name])[name]
            mine.append(line["ns"] / 1000)
            if make and not function:
                function, label = make(line["parameters"])
            if function:
                # Another type of image where the transform is used with one.
                given = tensor if hasattr(make, "tensor") else image
                given = image.astype(np.float32) / np.float32(255) if hasattr(make, "floats") else given
                other.extend(theirs(function, given))
        rows[name] = {"us": statistics.median(mine), "reference": label}
        if other:
            rows[name]["reference_us"] = statistics.median(other)
        ratio = f"{rows[name]['reference_us'] / rows[name]['us']:8.1f}x" if other else "       -"
        print(f"{name:28} {rows[name]['us']:10.1f} {rows[name].get('reference_us', float('nan')):10.1f} {ratio}  {label or 'none'}", flush=True)
    return rows


def page(rows, level):
    """docs/speed-ops.md."""
    compared = {name: row for name, row in rows.items() if "reference_us" in row}
    ratio = {name: row["reference_us"] / row["us"] for name, row in compared.items()}
    slower = sorted((name for name in ratio if ratio[name] < 1), key=ratio.get)
    lines = [
        "<!-- Written by benches/versus.py -->",
        "# Speed of the ops",
        "",
        f"Microseconds per image on one thread of one {machine()} ({level} instructions): medians of one run that measured both in turn,",
        "op by op, on the same photograph of 224x224 with three channels of 8 bits, with the parameters of the op's example in",
        "[ops.md](ops.md), always applied. The ratio is theirs over ours: above 1 we are faster. Another machine has other figures.",
        "",
        "```sh",
        "pip install -r tests/golden/requirements.txt",
        "python benches/versus.py --write",
        "```",
        "",
        f"{len(compared)} ops have a counterpart; the median ratio is {statistics.median(ratio.values()):.1f}."
        + (f" Slower than it: {', '.join(f'`{name}`' for name in slower)}." if slower else " None is slower than it."),
        "",
        "| op | us | reference, us | ratio | reference |",
        "|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        theirs_us = f"{row['reference_us']:.1f}" if name in ratio else ""
        shown = f"{ratio[name]:.1f}" if name in ratio else ""
        lines.append(f"| [{name}](ops.md#{name}) | {row['us']:.1f} | {theirs_us} | {shown} | {row['reference'] or 'none'} |")
    return "\n".join(lines) + "\n"


def costs(rows):
    """src/augment/costs.json."""
    rounded = {}
    for name, row in rows.items():
        rounded[name] = {"us": round(row["us"], 2)}
        if "reference_us" in row:
            rounded[name] |= {"reference_us": round(row["reference_us"], 2), "reference": row["reference"]}
    return json.dumps({"machine": machine(), "ops": rounded}, indent=1) + "\n"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    arguments.add_argument("ops", nargs="*", metavar="OP", help="ops to measure [default: all]")
    arguments.add_argument("--rounds", type=int, default=3, help="turns of ours and theirs [default: 3]")
    arguments.add_argument("--binary", metavar="FILE", help="our benchmark, if it is built already")
    arguments.add_argument("--write", action="store_true", help="write docs/speed-ops.md and src/augment/costs.json")
    arguments = arguments.parse_args()
    if arguments.write and arguments.ops:
        raise SystemExit("--write writes all ops: name none")
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    binary = arguments.binary or bench_binary()
    with tempfile.TemporaryDirectory() as folder:
        raw = pathlib.Path(folder) / "photograph.rgb"
        subprocess.run([binary, "--photograph", raw], check=True)
        image = np.fromfile(raw, np.uint8).reshape(SIDE, SIDE, 3)
    first = ours(binary, arguments.ops)
    unknown = set(arguments.ops) - set(first)
    if unknown:
        raise SystemExit(f"no such op: {', '.join(sorted(unknown))}")
    rows = measure(binary, list(first), image, arguments.rounds)
    if arguments.write:
        (ROOT / "docs" / "speed-ops.md").write_text(page(rows, next(iter(first.values()))["level"]))
        (ROOT / "src" / "augment" / "costs.json").write_text(costs(rows))


if __name__ == "__main__":
    main()
