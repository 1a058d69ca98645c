from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import torch

    from feedline import _native


class Substitution(NamedTuple):
    """A row whose sample was damaged, and which other sample is in its place."""

    row: int
    """Row of the batch, from 0."""
    damaged: int
    """Index of the damaged sample in the split."""
    substitute: int
    """Index of the sample that took its place."""
    cause: str
    """What is wrong with the damaged one."""


class Timings(NamedTuple):
    """How long the server took for a batch, in nanoseconds; the first three are sums over its threads."""

    decode_ns: int
    augment_ns: int
    collate_ns: int
    made_ns: int
    """From the first row's start to the last row's end, by the clock."""
    shared_by: int
    """How many streams got the batch from one making so far."""


class Batch(Mapping[str, np.ndarray]):
    """A batch: its tensors by name, as numpy arrays.

    The arrays are views of what arrived, without a copy; they may be written to, and the memory lives as long as any of them. There
    is `image` (NCHW or NHWC, as asked for) and `label` (int64 [rows], or float32 [rows, classes] under mixing), and what views and
    targets bring. bfloat16, which numpy lacks, arrives as the uint16 of its bits, unless `ml_dtypes` is installed.
    """

    def __init__(self, native: _native.Batch) -> None:
        self._native = native
        self._tensors = {tensor.name: tensor for tensor in native.tensors}
        self._arrays: dict[str, np.ndarray] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        array = self._arrays.get(name)
        if array is None:
            tensor = self._tensors[name]
            array = self._arrays[name] = _bfloat16(np.asarray(tensor)) if tensor.dtype == "BF16" else np.asarray(tensor)
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def __repr__(self) -> str:
        tensors = ", ".join(f"{name}: {array.dtype}{list(array.shape)}" for name, array in self.items())
        return f"Batch(epoch {self.epoch}, step {self.step}, {tensors})"

    def to_torch(self) -> dict[str, torch.Tensor]:
        """Its tensors as those of torch, without a copy; bfloat16 is torch's own."""
        import torch

        def tensor(name: str) -> torch.Tensor:
            if self._tensors[name].dtype == "BF16":
                return torch.from_numpy(np.asarray(self._tensors[name]).view(np.int16)).view(torch.bfloat16)
            return torch.from_numpy(self[name])

        return {name: tensor(name) for name in self}

    @property
    def epoch(self) -> int:
        """Epoch, from 0."""
        return self._native.epoch

    @property
    def step(self) -> int:
        """Step in the epoch, from 0."""
        return self._native.step

    @property
    def samples(self) -> np.ndarray:
        """Index of each row's sample in its split: int64 [rows]."""
        samples = self._native.samples
        return self["sample"] if samples is None else np.array(samples, np.int64)

    @property
    def first_row(self) -> int:
        """Which row of the global batch the first one is."""
        return self._native.first_row

    @property
    def global_rows(self) -> int:
        """Rows of the global batch, of all ranks together."""
        return self._native.global_rows

    @property
    def wrapped_rows(self) -> np.ndarray:
        """Rows that `last_batch="wrap"` repeated, which an evaluation leaves out: int64 [repeated]."""
        return np.array(self._native.wrapped_rows, np.int64)

    @property
    def substitutions(self) -> list[Substitution]:
        """Rows whose sample was damaged and replaced."""
        return [Substitution(*found) for found in self._native.substitutions]

    @property
    def repeated(self) -> bool:
        """Whether this is the stream's first batch again, under `repeat=True`."""
        return self._native.repeated

    @property
    def timings(self) -> Timings:
        """How long the server took."""
        return Timings(*self._native.timings)

    @property
    def payload(self) -> np.ndarray:
        """All tensors back to back as they lie in memory, padding included: uint8 [bytes]. Hashes are of this."""
        return np.asarray(self._native.payload)

    def views(self, name: str = "image") -> int:
        """How many views of every sample that tensor has: row r is view `r % views` of sample `r // views`. 1 without views."""
        return max(self._tensors[name].views, 1)


def _bfloat16(bits: np.ndarray) -> np.ndarray:
    try:
        import ml_dtypes
    except ImportError:
        return bits
    return bits.view(ml_dtypes.bfloat16)
