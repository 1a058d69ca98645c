"""Means and variances of every channel after the `tutorial` pipeline, by tf.image over the bundled photographs:
tests/data/golden/tutorial_statistics.json, which tests/statistics.rs holds feedline to. With a folder of images (one folder per class),
prints what tf.image gives for it beside what a feedline server streams, and fails if they are more than 1 % apart.

    python tests/golden/tutorial_statistics.py
    python tests/golden/tutorial_statistics.py FOLDER target/release/feedline

pip install tensorflow-cpu==2.21.0 numpy==2.4.6
"""

import json
import pathlib
import subprocess
import sys

import numpy as np
import tensorflow as tf

import common

common.require(tensorflow_cpu="2.21.0", numpy="2.4.6")
ROOT = pathlib.Path(__file__).resolve().parents[2]


def tutorial(image):
    """The pipeline as it stands in the tutorial of tf.image, on one decoded image."""
    image = tf.image.resize(image, (224, 224)) / 255.0
    image = tf.image.random_flip_left_right(image)
    image = tf.image.random_brightness(image, max_delta=0.2)
    return tf.clip_by_value(image, 0.0, 1.0)


class Moments:
    """Mean and variance of every channel over all pixels of all images."""

    def __init__(self):
        self.count, self.sum, self.squares = 0, np.zeros(3), np.zeros(3)

    def add(self, images):
        """images: [..., 3]."""
        values = np.asarray(images, np.float64).reshape(-1, 3)
        self.count += len(values)
        self.sum += values.sum(axis=0)
        self.squares += (values**2).sum(axis=0)

    def result(self):
        mean = self.sum / self.count
        return {"mean": mean.tolist(), "variance": (self.squares / self.count - mean**2).tolist()}


def tensorflow(folder, epochs):
    """What tf.image gives. The images are decoded by TensorFlow's own decoder, exactly as libjpeg decodes by default."""
    tf.random.set_seed(7)
    files = sorted(str(path) for path in pathlib.Path(folder).glob("*/*.jp*g"))
    moments = Moments()
    images = tf.data.Dataset.from_tensor_slices(files)
    images = images.map(lambda file: tf.io.decode_jpeg(tf.io.read_file(file), 3, dct_method="INTEGER_ACCURATE"))
    # Repeated before the random ops: a function traced anew in every epoch would draw the same numbers in each.
    for batch in images.repeat(epochs).map(tutorial).batch(64):
        moments.add(batch.numpy())
    return {"samples": len(files), "epochs": epochs, **moments.result()}


def feedline(folder, binary, epochs):
    """What a feedline server streams."""
    sys.path[:0] = [str(ROOT / "clients/python-stock"), str(ROOT / "target/python-stock/generated")]
    from feedline.v1 import pipeline_pb2, spec_pb2
    from feedline_stock import Loader

    server = subprocess.Popen([binary, "--log", "warn", "serve", folder, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    try:
        address = server.stdout.readline().removeprefix("listening on ").strip()
        spec = spec_pb2.LoaderSpec(pipeline=pipeline_pb2.Pipeline(name="tutorial"), global_batch_size=50, seed=7)
        spec.last_batch = spec_pb2.LAST_BATCH_SHORT
        delivery = spec_pb2.Delivery(layout=spec_pb2.LAYOUT_NHWC)
        with Loader(address, spec, delivery=delivery) as loader:
            delivery.count = loader.describe().steps_per_epoch * epochs
        moments = Moments()
        with Loader(address, spec, delivery=delivery) as loader:
            for batch in loader.batches():
                moments.add(batch.tensor("image"))
        return moments.result()
    finally:
        server.terminate()
        server.wait(60)


if len(sys.argv) == 3:
    ours, theirs = feedline(sys.argv[1], sys.argv[2], 2), tensorflow(sys.argv[1], 2)
    print(f"{theirs['samples']} images, 2 epochs; per channel")
    worst = 0
    for name in ["mean", "variance"]:
        apart = np.array(ours[name]) / np.array(theirs[name]) - 1
        worst = max(worst, np.abs(apart).max())
        print(f"{name:>9} feedline {np.round(ours[name], 5)} tf.image {np.round(theirs[name], 5)} apart {np.round(apart * 100, 3)} %")
    raise SystemExit(worst > 0.01)
result = {"producer": common.producer("tensorflow-cpu"), **tensorflow(ROOT / "assets/demo", 100)}
(common.ROOT / "tutorial_statistics.json").write_text(json.dumps(result, indent=1) + "\n")
