"""feedline for JAX: batches as arrays on the local devices.

    from feedline.jax import batches

    for batch in batches("127.0.0.1:50051", pipeline="imagenet-train", batch_size=64, layout="nhwc"):
        state = step(state, batch["image"], batch["label"])
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from feedline._loader import Loader

__all__ = ["batches", "sharding"]


def sharding(devices: list[jax.Device] | None = None) -> jax.sharding.Sharding:
    """Rows spread evenly over `devices`, by default all local ones."""
    mesh = jax.sharding.Mesh(np.array(devices or jax.local_devices()), ("rows",))
    return jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("rows"))


def batches(
    target: Any, *args: Any, sharding: jax.sharding.Sharding | None = None, **kwargs: Any
) -> Iterator[dict[str, jax.Array]]:
    """The batches of one epoch as dictionaries of arrays: on the default device, or spread by `sharding`, whose devices must divide
    the rows.

    Takes what `feedline.Loader` takes, or a `Loader`, of which each call is the next epoch. The copy to the devices is the only one.
    """
    loader = target if isinstance(target, Loader) else Loader(target, *args, **kwargs)
    for batch in loader:
        yield {name: jax.device_put(batch[name], sharding) for name in batch}
