from __future__ import annotations

import os
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from feedline._loader import Loader


class Sheet:
    """Images beside each other. Notebooks display it, with a caption for each; `save` writes a PNG."""

    def __init__(self, pixels: np.ndarray, captions: list[str]) -> None:
        self.pixels = pixels
        """uint8 [height, width, 3]."""
        self.captions = captions
        """What each image is, row by row."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes it as a PNG file."""
        with open(path, "wb") as file:
            file.write(self._repr_png_())

    def _repr_png_(self) -> bytes:
        height, width, _ = self.pixels.shape

        def chunk(kind: bytes, data: bytes) -> bytes:
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

        # Every line begins with its filter: none.
        lines = np.zeros((height, 1 + 3 * width), np.uint8)
        lines[:, 1:] = self.pixels.reshape(height, -1)
        head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(lines.tobytes())) + chunk(b"IEND", b"")

    def __repr__(self) -> str:
        return f"Sheet({len(self.captions)} images: {', '.join(self.captions)})"


def sheet(loader: Loader, n: int) -> Sheet:
    """The first `n` images of the batch that `loader` gives next."""
    opened = loader._open()
    native = opened.stream(loader._epoch, loader._step, 1).next()
    if native is None:
        raise RuntimeError("a stream of one batch was empty")
    from feedline._batch import Batch

    batch, classes = Batch(native), opened.description.get("classes", [])
    images = batch["image"][:n]
    if loader._delivery["layout"] == "nchw":
        images = images.transpose(0, 2, 3, 1)
    labels, views = batch["label"], batch.views()
    captions = [_caption(labels[row // views], classes) for row in range(len(images))]
    return Sheet(_grid(np.stack([_visible(image) for image in images])), captions)


def _caption(label: np.ndarray, classes: list[str]) -> str:
    def name(index: int) -> str:
        return classes[index] if 0 <= index < len(classes) else str(index)

    if label.ndim == 0:
        return name(int(label))
    weights = [(float(label[index]), name(int(index))) for index in np.argsort(-label)[:2]]
    return " + ".join(f"{weight:.0%} {text}" for weight, text in weights if weight > 0)


def _visible(image: np.ndarray) -> np.ndarray:
    """An image of any scale as 8 bits RGB: floats are stretched from their least to their greatest value."""
    if image.dtype != np.uint8:
        values = image.astype(np.float32)
        low, high = float(values.min()), float(values.max())
        image = ((values - low) * (255 / max(high - low, 1e-6))).round().astype(np.uint8)
    return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image


def _grid(images: np.ndarray) -> np.ndarray:
    """Rows of images with two white pixels between."""
    count, height, width, _ = images.shape
    columns = max(1, int(np.ceil(np.sqrt(count))))
    rows = -(-count // columns)
    grid = np.full((rows * (height + 2) - 2, columns * (width + 2) - 2, 3), 255, np.uint8)
    for index, image in enumerate(images):
        y, x = (index // columns) * (height + 2), (index % columns) * (width + 2)
        grid[y : y + height, x : x + width] = image
    return grid
