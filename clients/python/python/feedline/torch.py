"""feedline for PyTorch: `(images, targets)` as tensors on a device, in the place of `torch.utils.data.DataLoader`.

    from feedline.torch import DataLoader

    loader = DataLoader("127.0.0.1:50051", pipeline="imagenet-train", batch_size=64, device="cuda")
    for epoch in range(90):
        for images, targets in loader:
            ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import torch

from feedline._batch import Batch
from feedline._errors import InvalidRequestError
from feedline._loader import Loader

__all__ = ["DataLoader", "IterableDataset", "Normalize"]


class Normalize:
    """What the server leaves undone for UINT8, done on the device: `image * scale + shift` per channel, one fused expression.

    Equals the server's own FP32 within 1e-6. `description` is `Loader.describe()`; without a to_float or normalize at the end of the
    pipeline, images become floats of the same values.
    """

    def __init__(self, description: Mapping[str, Any], layout: Literal["nchw", "nhwc"] = "nchw") -> None:
        undone = description.get("normalization") or {}
        scale, mean, std = undone.get("scale", 1.0), undone.get("mean") or [0.0], undone.get("std") or [1.0]
        shape = (1, -1, 1, 1) if layout == "nchw" else (1, 1, 1, -1)
        # In 64 bits, and rounded once.
        spread = torch.tensor(std, dtype=torch.float64)
        self._scale = (scale / spread).float().reshape(shape)
        self._shift = (-torch.tensor(mean, dtype=torch.float64) / spread).float().reshape(shape)

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """uint8 images of the layout to float32 on their device."""
        if self._scale.device != images.device:
            self._scale, self._shift = self._scale.to(images.device), self._shift.to(images.device)
        return torch.addcmul(self._shift, images.float(), self._scale)


class DataLoader:
    """Iterates over `(images, targets)`: images float32 (or `dtype`), targets int64 [rows], or float32 [rows, classes] under mixing.

    Takes what `feedline.Loader` takes, and

    device
        Where the tensors shall be. Default: the processor's memory.
    pin_memory
        Whether batches are copied to page-locked memory first, so that a GPU fetches them while Python goes on. Default: if `device`
        is a CUDA device.
    uint8
        Whether images travel as UINT8, a fourth of the bytes, and are normalised on the device. Default: where the pipeline allows it
        and nothing is rounded: not under MixUp, and not with float work before the pipeline's end.
    memory_format
        `torch.channels_last` or `torch.contiguous_format` of the images, which are NCHW by shape in either case.

    It has `state_dict`, `load_state_dict`, `set_epoch`, `len`, and `loader`, the `feedline.Loader` below.
    """

    def __init__(
        self,
        target: Any,
        *args: Any,
        device: torch.device | str | None = None,
        pin_memory: bool | None = None,
        uint8: bool | None = None,
        memory_format: torch.memory_format = torch.contiguous_format,
        dtype: torch.dtype = torch.float32,
        **kwargs: Any,
    ) -> None:
        if "layout" in kwargs:
            raise InvalidRequestError("layout is given; images are NCHW for torch, memory_format says how they lie in memory")
        self._device = torch.device("cpu" if device is None else device)
        self._pin = (self._device.type == "cuda") if pin_memory is None else pin_memory
        self._last = memory_format == torch.channels_last
        layout: Literal["nchw", "nhwc"] = "nhwc" if self._last else "nchw"
        self._dtype, self._uint8 = dtype, uint8
        self._normalize: Normalize | None = None
        # Asked for FP32, MixUp is not rounded; whether UINT8 will do shows when it is opened.
        self.loader = Loader(target, *args, dtype=dtype, layout=layout, **kwargs)
        self._decided = False

    def _decide(self) -> None:
        """Takes UINT8 if that gives the same images."""
        if self._decided:
            return
        loader = self.loader
        blends = any(kind in loader._spec.get("mixing", {}) for kind in ("mixup", "cutmix_or_mixup"))
        if self._uint8 or (self._uint8 is None and not blends and self._dtype == torch.float32):
            wanted, loader._delivery["dtype"] = loader._delivery["dtype"], "uint8"
            try:
                self._normalize = Normalize(loader.describe(), loader._delivery["layout"])
            except InvalidRequestError:
                if self._uint8:
                    raise
                loader._delivery["dtype"] = wanted
        self._decided = True

    def __len__(self) -> int:
        self._decide()
        return len(self.loader)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        self._decide()
        return (self._tensors(batch) for batch in self.loader)

    def _tensors(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        tensors = batch.to_torch()
        images, targets = self._moved(tensors["image"]), self._moved(tensors["label"])
        if self._normalize is not None:
            images = self._normalize(images)
        # A batch in NHWC is one in NCHW whose channels lie last.
        return (images.permute(0, 3, 1, 2) if self._last else images).to(self._dtype), targets

    def _moved(self, tensor: torch.Tensor) -> torch.Tensor:
        if self._pin:
            tensor = tensor.pin_memory()
        return tensor if self._device.type == "cpu" else tensor.to(self._device, non_blocking=self._pin)

    def set_epoch(self, epoch: int) -> None:
        """As `Loader.set_epoch`."""
        self.loader.set_epoch(epoch)

    def state_dict(self) -> dict[str, Any]:
        """As `Loader.state_dict`."""
        self._decide()
        return self.loader.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """As `Loader.load_state_dict`."""
        self.loader.load_state_dict(state)

    def close(self) -> None:
        """As `Loader.close`."""
        self.loader.close()


class IterableDataset(torch.utils.data.IterableDataset[dict[str, torch.Tensor]]):
    """A loader as a dataset for a stock `torch.utils.data.DataLoader`: give it `batch_size=None`, since batches are made already.

        torch.utils.data.DataLoader(IterableDataset(loader), batch_size=None, num_workers=2)

    Worker i of n fetches every n-th batch, and the DataLoader puts them in order again: the same batches in the same order as
    without workers. A worker begins with the epoch that `set_epoch` chose before the DataLoader was iterated; with
    `persistent_workers=True` each further iteration is the next epoch. Items are dictionaries of tensors by name.
    """

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        return (batch.to_torch() for batch in self.loader)

    def __len__(self) -> int:
        return len(self.loader)

    def set_epoch(self, epoch: int) -> None:
        """As `Loader.set_epoch`."""
        self.loader.set_epoch(epoch)
