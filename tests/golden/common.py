"""What the scripts that write golden files share: the inputs, and saving a case.

Below `tests/data/golden`, `<op>/cases.json` has the cases of an op, one a line; `<op>/<case>.npy` is what the library made, and
`<op>/<case>.mask.npy` what became of the mask. What goes in (images, masks, reference images) is stored once for all cases that have
it, as `inputs/<name>.npy`. Arrays are of height, width, channels; uint8 or float32. `tests/golden.rs` runs the pipeline of every case
on its input and compares.
"""

import hashlib
import json
import pathlib
import shutil
import sys
from importlib.metadata import version

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1] / "data" / "golden"
INPUTS = ROOT / "inputs"
SCRIPT = pathlib.Path(sys.argv[0]).name


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


def read(op):
    """The cases of an op by their names."""
    path = ROOT / op / "cases.json"
    return json.loads(path.read_text()) if path.exists() else {}


def write(op, cases):
    """Write the cases of an op, one a line, so that a difference names the cases that differ."""
    lines = [f"{json.dumps(name)}: {json.dumps(cases[name])}" for name in sorted(cases)]
    (ROOT / op / "cases.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def clear(op):
    """Remove the cases of an op that this script has written, so that none outlives its line here."""
    cases = read(op)
    for name in [name for name, case in cases.items() if case["script"] == SCRIPT]:
        del cases[name]
        (ROOT / op / f"{name}.npy").unlink()
        (ROOT / op / f"{name}.mask.npy").unlink(missing_ok=True)
    if cases:
        write(op, cases)
    else:
        shutil.rmtree(ROOT / op, ignore_errors=True)


def clear_all():
    """Remove every case and every input, also of scripts that are no more."""
    for folder in [*(path.parent for path in ROOT.glob("*/cases.json")), INPUTS]:
        shutil.rmtree(folder, ignore_errors=True)


def prune():
    """Remove the inputs that no case has."""
    named = set()
    for path in ROOT.glob("*/cases.json"):
        for case in read(path.parent.name).values():
            named |= {case["input"], case.get("mask"), *case.get("references", [])}
    for path in INPUTS.glob("*.npy"):
        if path.stem not in named:
            path.unlink()


def shared(array):
    """Store an input, unless it is there. Returns its name: shape, type and digest."""
    array = np.ascontiguousarray(array)
    digest = hashlib.sha256(array.tobytes()).hexdigest()[:12]
    name = f"{'x'.join(map(str, array.shape))}_{array.dtype}_{digest}"
    INPUTS.mkdir(parents=True, exist_ok=True)
    if not (INPUTS / f"{name}.npy").exists():
        np.save(INPUTS / f"{name}.npy", array)
    return name


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
    for array in (image, expected):
        assert array.ndim == 3 and array.dtype in (np.uint8, np.float32), (case, array.shape, array.dtype)
    for array in mask or []:
        assert array.ndim == 2 and array.dtype == np.uint8, (case, array.shape, array.dtype)
    for array in references or []:
        assert array.ndim == 3 and array.shape[2] == 3 and array.dtype == np.uint8, (case, array.shape, array.dtype)
    op, name = case.split("/")
    cases = read(op)
    assert name not in cases, f"{case} is written twice"
    record = {
        "script": SCRIPT,
        "producer": producer,
        "pipeline": {"ops": ops},
        "input": shared(image),
        "mask": mask and shared(mask[0][:, :, None]),
        "references": references and [shared(array) for array in references],
        "full": full,
        "tolerance": tolerance,
        "mean_tolerance": mean_tolerance,
        "share": share,
        "params": params and [{"number": number, "op": op, "params": values} for number, op, values in params],
        "annotations": annotations,
    }
    cases[name] = {key: value for key, value in record.items() if value is not None}
    (ROOT / op).mkdir(parents=True, exist_ok=True)
    write(op, cases)
    np.save(ROOT / op / f"{name}.npy", np.ascontiguousarray(expected))
    if mask is not None:
        np.save(ROOT / op / f"{name}.mask.npy", np.ascontiguousarray(mask[1])[:, :, None])


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
