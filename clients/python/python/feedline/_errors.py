"""What feedline raises, and what it warns of. All errors are `FeedlineError`s; the message is the server's own reason."""

from feedline._native import (
    ContractError,
    DamagedSampleError,
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

__all__ = [
    "ContractError",
    "DamagedSampleError",
    "DamagedSampleWarning",
    "DatasetError",
    "FeedlineError",
    "ForkError",
    "InvalidRequestError",
    "LimitError",
    "MismatchError",
    "NotFoundError",
    "ServerError",
    "UnreachableError",
]


class DamagedSampleWarning(UserWarning):
    """A damaged sample was replaced by another one, as `bad_samples="substitute"` asks."""
