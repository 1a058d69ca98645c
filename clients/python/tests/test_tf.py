"""TensorFlow: a tf.data.Dataset of the same batches, with the shapes that Keras wants to know."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import PHOTOGRAPHS

from feedline import Loader, ops

tf = pytest.importorskip("tensorflow")

import feedline.tf  # noqa: E402



@pytest.fixture
def loaders(server):
    """Makes loaders, and closes them in the end: TensorFlow may keep a dataset's generator, and the stream in it, for longer."""
    made = []

    def loader(**kwargs):
        made.append(Loader(server.address, **{**SPEC, "layout": "nhwc", **kwargs}))
        return made[-1]

    yield loader
    for loader in made:
        loader.close()


SPEC = dict(pipeline=[ops.RandomResizedCrop(32), ops.HorizontalFlip(), ops.ToFloat()], batch_size=16, seed=3)


def test_a_dataset_has_the_batches_of_a_loader_epoch_after_epoch(loaders):
    dataset = feedline.tf.dataset(loaders())
    own = loaders()
    assert dataset.cardinality().numpy() == len(own) == 6
    for epoch in range(2):
        batches = list(own)
        assert {batch.epoch for batch in batches} == {epoch}
        got = list(dataset.as_numpy_iterator())
        assert len(got) == len(batches)
        for (images, labels), batch in zip(got, batches):
            assert np.array_equal(images, batch["image"]) and np.array_equal(labels, batch["label"])


@pytest.mark.parametrize(("dtype", "tf_dtype"), [("uint8", "uint8"), ("float16", "float16"), ("bfloat16", "bfloat16"), ("float32", "float32")])
def test_its_element_spec_is_what_comes(loaders, dtype, tf_dtype):
    dataset = feedline.tf.dataset(loaders(dtype=dtype))
    images, labels = dataset.element_spec
    assert (images.shape.as_list(), images.dtype.name) == ([None, 32, 32, 3], tf_dtype)
    assert (labels.shape.as_list(), labels.dtype.name) == ([None], "int64")
    got_images, got_labels = next(iter(dataset))
    assert images.is_compatible_with(got_images) and labels.is_compatible_with(got_labels)


def test_mixed_labels_are_weights_of_classes(loaders):
    dataset = feedline.tf.dataset(loaders(mixing=ops.CutMix()))
    assert dataset.element_spec[1].shape.as_list() == [None, 6]
    _, labels = next(iter(dataset))
    assert np.allclose(labels.numpy().sum(1), 1, atol=1e-6)


def test_keras_fits_and_evaluates_with_a_short_last_batch(loaders):
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(0)
    loader = loaders()
    train = feedline.tf.dataset(loader)
    evaluation = feedline.tf.dataset(loaders(batch_size=36, order="sequential"))
    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(6)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    history = model.fit(train, epochs=3, validation_data=evaluation, shuffle=False, verbose=0).history
    assert len(history["loss"]) == 3 and np.isfinite(history["loss"] + history["val_loss"]).all()
    assert loader.epoch == 3
    # 36, 36 and 24 rows.
    assert len(model.predict(evaluation, verbose=0)) == 96


def test_a_dataset_opens_its_own_loader_in_channels_last():
    with feedline.serve(PHOTOGRAPHS, shutdown_grace=0.0) as own:
        dataset = feedline.tf.dataset(own.address, **SPEC, epochs=1)
        assert sum(1 for _ in dataset) == len(dataset) == 6
        assert dataset.element_spec[0].shape.as_list() == [None, 32, 32, 3]


def test_predictions_of_tensorflow_are_averaged_over_views(loaders):
    batch = next(iter(loaders(views=3)))
    predictions = tf.reduce_mean(tf.constant(batch["image"]), axis=[1, 2])
    averaged = feedline.tta.average(predictions, batch.views())
    assert np.allclose(averaged.numpy(), predictions.numpy().reshape(16, 3, 3).mean(1), atol=1e-6)
