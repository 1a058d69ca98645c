from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from types import TracebackType

from feedline import _native

Path = str | os.PathLike[str]


class Server:
    """A server on threads of this process. Leaving a `with` block, or `stop()`, drains it; it also ends with the process."""

    def __init__(self, native: _native.Server) -> None:
        self._native = native

    @property
    def address(self) -> str:
        """Where it listens: `HOST:PORT` or `unix:PATH`, as `Loader` takes it."""
        return self._native.address

    def stop(self) -> bool:
        """Ends all streams after their current batch, and then the server. False if some had to be cut off."""
        return self._native.stop()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"Server({self.address!r})"


def serve(
    path: Path | Iterable[Path] | Mapping[str, Path],
    *,
    listen: str = "127.0.0.1:0",
    threads: int | None = None,
    memory_budget: str | None = None,
    batch_budget: str | None = None,
    store: str = "auto",
    models: Path | None = None,
    shutdown_grace: float = 30.0,
) -> Server:
    """Starts a server in this process, for notebooks and tests; `python -m feedline serve` is one of its own.

    `path` is a folder of images (one folder per class, or train, val and test folders that have), a manifest, several of them, or
    a mapping of dataset names to them. `listen` is `HOST:PORT`, port 0 for a free one, or `unix:PATH`. `threads` are its workers, by
    default one per processor. Budgets are sizes such as `"8GiB"`, by default half and a quarter of the memory there is. `store` says
    whether decoded images are kept: `encoded`, `decoded` or `auto`. `models` is the folder of the models that the op `onnx` may name.
    `shutdown_grace` is how many seconds `stop` waits for streams.

    Raises `DatasetError` if a folder can't be read, `ServerError` if the address is taken.
    """
    if isinstance(path, Mapping):
        paths = [(name, os.fspath(folder)) for name, folder in path.items()]
    elif isinstance(path, (str, os.PathLike)):
        paths = [(None, os.fspath(path))]
    else:
        paths = [(None, os.fspath(folder)) for folder in path]
    options = engine_options(threads, memory_budget, batch_budget, store, models)
    return Server(_native.Server.start(paths, listen, options, shutdown_grace))


def engine_options(
    threads: int | None, memory_budget: str | None, batch_budget: str | None, store: str, models: Path | None
) -> dict[str, object]:
    """How an engine is made, as the native part takes it."""
    return {
        "threads": threads,
        "memory_budget": memory_budget,
        "batch_budget": batch_budget,
        "store": store,
        "models": None if models is None else os.fspath(models),
    }
