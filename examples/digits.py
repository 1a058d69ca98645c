"""scikit-learn's handwritten digits as a folder of images, so that the examples beside this file need no download.

1,797 digits of 8x8 pixels (E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998; CC BY 4.0), which the
package ships. 1,297 become `train`, and 500 `val`, as many of each class.
"""

from __future__ import annotations

import pathlib
import shutil
import tempfile

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "target" / "examples" / "digits"


def folder(path: pathlib.Path = FOLDER) -> pathlib.Path:
    """The folder, written if it is not there yet: `train/<digit>/<number>.png` and `val/<digit>/<number>.png`."""
    if path.exists():
        return path
    images, labels = load_digits(return_X_y=True)
    # 17 shades, 0 to 16.
    pixels = np.round(images.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    train, val = train_test_split(np.arange(len(labels)), test_size=500, stratify=labels, random_state=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and then moved: who finds the folder finds all of it.
    made = pathlib.Path(tempfile.mkdtemp(dir=path.parent))
    for split, members in [("train", train), ("val", val)]:
        for index in members:
            place = made / split / str(labels[index])
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels[index]).save(place / f"{index:04d}.png")
    made.chmod(0o755)
    try:
        made.rename(path)
    except OSError:
        # Another process was faster.
        shutil.rmtree(made)
    return path
