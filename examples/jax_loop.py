"""A training loop in JAX: arrays spread over the local devices, a step compiled once.

    python examples/jax_loop.py
    XLA_FLAGS=--xla_force_host_platform_device_count=2 python examples/jax_loop.py    # two devices of one processor
"""

from __future__ import annotations

import argparse

import jax
import jax.numpy as jnp

import digits
import feedline
import feedline.jax
from feedline import ops

PREPARE = [ops.ToFloat(), ops.Normalize(mean=[0.5] * 3, std=[0.5] * 3)]
TRAIN = [ops.Affine(rotate=[-10, 10], scale=[0.9, 1.1], p=1.0), *PREPARE]

Parameters = dict[str, jax.Array]


def main() -> None:
    args = arguments()
    data = args.data or str(digits.folder())
    rows = feedline.jax.sharding()
    common = dict(layout="nhwc", batch_size=args.batch_size)
    train = feedline.Loader(data, pipeline=TRAIN, seed=1, epochs=args.epochs, **common)
    # Every sample once, also where the last batch is filled up with rows that came already.
    evaluation = feedline.Loader(data, "validation", pipeline=PREPARE, order="sequential", last_batch="wrap", **common)

    parameters = initial(jax.random.key(0), len(train.describe()["classes"]))
    moments = jax.tree.map(jnp.zeros_like, parameters)
    for epoch in range(args.epochs):
        losses = []
        for batch in feedline.jax.batches(train, sharding=rows):
            parameters, moments, loss = step(parameters, moments, batch["image"], batch["label"])
            losses.append(loss)
        print(f"epoch {epoch}: loss {jnp.stack(losses).mean():.4f}, accuracy {accuracy(parameters, evaluation, rows):.4f}")


def initial(key: jax.Array, classes: int) -> Parameters:
    """He initialisation of two convolutions and two dense layers."""
    shapes = {"conv1": (3, 3, 3, 32), "conv2": (3, 3, 32, 64), "dense1": (4 * 4 * 64, 128), "dense2": (128, classes)}
    keys = dict(zip(shapes, jax.random.split(key, len(shapes))))
    weights = {
        name: jax.random.normal(keys[name], shape) * jnp.sqrt(2 / jnp.prod(jnp.array(shape[:-1]))) for name, shape in shapes.items()
    }
    return weights | {f"{name}_bias": jnp.zeros(shape[-1]) for name, shape in shapes.items()}


def logits(parameters: Parameters, images: jax.Array) -> jax.Array:
    for name in ("conv1", "conv2"):
        images = jax.lax.conv_general_dilated(
            images, parameters[name], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        images = jax.nn.relu(images + parameters[f"{name}_bias"])
    images = jax.lax.reduce_window(images, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    hidden = jax.nn.relu(images.reshape(len(images), -1) @ parameters["dense1"] + parameters["dense1_bias"])
    return hidden @ parameters["dense2"] + parameters["dense2_bias"]


@jax.jit
def step(parameters: Parameters, moments: Parameters, images: jax.Array, labels: jax.Array) -> tuple[Parameters, Parameters, jax.Array]:
    """One step of SGD with momentum."""

    def loss(parameters: Parameters) -> jax.Array:
        likelihoods = jax.nn.log_softmax(logits(parameters, images))
        return -jnp.take_along_axis(likelihoods, labels[:, None], axis=1).mean()

    value, gradients = jax.value_and_grad(loss)(parameters)
    moments = jax.tree.map(lambda moment, gradient: 0.9 * moment + gradient, moments, gradients)
    parameters = jax.tree.map(lambda parameter, moment: parameter - 0.02 * moment, parameters, moments)
    return parameters, moments, value


predict = jax.jit(lambda parameters, images: logits(parameters, images).argmax(1))


def accuracy(parameters: Parameters, loader: feedline.Loader, rows: jax.sharding.Sharding) -> float:
    """Share of right answers, rows that were repeated left out."""
    right = seen = 0
    for batch in loader:
        answers = jax.device_get(predict(parameters, jax.device_put(batch["image"], rows)))
        counted = [row for row in range(len(answers)) if row not in set(batch.wrapped_rows.tolist())]
        right += int((answers[counted] == batch["label"][counted]).sum())
        seen += len(counted)
    assert seen == loader.describe()["samples"], f"{seen} rows"
    return right / seen


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="server (HOST:PORT), or folder with train and val; default: handwritten digits")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=64, help="rows of a step, a multiple of the number of devices")
    parser.add_argument("--quick", action="store_true", help="two epochs")
    args = parser.parse_args()
    if args.quick:
        args.epochs = 2
    return args


if __name__ == "__main__":
    main()
