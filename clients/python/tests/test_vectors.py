"""The vectors that clients of every language share: the same batches for the same requests."""

from __future__ import annotations

import json

import numpy as np
import pytest
from conftest import DATASET, ROOT, Process, digest

from feedline import Batch, _native

CASES = json.loads((ROOT / "tests" / "data" / "vectors" / "batches.json").read_text())


@pytest.fixture(scope="module")
def sources():
    process = Process(DATASET)
    remote = _native.Source.connect(process.address, "", "", 60.0, True)
    yield [remote, _native.Source.open(str(DATASET), dict.fromkeys(["threads", "memory_budget", "batch_budget", "store", "models"]))]
    assert process.stop() == 0


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_batches_of_the_vectors(sources, case):
    for source in sources:
        stream = source.stream(json.dumps(case["readable"]), 2)
        found = []
        while (native := stream.next()) is not None:
            batch = Batch(native)
            tensors = []
            for tensor in native.tensors:
                values = np.asarray(tensor).reshape(-1)[:4]
                if tensor.dtype == "BF16":
                    values = (values.astype(np.uint32) << 16).view(np.float32)
                first = [float(value) for value in values]
                tensors.append({"name": tensor.name, "dtype": tensor.dtype, "shape": list(batch[tensor.name].shape), "first": first})
            found.append(
                {
                    "epoch": batch.epoch,
                    "step": batch.step,
                    "samples": batch.samples.tolist(),
                    "tensors": tensors,
                    "sha256": digest(batch),
                }
            )
        assert found == case["batches"]
