"""What a Loader's arguments mean in the words of the contract."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from feedline import _native
from feedline._errors import InvalidRequestError
from feedline.ops import Message, Op, plain

DTYPES = {"uint8": "uint8", "float16": "fp16", "bfloat16": "bf16", "float32": "fp32"}
_SHORT = {"u8": "uint8", "f16": "fp16", "bf16": "bf16", "f32": "fp32", **{short: short for short in DTYPES.values()}}


def pipeline(given: Any, approximate: bool) -> dict[str, Any]:
    """A `Pipeline` message of a preset's or the server's name, a file, ops, or an albumentations `Compose`."""
    if isinstance(given, os.PathLike) or (isinstance(given, str) and (given.endswith(".toml") or "/" in given)):
        return cast(dict[str, Any], json.loads(_native.read_pipeline(os.fspath(given))))
    if isinstance(given, str):
        return {"name": given}
    if hasattr(given, "to_dict") and not isinstance(given, Message):
        return _of_albumentations(given, approximate)
    if isinstance(given, Op):
        given = [given]
    if isinstance(given, Iterable) and not isinstance(given, Mapping):
        given = list(given)
        if all(isinstance(op, (Op, Mapping)) for op in given):
            return {"ops": [plain(op) for op in given]}
    raise InvalidRequestError(
        f"pipeline is a {type(given).__name__}, expected the name of a preset or of a pipeline of the server, a .toml file, "
        "ops of feedline.ops, or a Compose of albumentations"
    )


def indices(given: Any) -> np.ndarray:
    """Samples of a list, an array or any other iterable of whole numbers, in its order, as the contract has them: 32 bits each."""
    if isinstance(given, str) or not (hasattr(given, "__array__") or isinstance(given, Iterable)):
        raise InvalidRequestError(f"indices is a {type(given).__name__}, expected {_INDICES}")
    try:
        array = np.asarray(given if hasattr(given, "__array__") or isinstance(given, Sequence) else list(given))
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"indices: {error}; expected {_INDICES}") from None
    if array.size == 0:
        raise InvalidRequestError("indices is empty, expected at least one sample, or None for all of them")
    if array.dtype == bool:
        raise InvalidRequestError("indices is a mask of bools, expected the indices where it is true: numpy.flatnonzero(mask)")
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise InvalidRequestError(f"indices is {array.dtype} of shape {array.shape}, expected {_INDICES}")
    beyond = np.flatnonzero((array < 0) | (array > _MOST))
    if beyond.size:
        at = int(beyond[0])
        raise InvalidRequestError(f"indices[{at}] is {int(array[at])}, expected a sample's index in the split, 0 to {_MOST}")
    return array.astype(np.uint32)


_INDICES = "whole numbers in one dimension, such as a list, an array, or the `indices` of a torch Subset"
_MOST = 2**32 - 1


def to_json(request: Any) -> str:
    """A request as JSON, with numpy's numbers and arrays among its values."""
    return json.dumps(request, default=_number)


def _of_albumentations(compose: Any, approximate: bool) -> dict[str, Any]:
    ops, _, unsupported = _native.import_albumentations(json.dumps(compose.to_dict(), default=_number), approximate)
    if unsupported:
        raise InvalidRequestError("the Compose has what feedline has no equal for: " + "; ".join(unsupported))
    return cast(dict[str, Any], json.loads(ops))


def _number(value: Any) -> Any:
    """What JSON lacks: numpy's numbers."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} where a number is expected")


def dtype(given: Any) -> str:
    """The contract's name of a dtype that is named as by us, by numpy or by torch."""
    name = str(given).removeprefix("torch.")
    if name not in DTYPES and name not in _SHORT:
        name = str(np.dtype(given)) if isinstance(given, (type, np.dtype)) else name
    found = DTYPES.get(name) or _SHORT.get(name)
    if found is None:
        raise InvalidRequestError(f"dtype is {given!r}, expected uint8, float16, bfloat16 or float32")
    return found
