"""The images of the benchmark: real photographs that Debian packages ship, cut to the sizes of known datasets.

    python benches/images.py OUT

OUT/imagefolder/CLASS/*.jpg   4,000 JPEGs as large as ImageNet's (350 to 700 pixels a side) in 20 classes
OUT/large/*.jpg               the photographs of two megapixels and more, as they are
OUT/tiny/CLASS/*.png          50,000 PNGs of 32x32 in 10 classes

The same packages give the same files. Needs apt-get and dpkg (Debian, Ubuntu) and Pillow; takes some minutes, and 2 GB of disk.
What is there already is left as it is.
"""

from __future__ import annotations

import argparse
import pathlib
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator

from PIL import Image

PACKAGES = [
    "lomiri-wallpapers-16.04",
    "lomiri-wallpapers-20.04",
    "plasma-workspace-wallpapers",
    "ukui-wallpapers",
    "gnome-backgrounds",
    "mate-backgrounds",
    "opencv-doc",
]
SEED = 20261123
CLASSES, PER_CLASS = 20, 200
TINY_CLASSES, TINY_PER_CLASS, TINY_SIDE = 10, 5000, 32
# A photograph is no icon or drawing: it has this many bytes and pixels a side.
LEAST_BYTES, LEAST_SIDE = 90_000, 400
LARGE_PIXELS = 2_000_000
LONGEST_SIDE = 2600


def unpacked(out: pathlib.Path) -> pathlib.Path:
    """Folder with the contents of the packages. Nothing is installed: they are downloaded and unpacked."""
    packages, contents = out / "packages", out / "contents"
    if (out / "contents.done").exists():
        return contents
    for tool in ["apt-get", "dpkg"]:
        if shutil.which(tool) is None:
            raise SystemExit(
                f"images.py: no {tool}: the photographs come from packages of Debian or Ubuntu; "
                "elsewhere give a folder of your own images: benches/compare.py --images DIR"
            )
    packages.mkdir(parents=True, exist_ok=True)
    downloaded = subprocess.run(["apt-get", "download", "-qq", *PACKAGES], cwd=packages)
    if downloaded.returncode != 0:
        raise SystemExit(f"images.py: apt-get could not download {', '.join(PACKAGES)}; `apt-get update` may help")
    for package in sorted(packages.glob("*.deb")):
        subprocess.run(["dpkg", "-x", package, contents], check=True)
    (out / "contents.done").touch()
    return contents


def photographs(contents: pathlib.Path) -> Iterator[pathlib.Path]:
    for path in sorted(contents.rglob("*.jp*g")):
        if "html" in path.parts or path.stat().st_size < LEAST_BYTES:
            continue
        with Image.open(path) as image:
            if image.mode == "RGB" and min(image.size) >= LEAST_SIDE:
                yield path


def shrunk(path: pathlib.Path) -> Image.Image:
    image = Image.open(path).convert("RGB")
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    return image


def large(paths: list[pathlib.Path], out: pathlib.Path) -> None:
    for number, path in enumerate(paths):
        with Image.open(path) as image:
            pixels = image.width * image.height
        if pixels >= LARGE_PIXELS:
            shutil.copyfile(path, out / f"{number:03}.jpg")


def imagefolder(photos: list[Image.Image], out: pathlib.Path) -> None:
    rng = random.Random(SEED)
    for number in range(CLASSES * PER_CLASS):
        photo = photos[number % len(photos)]
        # Most of ImageNet's images are 500 pixels wide or high.
        any_size = (rng.randint(350, 700), rng.randint(350, 600))
        width, height = rng.choice([(500, 375), (500, 333), (375, 500), any_size])
        most = min(photo.width / width, photo.height / height)
        shrink = rng.uniform(1.0, most) if most > 1.0 else 1.0
        box = window(rng, photo, int(width * shrink), int(height * shrink))
        image = photo.resize((width, height), Image.Resampling.LANCZOS, box=box)
        folder = out / f"class{number % CLASSES:02}"
        folder.mkdir(exist_ok=True)
        quality = rng.randint(88, 95)
        # Nine files of ten have half the colours' resolution, as cameras and web sites write them.
        subsampling = 2 if rng.random() < 0.9 else 0
        image.save(folder / f"{number:05}.jpg", quality=quality, subsampling=subsampling)


def tiny(photos: list[Image.Image], out: pathlib.Path) -> None:
    rng = random.Random(SEED)
    for number in range(TINY_CLASSES * TINY_PER_CLASS):
        photo = photos[number % len(photos)]
        side = rng.randint(TINY_SIDE, 4 * TINY_SIDE)
        box = window(rng, photo, side, side)
        image = photo.resize((TINY_SIDE, TINY_SIDE), Image.Resampling.BILINEAR, box=box)
        folder = out / f"class{number % TINY_CLASSES}"
        folder.mkdir(exist_ok=True)
        image.save(folder / f"{number:05}.png", compress_level=1)


def window(rng: random.Random, photo: Image.Image, width: int, height: int) -> tuple[int, int, int, int]:
    """A window somewhere in the photograph, or as much of it as there is."""
    width, height = min(width, photo.width), min(height, photo.height)
    left, top = rng.randint(0, photo.width - width), rng.randint(0, photo.height - height)
    return left, top, left + width, top + height


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    arguments.add_argument("out", type=pathlib.Path, metavar="OUT")
    out = arguments.parse_args().out
    missing = [make for make in [large, imagefolder, tiny] if not (out / make.__name__).exists()]
    if not missing:
        return
    paths = list(photographs(unpacked(out)))
    if not paths:
        raise SystemExit(f"images.py: no photographs in {out / 'contents'}")
    print(f"{len(paths)} photographs", file=sys.stderr)
    photos = [shrunk(path) for path in paths] if missing != [large] else []
    for make in missing:
        # Under another name until it is whole, so that a run that was cut short is not taken for one that ended.
        begun = out / f"{make.__name__}.begun"
        shutil.rmtree(begun, ignore_errors=True)
        begun.mkdir()
        make(paths if make is large else photos, begun)
        files = [path for path in begun.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        begun.rename(out / make.__name__)
        print(f"{make.__name__}: {len(files)} files, {size / len(files) / 1024:.1f} KiB on average", file=sys.stderr)


if __name__ == "__main__":
    main()
