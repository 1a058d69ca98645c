"""What the scripts that write golden files share: the inputs, and saving a case.

A case is a folder `tests/data/golden/<op>/<case>` with `case.json`, `input.npy` and `expected.npy` (height, width, channels; uint8
or float32). `tests/golden.rs` runs the pipeline of every case on its input and compares.
"""

import json
import pathlib
import shutil
from importlib.metadata import version

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1] / "data" / "golden"


def pins():
    """Name and version of every package of requirements.txt."""
    lines = (pathlib.Path(__file__).resolve().parent / "requirements.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))


PINS = pins()


def require(*names, **versions):
    """Stop unless these packages are installed at the versions of requirements.txt: other ones may compute other bytes. A version that
    is said here must be the one that stands there."""
    said = {name.replace("_", "-"): wanted for name, wanted in versions.items()}
    for name in [*names, *said]:
        wanted = PINS.get(name)
        if wanted is None or said.get(name, wanted) != wanted:
            raise SystemExit(f"requirements.txt has {name} {wanted or 'not at all'}, a script asks for {said.get(name, 'it')}")
        found = version(name)
        if found.split("+")[0] != wanted:
            raise SystemExit(f"{name} is {found}, these files are made with {wanted}: see requirements.txt")


def producer(name):
    """Name and version of an installed package."""
    return f"{name} {version(name).split('+')[0]}"


def clear(op):
    """Remove the cases of an op, so that none outlives its line in the script."""
    shutil.rmtree(ROOT / op, ignore_errors=True)


def save(
    case,
    producer,
    ops,
    image,
    expected,
    tolerance=0,
    full=None,
    mean_tolerance=None,
    share=None,
    params=None,
    annotations=None,
    mask=None,
    references=None,
):
    """Write one case.

    case: "<op>/<case>". ops: list of ops as the contract's JSON spells them. image, expected: HWC arrays, uint8 or float32.
    full: value of full brightness of a float image. params: what the ops draw, as (number of the op, its name, parameters).
    annotations: dict of boxes, expected_boxes (x_min, y_min, x_max, y_max), keypoints, expected_keypoints (x, y), tolerance (pixels),
    mask_share, rules and expected_labels (the places of the boxes that are left); mask: the mask before and after, both (height, width) of uint8.
    references: images of the dataset that ops name by their index in this list, (height, width, 3) of uint8.
    """
    image, expected = (np.ascontiguousarray(array) for array in (image, expected))
    for array in (image, expected):
        assert array.ndim == 3 and array.dtype in (np.uint8, np.float32), (case, array.shape, array.dtype)
    record = {"producer": producer, "pipeline": {"ops": ops}, "full": full, "tolerance": tolerance}
    if mean_tolerance is not None:
        record["mean_tolerance"] = mean_tolerance
    if share is not None:
        record["share"] = share
    if params is not None:
        record["params"] = [{"number": number, "op": op, "params": values} for number, op, values in params]
    if annotations is not None:
        record["annotations"] = annotations
    folder = ROOT / case
    assert not folder.exists(), f"{case} is written twice"
    folder.mkdir(parents=True)
    (folder / "case.json").write_text(json.dumps(record, indent=1) + "\n")
    np.save(folder / "input.npy", image)
    np.save(folder / "expected.npy", expected)
    if mask is not None:
        for name, array in zip(["mask", "expected_mask"], mask):
            assert array.ndim == 2 and array.dtype == np.uint8, (case, array.shape, array.dtype)
            np.save(folder / f"{name}.npy", np.ascontiguousarray(array)[:, :, None])
    for index, array in enumerate(references or []):
        assert array.ndim == 3 and array.shape[2] == 3 and array.dtype == np.uint8, (case, array.shape, array.dtype)
        np.save(folder / f"reference_{index}.npy", np.ascontiguousarray(array))


def ramp():
    """All 256 values, each channel in another order: 16x16x3."""
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    return np.stack([values, values.T, 255 - values], axis=-1)


def primaries():
    """Black, white, grays, primaries, their complements and values that tell roundings apart: 5x7x3."""
    colours = [(0, 0, 0), (255, 255, 255), (128, 128, 128), (1, 1, 1), (254, 254, 254), (127, 127, 127), (64, 64, 64)]
    colours += [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 0, 255), (0, 255, 255), (12, 34, 56)]
    colours += [(5, 6, 7), (7, 6, 5), (200, 200, 201), (201, 200, 200), (101, 200, 3), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    colours += [(255, 254, 253), (255, 128, 0), (0, 128, 255), (128, 0, 255), (10, 250, 130), (90, 90, 91), (33, 66, 99)]
    colours += [(250, 10, 10), (10, 250, 10), (10, 10, 250), (180, 120, 60), (60, 120, 180), (2, 255, 1)]
    return np.array(colours, np.uint8).reshape(5, 7, 3)


def noise(height=17, width=24, channels=3, seed=7):
    """Uniform noise, the hardest image to resample: 17x24x3 unless asked otherwise."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def checker(height=5, width=7, channels=3):
    """A chessboard of black and white: the largest overshoot of a filter."""
    board = (np.indices((height, width)).sum(axis=0) % 2 * 255).astype(np.uint8)
    return np.repeat(board[:, :, None], channels, axis=2)


def pixel(colour=(12, 34, 56)):
    """One pixel: 1x1x3."""
    return np.array(colour, np.uint8).reshape(1, 1, 3)


def photo(height=40, width=48):
    """A crop of a photograph of NASA in the public domain, which scikit-image ships: 40x48x3 unless asked otherwise."""
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[90 : 90 + height, 200 : 200 + width])
