#!/usr/bin/env python3
"""Writes tests/data/reduced: what Pillow makes of JPEG files that it decodes at a fraction of their size.

Requires pillow==13.0.0 (libjpeg-turbo 3.2.0) and numpy. The tests need only the files: run this again only to add some, and
commit what it writes.

    python tests/data/make_reduced.py

NAME.half.npy, NAME.quarter.npy and NAME.eighth.npy are the pixels of the file NAME of tests/data/good after `Image.draft`. Each case of
resized.json is a window of a file, given in pixels of the whole: cut out of the reduced image, every pixel of that which it
touches, and resized with a `box` as large as the window, to `pixels` (RGB, rows top down).
"""

import json
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
OUT = HERE / "reduced"
NAMES = {2: "half", 4: "quarter", 8: "eighth"}
FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "box": Image.Resampling.BOX,
    "lanczos3": Image.Resampling.LANCZOS,
    "nearest_exact": Image.Resampling.NEAREST,
}

assert PIL.__version__ == "13.0.0", "the references are those of Pillow 13.0.0"


def reduced(path, by):
    """The image at a fraction of its size; none if it is too small for Pillow to choose that fraction."""
    image = Image.open(path)
    size = image.size
    image.draft(None, (max(1, size[0] // by), max(1, size[1] // by)))
    if image.size != tuple(-(-side // by) for side in size):
        return None
    return image.convert("RGB")


def resized(path, by, window, size, name):
    x, y, width, height = window
    left, top, right, bottom = x // by, y // by, -(-(x + width) // by), -(-(y + height) // by)
    part = reduced(path, by).crop((left, top, right, bottom))
    box = (x / by - left, y / by - top, (x + width) / by - left, (y + height) / by - top)
    pixels = np.asarray(part.resize(size, FILTERS[name], box=box))
    file = str(path.relative_to(ROOT))
    return {"file": file, "reduction": by, "window": window, "size": size, "filter": name, "pixels": pixels.ravel().tolist()}


OUT.mkdir(exist_ok=True)
for old in OUT.iterdir():
    old.unlink()
for path in sorted((HERE / "good").glob("*.jpg")):
    for by, name in NAMES.items():
        try:
            image = reduced(path, by)
        except OSError as error:
            print(f"{path.name}: left out, {error}")
            break
        if image is not None:
            np.save(OUT / f"{path.name}.{name}.npy", np.asarray(image))
cases = []
photographs = [ROOT / "assets/demo" / name for name in ("cat/00.jpg", "coffee/03.jpg")]
windows = {2: [37, 51, 101, 90], 4: [3, 18, 190, 201], 8: [13, 7, 201, 230]}
for path in photographs:
    for by, window in windows.items():
        assert window[0] + window[2] <= Image.open(path).width and window[1] + window[3] <= Image.open(path).height
        cases += [resized(path, by, window, (17, 12), name) for name in FILTERS]
# Two pixels of the reduced image become two, between them.
cases.append(resized(photographs[0], 2, [1, 1, 4, 4], (2, 2), "bilinear"))
lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
(OUT / "resized.json").write_text(f"[\n{lines}\n]\n")
