"""Augmented, shuffled, batched images for training, from a feedline server or made in this process.

    import feedline

    loader = feedline.Loader("127.0.0.1:50051", pipeline="imagenet-train", batch_size=64, seed=1)
    for epoch in range(90):
        for batch in loader:                # one iteration is one epoch
            step(batch["image"], batch["label"])

`feedline.torch`, `feedline.tf` and `feedline.jax` give tensors of those frameworks, `feedline.ops` builds pipelines, `feedline.tta`
averages predictions over views, `feedline.serve` starts a server in this process, and `python -m feedline` is the command line.
"""

import pkgutil

# The contract as protoc makes it for Python is the package `feedline.v1`: it may lie beside this one.
__path__ = pkgutil.extend_path(__path__, __name__)

from feedline import ops, tta
from feedline._batch import Batch, Substitution, Timings
from feedline._errors import (
    ContractError,
    DamagedSampleError,
    DamagedSampleWarning,
    DatasetError,
    FeedlineError,
    ForkError,
    InvalidRequestError,
    LimitError,
    MismatchError,
    NotFoundError,
    ServerError,
    UnreachableError,
)
from feedline._loader import Loader
from feedline._native import __version__
from feedline._serve import Server, serve

__all__ = [
    "Batch",
    "ContractError",
    "DamagedSampleError",
    "DamagedSampleWarning",
    "DatasetError",
    "FeedlineError",
    "ForkError",
    "InvalidRequestError",
    "LimitError",
    "Loader",
    "MismatchError",
    "NotFoundError",
    "Server",
    "ServerError",
    "Substitution",
    "Timings",
    "UnreachableError",
    "__version__",
    "ops",
    "serve",
    "tta",
]
