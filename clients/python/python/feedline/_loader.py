from __future__ import annotations

import json
import os
import sys
import warnings
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from feedline import _native, _spec
from feedline._batch import Batch
from feedline._errors import DamagedSampleWarning, InvalidRequestError, MismatchError
from feedline._serve import engine_options
from feedline.ops import BoxRules, KeypointRules, Message, Mixing, MixingKind, Views, inner, plain

if TYPE_CHECKING:
    from feedline._show import Sheet

_BATCH_SIZE = 64
_STATE_VERSION = 1

# Engines of this process by folder and options: loaders of the same folder share one copy of it.
_engines: weakref.WeakValueDictionary[tuple[Any, ...], _native.Source] = weakref.WeakValueDictionary()


class Loader:
    """Batches of one loader spec, epoch after epoch, in the place of a `DataLoader`.

    One `iter()` is one epoch, and the next goes on with the next epoch; `len()` is the steps of an epoch. Breaking off and iterating
    again begins the next epoch; `set_epoch` chooses one. Nothing is connected or read before the first `next`, `len` or `describe`,
    so a loader may be handed to worker processes. One that is open refuses to be used after a fork (`ForkError`).

    Inside of worker i of n of torch's `DataLoader` a loader gives every n-th batch from the i-th on, so that all workers together
    give every batch once, in order.

    target
        `HOST:PORT` or `unix:PATH` of a server; a list of them, which have the same datasets, and of which the next one is asked when
        one fails; or a folder (or manifest), whose batches are then made in this process: the same bytes without a network.
    split
        Split, with a slice if wanted: `train`, `train[:80%]`, `validation[100:200]`.
    pipeline
        Name of a preset (`imagenet-train`, `imagenet-eval`, `tutorial`, `none`) or of a pipeline of the server; a `.toml` file; ops of
        `feedline.ops`; or a `Compose` of albumentations, whose ops must all have an exact equal (or, with `approximate=True`, a near one).
    batch_size, global_batch_size
        Rows of every rank in a step, or of all ranks together: one of the two. Default 64 of every rank.
    seed
        Of everything that is drawn: 0 to 2**53 - 1.
    epochs
        How many epochs there are in all; iterating after the last gives nothing. None: no end.
    rank, world_size
        Which part of every global batch is wanted. Default: torch.distributed's, else those of the environment (`RANK`,
        `WORLD_SIZE`), else 0 of 1.
    dataset
        Name of the dataset, where the server has several.
    order, last_batch
        `shuffled` or `sequential`; `drop`, `short` or `wrap` for the last, incomplete batch (default: drop when shuffled, short when
        sequential).
    mixing
        `ops.CutMix()` and the like, or `ops.Mixing(...)` with its options. Labels are then float32 [rows, classes].
    views
        Number of views of every sample, or `ops.Views(...)`.
    targets
        Annotations that come along: `boxes`, `mask`, `keypoints`.
    exif_orientation
        Turn and mirror images as their EXIF orientation says.
    scaled_decode
        Decode JPEG files at 1/2, 1/4 or 1/8 of their size where the first op of the pipeline shrinks them at least as far: faster,
        other pixels.
    dtype, layout
        `uint8`, `float16`, `bfloat16` or `float32` of the image tensor; `nchw` or `nhwc`. With `uint8` the pipeline's last to_float and
        normalize are left to the client (`describe()["normalization"]`); `feedline.torch` does them on the device.
    bad_samples, bad_sample_budget
        `fail` raises `DamagedSampleError` at a damaged sample; `substitute` puts another one of its class in its place, warns, and
        raises after so many of them.
    indices
        Chosen samples in place of the whole split, as torch's `Subset` has them: a list, an array or any other iterable of whole numbers,
        each at most once. Their order is that of a sequential epoch. `batch.samples` stays the index in the split. Not beside a slice.
    box_format
        `pascal_voc`, `coco`, `yolo` or `normalized`.
    spec
        A whole loader spec: a `.toml` file, or the contract's message as a mapping. Other arguments override it.
    prefetch_bytes
        Bytes of batches that the server makes ahead. Default 256 MiB.
    ahead
        Batches that are received before they are asked for.
    progress
        Show a bar with tqdm.
    repeat
        Give the first batch again and again, to measure a trainer alone; an epoch has as many steps as ever.
    name, job
        How the server's log calls this client, and its training job.
    retry_for
        Seconds for which an unreachable server is tried again. Default 60.
    shared_memory
        Get batches of a server on this host by memory that is shared with it, in place of the wire (Linux). Default true.
    threads, memory_budget, batch_budget, store, models
        Of the engine, when `target` is a folder; as `feedline.serve` has them.
    """

    def __init__(
        self,
        target: str | os.PathLike[str] | Sequence[str],
        split: str | None = None,
        pipeline: Any = None,
        batch_size: int | None = None,
        seed: int | None = None,
        epochs: int | None = None,
        rank: int | None = None,
        world_size: int | None = None,
        *,
        global_batch_size: int | None = None,
        dataset: str | None = None,
        order: Literal["shuffled", "sequential"] | None = None,
        last_batch: Literal["drop", "short", "wrap"] | None = None,
        mixing: MixingKind | Mixing | Mapping[str, Any] | None = None,
        views: int | Views | Mapping[str, Any] | None = None,
        targets: Sequence[Literal["boxes", "mask", "keypoints"]] = (),
        box_rules: BoxRules | Mapping[str, Any] | None = None,
        keypoint_rules: KeypointRules | Mapping[str, Any] | None = None,
        indices: Iterable[int] | None = None,
        exif_orientation: bool | None = None,
        scaled_decode: bool | None = None,
        dtype: Any = "float32",
        layout: Literal["nchw", "nhwc"] = "nchw",
        bad_samples: Literal["fail", "substitute"] = "fail",
        bad_sample_budget: int | None = None,
        box_format: Literal["pascal_voc", "coco", "yolo", "normalized"] | None = None,
        spec: str | os.PathLike[str] | Mapping[str, Any] | None = None,
        approximate: bool = False,
        allow_uneven: bool = False,
        prefetch_bytes: int | None = None,
        ahead: int = 2,
        progress: bool = False,
        repeat: bool = False,
        name: str = "",
        job: str = "",
        retry_for: float = 60.0,
        shared_memory: bool = True,
        threads: int | None = None,
        memory_budget: str | None = None,
        batch_budget: str | None = None,
        store: str = "auto",
        models: str | os.PathLike[str] | None = None,
    ) -> None:
        if batch_size is not None and global_batch_size is not None:
            raise InvalidRequestError("batch_size and global_batch_size are both given, expected one of them")
        if (rank is None) != (world_size is None):
            raise InvalidRequestError("rank and world_size belong together: one of them is given alone")
        if seed is not None and not 0 <= seed < 1 << 53:
            raise InvalidRequestError(f"seed is {seed}, expected 0 to 2**53 - 1")
        self._address, self._folder = _target(target)
        self._spec: dict[str, Any] = _read_spec(spec)
        if pipeline is not None:
            self._spec["pipeline"] = _spec.pipeline(pipeline, approximate)
        given: dict[str, Any] = {
            "dataset": dataset,
            "split": split,
            "seed": seed,
            "order": order,
            "last_batch": last_batch,
            "mixing": None if mixing is None else _mixing(mixing),
            "views": None if views is None else {"count": views} if isinstance(views, int) else inner(views),
            "targets": list(targets) or None,
            "box_rules": None if box_rules is None else inner(box_rules),
            "keypoint_rules": None if keypoint_rules is None else inner(keypoint_rules),
            "subset": None if indices is None else {"indices": _spec.indices(indices)},
            "decode": _decode(exif_orientation, scaled_decode),
        }
        self._spec.update({field: value for field, value in given.items() if value is not None})
        self._delivery: dict[str, Any] = {
            "dtype": _spec.dtype(dtype),
            "layout": layout,
            "bad_samples": bad_samples,
            "bad_sample_budget": bad_sample_budget,
            "box_format": box_format,
            "prefetch_bytes": prefetch_bytes,
            "repeat": repeat or None,
        }
        self._delivery = {field: value for field, value in self._delivery.items() if value is not None}
        self._batch_size = batch_size
        self._global_batch_size = global_batch_size or self._spec.pop("global_batch_size", None)
        self._rank, self._world_size, self._allow_uneven = rank, world_size, allow_uneven
        self._epochs, self._ahead, self._progress = epochs, ahead, progress
        self._connection = (name, job, float(retry_for), bool(shared_memory))
        self._engine = engine_options(threads, memory_budget, batch_budget, store, models)
        # Where the next batch stands, of those that were handed out; and whether it is to be gone on there even within an epoch.
        self._epoch, self._step, self._resumed = 0, 0, True
        self._fingerprints: tuple[str, str] | None = None
        self._opened: _Opened | None = None

    # ---- what is asked for

    @property
    def batch_size(self) -> int:
        """Rows of a full batch of this rank (where ranks are uneven, of the first one)."""
        return -(-self.global_batch_size // self.placement[1])

    @property
    def global_batch_size(self) -> int:
        """Rows of all ranks together in a step."""
        if self._global_batch_size is not None:
            return int(self._global_batch_size)
        return (self._batch_size or _BATCH_SIZE) * self.placement[1]

    @property
    def placement(self) -> tuple[int, int]:
        """Rank and world size."""
        if self._rank is not None and self._world_size is not None:
            return self._rank, self._world_size
        distributed = sys.modules.get("torch.distributed")
        if distributed is not None and distributed.is_available() and distributed.is_initialized():
            return distributed.get_rank(), distributed.get_world_size()
        try:
            return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
        except ValueError:
            found = f"RANK={os.environ.get('RANK')!r}, WORLD_SIZE={os.environ.get('WORLD_SIZE')!r}"
            raise InvalidRequestError(f"{found} in the environment, expected numbers") from None

    @property
    def epoch(self) -> int:
        """The epoch that the next batch is of, counting batches that were handed out: what the next `iter()` gives, unless this
        one is broken off."""
        return self._epoch

    def describe(self) -> dict[str, Any]:
        """What the batches will be like, by the server: `steps_per_epoch`, `samples`, `rows`, `tensors` (name, dtype, shape),
        `classes`, `normalization` (what UINT8 leaves undone), `spec` (all names resolved), `spec_fingerprint`, `warnings`, …

        Checks the whole request; raises `InvalidRequestError` with all that is wrong with it.
        """
        return self._open().description

    def __len__(self) -> int:
        """Steps of an epoch; the same after a resume. In a worker of torch's DataLoader, of all workers together."""
        return self._open().steps

    # ---- batches

    def __iter__(self) -> Iterator[Batch]:
        """The batches of one epoch: of the one at hand from where a loaded state stands, else of the next one."""
        if self._step > 0 and not self._resumed:
            self._epoch, self._step = self._epoch + 1, 0
        self._resumed = False
        batches = self._batches()
        if self._progress:
            from tqdm.auto import tqdm

            opened = self._open()
            return iter(tqdm(batches, total=opened.steps, initial=self._step, desc=f"epoch {self._epoch}", unit="batch"))
        return batches

    def _batches(self) -> Iterator[Batch]:
        opened = self._open()
        worker, workers = _worker()
        epoch = self._epoch
        if self._step >= opened.steps:
            # A state at the very end of an epoch is the start of the next.
            epoch = self._epoch = epoch + 1
            self._step = 0
        if self._epochs is not None and epoch >= self._epochs:
            return
        if workers > 1:
            # Each worker has every n-th batch of this epoch.
            start, left = self._step + worker, len(range(self._step + worker, opened.steps, workers))
            if not left:
                self._epoch, self._step = epoch + 1, 0
                return
            stream = opened.stream(epoch, start, left, workers)
        else:
            left = opened.steps - self._step
            stream = opened.endless(epoch, self._step, self._epochs)
        while left:
            # Another iterator of this loader that went on in the meantime has the stream now.
            if workers == 1 and opened.position != (epoch, self._step):
                return
            native = stream.next()
            if native is None:
                return
            batch = Batch(native)
            left -= 1
            self._epoch, self._step = (epoch, batch.step + 1) if left else (epoch + 1, 0)
            if workers == 1:
                opened.position = (self._epoch, self._step)
            for found in batch.substitutions:
                warnings.warn(
                    f"sample {found.damaged} is damaged ({found.cause}); sample {found.substitute} is in its place",
                    DamagedSampleWarning,
                    stacklevel=2,
                )
            yield batch

    def set_epoch(self, epoch: int) -> None:
        """Makes the next `iter()` give that epoch, from its start."""
        if epoch < 0:
            raise InvalidRequestError(f"epoch is {epoch}, expected 0 or more")
        if not (self._resumed and self._epoch == epoch):
            self._epoch, self._step, self._resumed = epoch, 0, True

    @property
    def reconnects(self) -> int:
        """How often the connection of the open stream was lost and made again."""
        return 0 if self._opened is None else self._opened.reconnects()

    def close(self) -> None:
        """Ends the stream, and lets go of server or engine. Batches that are in hand stay good; iterating opens it anew."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def show(self, n: int = 16) -> Sheet:
        """A contact sheet of the first `n` images of the next batch, with their classes, which notebooks display and `save(path)`
        writes. Changes nothing of where the loader stands."""
        from feedline import _show

        return _show.sheet(self, n)

    # ---- state

    def state_dict(self) -> dict[str, Any]:
        """Where the loader stands: after batch k, loaded into another loader of the same spec, it gives batch k + 1. It counts
        batches that were handed out, not those that are on their way."""
        dataset, spec = self._fingerprints or self._open().fingerprints
        return {
            "version": _STATE_VERSION,
            "epoch": self._epoch,
            "step": self._step,
            "global_batch_size": self.global_batch_size,
            "dataset_fingerprint": dataset,
            "spec_fingerprint": spec,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on where `state` was taken, also with another world size: the global batch is the state's.

        Raises `MismatchError` if `batch_size` contradicts it; a state of another dataset or spec is refused when the loader opens.
        """
        if state.get("version") != _STATE_VERSION:
            raise MismatchError(f"the state's version is {state.get('version')!r}, expected {_STATE_VERSION}")
        saved, (_, world_size) = int(state["global_batch_size"]), self.placement
        named = "global_batch_size" if self._global_batch_size is not None else "batch_size"
        if (self._batch_size or self._global_batch_size) and self.global_batch_size != saved:
            fits = f"batch_size={saved // world_size}" if saved % world_size == 0 else f"global_batch_size={saved}"
            raise MismatchError(
                f"{named} makes a global batch of {self.global_batch_size} rows over {world_size} ranks, the state has "
                f"{saved}: {fits} fits"
            )
        self.close()
        self._global_batch_size, self._batch_size = saved, None
        self._epoch, self._step, self._resumed = int(state["epoch"]), int(state["step"]), True
        self._fingerprints = (str(state["dataset_fingerprint"]), str(state["spec_fingerprint"]))

    def __getstate__(self) -> dict[str, Any]:
        # What is open belongs to this process.
        return {**self.__dict__, "_opened": None}

    # ---- opening

    def _open(self) -> _Opened:
        if self._opened is None:
            rank, world_size = self.placement
            request = {
                "spec": {
                    "pipeline": {"name": "none"},
                    **self._spec,
                    "global_batch_size": self.global_batch_size,
                },
                "placement": {"rank": rank, "world_size": world_size, "allow_uneven": self._allow_uneven},
                "delivery": self._delivery,
            }
            opened = _Opened(self._source(), request, self._fingerprints, self._ahead)
            for text in opened.description.get("warnings", []):
                warnings.warn(text, stacklevel=3)
            self._fingerprints = opened.fingerprints
            self._opened = opened
        return self._opened

    def _source(self) -> _native.Source:
        if self._folder is None:
            return _native.Source.connect(self._address, *self._connection)
        key = (os.getpid(), os.path.realpath(self._folder), *self._engine.values())
        source = _engines.get(key)
        if source is None:
            source = _engines[key] = _native.Source.open(self._folder, self._engine)
        return source


class _Opened:
    """A loader's connection, or engine, and the stream that it has in use."""

    def __init__(
        self, source: _native.Source, request: dict[str, Any], fingerprints: tuple[str, str] | None, ahead: int
    ) -> None:
        self._source, self._request, self._ahead = source, request, ahead
        self._stream: _native.Stream | None = None
        self.position: tuple[int, int] | None = None
        delivery = request["delivery"]
        if fingerprints is not None:
            dataset, spec = fingerprints
            start = {"dataset_fingerprint": dataset, "spec_fingerprint": spec}
            delivery = {**delivery, "start": start}
        self.description = _whole_numbers(json.loads(source.describe(_spec.to_json({**request, "delivery": delivery}))))
        self.steps: int = self.description["steps_per_epoch"]
        self.fingerprints: tuple[str, str] = (
            self.description["spec"]["dataset_fingerprint"],
            self.description["spec_fingerprint"],
        )

    def stream(self, epoch: int, step: int, count: int | None, stride: int = 1) -> _native.Stream:
        dataset, spec = self.fingerprints
        start = {"epoch": epoch, "step": step, "dataset_fingerprint": dataset, "spec_fingerprint": spec}
        delivery = {**self._request["delivery"], "start": start, "stride": stride}
        if count is not None:
            delivery["count"] = count
        return self._source.stream(_spec.to_json({**self._request, "delivery": delivery}), self._ahead)

    def endless(self, epoch: int, step: int, epochs: int | None) -> _native.Stream:
        """The stream that gives that batch next, across the ends of epochs: the one at hand if it stands there."""
        if self._stream is None or self.position != (epoch, step):
            if self._stream is not None:
                self._stream.close()
            count = None if epochs is None else (epochs - epoch) * self.steps - step
            self._stream = self.stream(epoch, step, count)
            self.position = (epoch, step)
        return self._stream

    def reconnects(self) -> int:
        return 0 if self._stream is None else self._stream.reconnects

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _target(target: str | os.PathLike[str] | Sequence[str]) -> tuple[str, str | None]:
    """The addresses, or the folder, that a target means."""
    if isinstance(target, os.PathLike):
        return "", os.fspath(target)
    if not isinstance(target, str):
        return ",".join(target), None
    looks_like_an_address = target.startswith(("unix:", "http://", "https://")) or (
        target.rpartition(":")[2].isdigit() and not os.path.exists(target)
    )
    if looks_like_an_address:
        return target, None
    if not os.path.exists(target):
        raise InvalidRequestError(
            f"target is {target!r}, which is no folder here, and no address: expected HOST:PORT, unix:PATH or a folder"
        )
    return "", target


def _read_spec(spec: str | os.PathLike[str] | Mapping[str, Any] | None) -> dict[str, Any]:
    if spec is None:
        return {}
    if isinstance(spec, Mapping):
        return dict(plain(spec))
    return dict(json.loads(_native.read_spec(os.fspath(spec))))


def _decode(exif_orientation: bool | None, scaled: bool | None) -> dict[str, Any] | None:
    given = {"exif_orientation": exif_orientation, "scaled": scaled}
    return {field: value for field, value in given.items() if value is not None} or None


def _mixing(mixing: MixingKind | Mixing | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(mixing, Mixing):
        fields = {}
        for name, value in mixing._fields.items():
            fields[name] = inner(value) if isinstance(value, Message) else value
        return fields
    return dict(plain(mixing))


def _worker() -> tuple[int, int]:
    """Which worker of torch's DataLoader this process is, of how many; 0 of 1 if it is none."""
    data = sys.modules.get("torch.utils.data")
    info = data.get_worker_info() if data is not None else None
    return (0, 1) if info is None else (info.id, info.num_workers)


def _whole_numbers(description: dict[str, Any]) -> dict[str, Any]:
    """The 64-bit numbers of a description, which JSON spells as text, as numbers."""
    for name in ("steps_per_epoch", "samples", "payload_bytes"):
        description[name] = int(description.get(name, 0))
    for tensor in description.get("tensors", []):
        tensor["shape"] = [int(side) for side in tensor.get("shape", [])]
        for name in ("offset", "bytes"):
            tensor[name] = int(tensor.get(name, 0))
    if "largest_image_shape" in description:
        description["largest_image_shape"] = [int(side) for side in description["largest_image_shape"]]
    return description
