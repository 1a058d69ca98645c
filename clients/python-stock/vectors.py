"""tests/data/vectors: what a client in any language has to get, and which damage it has to find."""

import base64
import hashlib
import json

import numpy as np
from feedline.v1 import batch_pb2, service_pb2, spec_pb2
from running import ROOT

FOLDER = ROOT / "tests/data/vectors"
DATASET = FOLDER / "dataset"
BATCHES = json.loads((FOLDER / "batches.json").read_text())
PARTS = json.loads((FOLDER / "parts.json").read_text())


def request(case) -> service_pb2.StreamRequest:
    """The request of a case of batches.json."""
    return service_pb2.StreamRequest.FromString(base64.b64decode(case["request"]))


def parts(case) -> list[batch_pb2.BatchPart]:
    """The messages of a case of parts.json."""
    return [batch_pb2.BatchPart.FromString(base64.b64decode(part)) for part in case["parts"]]


def found(batch) -> dict:
    """A batch of a client as the vectors list it."""
    return {
        "epoch": batch.header.epoch,
        "step": batch.header.step,
        "samples": batch.samples.tolist(),
        "tensors": [
            {
                "name": tensor.name,
                "dtype": spec_pb2.Dtype.Name(tensor.dtype).removeprefix("DTYPE_"),
                "shape": list(tensor.shape),
                "first": first(batch.tensor(tensor.name), tensor.dtype),
            }
            for tensor in batch.header.tensors
        ],
        "sha256": hashlib.sha256(batch.payload).hexdigest(),
    }


def first(numbers, dtype) -> list[float]:
    """The first four numbers of a tensor."""
    numbers = numbers.reshape(-1)[:4]
    if dtype == spec_pb2.DTYPE_BF16:  # the upper half of an FP32
        numbers = (numbers.astype(np.uint32) << 16).view(np.float32)
    return [float(number) for number in numbers]
