"""JAX: the same batches as arrays on the devices, whole or spread by rows."""

from __future__ import annotations

import os

import numpy as np
import pytest

# Two devices of one processor, to spread rows over; read when JAX starts.
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=2".strip()

from feedline import Loader, ops  # noqa: E402

jax = pytest.importorskip("jax")

import feedline.jax  # noqa: E402

SPEC = dict(pipeline=[ops.RandomResizedCrop(32), ops.HorizontalFlip(), ops.ToFloat()], batch_size=16, seed=3, layout="nhwc")


def test_batches_are_those_of_a_loader_epoch_after_epoch(server):
    loader, own = Loader(server.address, **SPEC), Loader(server.address, **SPEC)
    for _ in range(2):
        got, batches = list(feedline.jax.batches(loader)), list(own)
        assert len(got) == len(batches) == 6
        for arrays, batch in zip(got, batches):
            assert set(arrays) == set(batch) and all(isinstance(array, jax.Array) for array in arrays.values())
            assert np.array_equal(arrays["image"], batch["image"]) and np.array_equal(arrays["label"], batch["label"])


def test_rows_are_spread_evenly_over_the_devices(server):
    assert len(jax.local_devices()) == 2
    arrays = next(feedline.jax.batches(server.address, **SPEC, sharding=feedline.jax.sharding()))
    batch = next(iter(Loader(server.address, **SPEC)))
    for name, array in arrays.items():
        shards = sorted(array.addressable_shards, key=lambda shard: shard.index[0].start)
        assert [shard.data.shape[0] for shard in shards] == [8, 8]
        assert len({shard.device for shard in shards}) == 2
        assert np.array_equal(np.concatenate([np.asarray(shard.data) for shard in shards]), batch[name])


def test_a_compiled_step_takes_them(server):
    @jax.jit
    def mean(images):
        return images.mean((0, 1, 2))

    for arrays in feedline.jax.batches(server.address, **SPEC, sharding=feedline.jax.sharding()):
        exact = np.asarray(arrays["image"]).mean((0, 1, 2), dtype=np.float64)
        assert np.allclose(mean(arrays["image"]), exact, atol=1e-4)


def test_bfloat16_stays_bfloat16(server):
    arrays = next(feedline.jax.batches(server.address, **SPEC, dtype="bfloat16"))
    batch = next(iter(Loader(server.address, **SPEC)))
    assert arrays["image"].dtype == jax.numpy.bfloat16
    assert np.allclose(arrays["image"].astype(np.float32), batch["image"], atol=2**-8)
