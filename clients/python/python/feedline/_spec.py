"""What a Loader's arguments mean in the words of the contract."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from feedline import _native
from feedline._errors import InvalidRequestError
from feedline.ops import Message, Op, plain

DTYPES = {"uint8": "uint8", "float16": "fp16", "bfloat16": "bf16", "float32": "fp32"}
_SHORT = {"u8": "uint8", "f16": "fp16", "bf16": "bf16", "f32": "fp32", **{short: short for short in DTYPES.values()}}


def pipeline(given: Any, approximate: bool) -> dict[str, Any]:
    """A `Pipeline` message of a preset's or the server's name, a file, ops, or an albumentations `Compose`."""
    if isinstance(given, os.PathLike) or (isinstance(given, str) and (given.endswith(".toml") or "/" in given)):
        return json.loads(_native.read_pipeline(os.fspath(given)))
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


def _of_albumentations(compose: Any, approximate: bool) -> dict[str, Any]:
    ops, _, unsupported = _native.import_albumentations(json.dumps(compose.to_dict(), default=_number), approximate)
    if unsupported:
        raise InvalidRequestError("the Compose has what feedline has no equal for: " + "; ".join(unsupported))
    return json.loads(ops)


def _number(value: Any) -> Any:
    """What JSON lacks: numpy's numbers."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} in a Compose")


def dtype(given: Any) -> str:
    """The contract's name of a dtype that is named as by us, by numpy or by torch."""
    name = str(given).removeprefix("torch.")
    if name not in DTYPES and name not in _SHORT:
        name = str(np.dtype(given)) if isinstance(given, (type, np.dtype)) else name
    found = DTYPES.get(name) or _SHORT.get(name)
    if found is None:
        raise InvalidRequestError(f"dtype is {given!r}, expected uint8, float16, bfloat16 or float32")
    return found
