"""feedline for TensorFlow and Keras: batches as a `tf.data.Dataset`.

    import feedline.tf

    train = feedline.tf.dataset("127.0.0.1:50051", pipeline="tutorial", batch_size=64)
    model.fit(train, epochs=10)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from feedline._loader import Loader

__all__ = ["dataset"]

_DTYPES = {
    "uint8": tf.uint8,
    "fp16": tf.float16,
    "bf16": tf.bfloat16,
    "fp32": tf.float32,
    "int64": tf.int64,
}


def dataset(target: Any, *args: Any, **kwargs: Any) -> tf.data.Dataset:
    """A dataset of `(images, labels)`, as `model.fit` takes it, with everything that `feedline.Loader` takes.

    Its `element_spec` has the shapes that the server describes; the number of rows is left open, since the last batch of an epoch may
    be short. `layout` is `nhwc` unless said otherwise. One iteration is one epoch and the next the one after it, so `fit` sees
    another order and other draws in every epoch; its length is the steps of an epoch.

    An existing `Loader` may be given in place of a target.
    """
    kwargs.setdefault("layout", "nhwc")
    loader = target if isinstance(target, Loader) else Loader(target, *args, **kwargs)
    described = {tensor["name"]: tensor for tensor in loader.describe()["tensors"]}

    def spec(name: str) -> tf.TensorSpec:
        tensor = described[name]
        return tf.TensorSpec([None, *tensor["shape"][1:]], _DTYPES[tensor["dtype"]], name)

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for batch in loader:
            images = batch["image"]
            if images.dtype == np.uint16:
                images = images.view(tf.bfloat16.as_numpy_dtype)
            yield images, batch["label"]

    made = tf.data.Dataset.from_generator(batches, output_signature=(spec("image"), spec("label")))
    return made.apply(tf.data.experimental.assert_cardinality(len(loader)))
