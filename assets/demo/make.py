# /// script
# requires-python = ">=3.11"
# dependencies = ["scikit-image==0.26.0", "pillow==13.0.0", "numpy==2.4.6"]
# ///
"""Cuts the demo photographs out of six free photographs that scikit-image ships. PROVENANCE.md names their authors and licences.

    uv run assets/demo/make.py           rewrites the tiles beside this file, then checks them
    uv run assets/demo/make.py --check   makes them in memory and compares: exits 1 if a byte differs

The tiles are chosen, not drawn: of all the crops on a grid those with the most detail come first, and no two may share more than
`MOST_SHARED` of the area they cover together.
"""

import io
import itertools
import sys
from pathlib import Path

import numpy
import skimage
from PIL import Image

HERE = Path(__file__).resolve().parent

# Class: file, window of the photograph in which its subject is (left, top, right, bottom as shares of its size), and how many
# crops of which height (as a share of the photograph's) at most: fewer where no more fit beside each other.
SOURCES = {
    "astronaut": ("astronaut.png", (0.00, 0.00, 1.00, 1.00), {1.00: 1, 0.49: 6, 0.32: 9}),
    "cat": ("chelsea.png", (0.00, 0.00, 0.86, 1.00), {1.00: 1, 0.54: 5, 0.38: 10}),
    "coffee": ("coffee.png", (0.06, 0.00, 0.92, 1.00), {1.00: 1, 0.50: 5, 0.34: 10}),
    "galaxy": ("hubble_deep_field.jpg", (0.00, 0.00, 1.00, 1.00), {0.45: 2, 0.30: 5, 0.22: 9}),
    "retina": ("retina.jpg", (0.08, 0.08, 0.92, 0.92), {0.84: 1, 0.40: 5, 0.26: 10}),
    "rocket": ("rocket.jpg", (0.10, 0.15, 0.90, 1.00), {0.85: 1, 0.46: 5, 0.34: 6, 0.26: 5}),
}

# Widths of the tiles in turn, so that the images are not all of one size; the height is always the same.
WIDTHS = (256, 320, 288)
HEIGHT = 256

# Positions tried along each axis of the window.
STEPS = 24

# Area that two tiles share, as a share of the area they cover together.
MOST_SHARED = 0.34

# Standard deviation of brightness below which a block of 16x16 pixels shows nothing, and the least share of blocks that show
# something. The night sky and the black around an eye fail this.
FLAT = 2.5
LEAST_SHOWN = 0.3

# Mean difference, of 255, of two tiles shrunk to 16x16, below which they would look alike.
LEAST_DIFFERENCE = 7.0

# What a user downloads with the program.
MOST_BYTES = 3_000_000

JPEG = {"format": "JPEG", "quality": 87, "subsampling": "4:2:0", "optimize": True}


def main():
    tiles = {f"{name}/{i:02}.jpg": jpeg for name in SOURCES for i, jpeg in enumerate(cut(name))}
    check(tiles)
    if "--check" in sys.argv[1:]:
        committed = {path.relative_to(HERE).as_posix(): path.read_bytes() for path in HERE.glob("*/*.jpg")}
        differ = sorted(key for key in tiles.keys() | committed.keys() if tiles.get(key) != committed.get(key))
        sys.exit(f"differ: {', '.join(differ)}" if differ else 0)
    for old in HERE.glob("*/*.jpg"):
        old.unlink()
    for key, jpeg in tiles.items():
        (HERE / key).parent.mkdir(exist_ok=True)
        (HERE / key).write_bytes(jpeg)
    print(f"{len(tiles)} tiles of {len(SOURCES)} classes, {sum(map(len, tiles.values()))} bytes")


def cut(name):
    """The JPEG files of one class: the wide views first."""
    file, window, wanted = SOURCES[name]
    with Image.open(Path(skimage.__file__).parent / "data" / file) as opened:
        photograph = opened.convert("RGB")
    widths = itertools.cycle(WIDTHS)
    chosen = []
    for share, count in wanted.items():
        for _ in range(count):
            crop = best(photograph, window, share, next(widths), chosen)
            if crop is not None:
                chosen.append(crop)
    for box, size in chosen:
        file = io.BytesIO()
        photograph.resize(size, Image.Resampling.LANCZOS, box=box).save(file, **JPEG)
        yield file.getvalue()


def best(photograph, window, share, width, chosen):
    """The crop with the most detail that shares little with those chosen before, and the size of its tile. None if there is none."""
    size = (width, HEIGHT)
    left, top, right, bottom = (round(x * side) for x, side in zip(window, photograph.size * 2))
    high = round(share * photograph.height)
    wide = round(high * width / HEIGHT)
    if wide > right - left:
        wide, high = right - left, round((right - left) * HEIGHT / width)
    columns = numpy.linspace(left, right - wide, STEPS).round().astype(int)
    rows = numpy.linspace(top, max(top, bottom - high), STEPS).round().astype(int)
    boxes = {(int(x), int(y), int(x) + wide, int(y) + high) for x in columns for y in rows}
    free = sorted(box for box in boxes if all(shared(box, other) <= MOST_SHARED for other, _ in chosen))
    # Ties go to the first crop, so that the choice does not hang on the order of a set.
    scored = [(detail(photograph, box, size) * apart(box, chosen), box) for box in free]
    scored = [(score, box) for score, box in scored if score > 0.0]
    return (max(scored, key=lambda pair: pair[0])[1], size) if scored else None


def detail(photograph, box, size):
    """How much there is to see; nothing if most of the crop is flat."""
    gray = photograph.resize(size, Image.Resampling.BILINEAR, box=box).convert("L")
    blocks = numpy.asarray(gray, dtype=float).reshape(size[1] // 16, 16, size[0] // 16, 16)
    spread = blocks.std(axis=(1, 3))
    return 0.0 if (spread > FLAT).mean() < LEAST_SHOWN else spread.mean()


def apart(box, chosen):
    """1 for a crop of its own, less the more it shares with the others: so that they spread over the photograph."""
    return numpy.prod([1.0 - shared(box, other) for other, _ in chosen])


def shared(a, b):
    """Area of the intersection of two boxes as a share of that of their union."""
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    both = wide * high
    return both / (area(a) + area(b) - both)


def area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def check(tiles):
    """Ends the program if the tiles are too few, too large or too alike."""
    if len(tiles) < 60 or len({key.split("/")[0] for key in tiles}) < 4:
        sys.exit(f"{len(tiles)} tiles: too few")
    if sum(map(len, tiles.values())) > MOST_BYTES:
        sys.exit(f"{sum(map(len, tiles.values()))} bytes, more than {MOST_BYTES}")
    small = {}
    for key, jpeg in tiles.items():
        with Image.open(io.BytesIO(jpeg)) as image:
            image = image.resize((16, 16), Image.Resampling.BOX)
        small[key] = numpy.asarray(image, dtype=float)
    differences = {(a, b): abs(small[a] - small[b]).mean() for a, b in itertools.combinations(small, 2)}
    alike = [f"{a} and {b}" for (a, b), difference in differences.items() if difference < LEAST_DIFFERENCE]
    if alike:
        sys.exit(f"look alike: {'; '.join(alike)}")


if __name__ == "__main__":
    main()
