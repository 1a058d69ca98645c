"""Test-time augmentation: predictions of several views of a sample, averaged."""

from __future__ import annotations

from typing import Any, TypeVar, cast

Array = TypeVar("Array")


def average(predictions: Array, views: int) -> Array:
    """Averages predictions over the views of every sample.

    `predictions` is an array of numpy, torch, JAX or TensorFlow of shape [samples * views, ...], the rows of one sample after the
    other, as batches have them; `views` is `batch.views()`. Returns [samples, ...]. Average probabilities rather than logits, unless
    the geometric mean is what you want.

    Raises `ValueError` if the rows are no multiple of the views.
    """
    array = cast(Any, predictions)
    rows, *rest = (int(side) for side in array.shape)
    if views < 1 or rows % views:
        raise ValueError(f"{rows} predictions, expected a multiple of {views} views")
    shape = (rows // views, views, *rest)
    if hasattr(array, "reshape"):
        return cast(Array, array.reshape(shape).mean(1))
    # TensorFlow's tensors have no methods for it.
    import tensorflow as tf

    return cast(Array, tf.reduce_mean(tf.reshape(array, shape), axis=1))
