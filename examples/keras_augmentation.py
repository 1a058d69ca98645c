"""What augmentation does for a small network and few images, in Keras: none; flip and brightness; CutMix; MixUp.

    python examples/keras_augmentation.py --plot curves.png

Four validation curves, each the mean of some trainings from different seeds, and at the end test-time augmentation: the mean of
predictions over several views of every image. The images are handwritten digits, of which a part is enough to learn from and few
enough to learn by heart.
"""

from __future__ import annotations

import argparse
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
import tensorflow as tf

import digits
import feedline
import feedline.tf
from feedline import ops

SIZE = ops.Resize(16, 16)
AUGMENTATIONS = {
    "none": {"pipeline": [SIZE, ops.ToFloat()]},
    "flip and brightness": {"pipeline": [SIZE, ops.HorizontalFlip(), ops.Brightness(delta=[-0.3, 0.3]), ops.ToFloat()]},
    "CutMix": {"pipeline": [SIZE, ops.ToFloat()], "mixing": ops.CutMix()},
    "MixUp": {"pipeline": [SIZE, ops.ToFloat()], "mixing": ops.MixUp(alpha=0.2)},
}
# Views for the test: slightly turned, moved and scaled.
VIEWS = [SIZE, ops.Affine(rotate=[-8, 8], scale=[0.95, 1.05], translate_x=[-0.07, 0.07], translate_y=[-0.07, 0.07], p=1.0), ops.ToFloat()]


def main() -> None:
    args = arguments()
    # One server feeds all trainings; their datasets, orders and draws are those of their specs.
    with feedline.serve(digits.folder()) as server:
        curves, models = {}, {}
        for name, augmentation in AUGMENTATIONS.items():
            runs = [train(server.address, augmentation, seed, args) for seed in range(args.seeds)]
            curves[name] = np.array([accuracies for _, accuracies in runs])
            models[name] = [model for model, _ in runs]
            final = curves[name][:, -1]
            print(f"{name}: accuracy {final.mean():.4f} (from {final.min():.4f} to {final.max():.4f})", flush=True)
        print(f"test-time augmentation, {args.views} views:")
        for name, trained in models.items():
            averaged = [test_time(server.address, model, args.views) for model in trained]
            print(f"{name}: accuracy {np.mean(averaged):.4f} (from {min(averaged):.4f} to {max(averaged):.4f})", flush=True)
    if args.plot:
        plot(args.plot, curves)


def train(address: str, augmentation: dict[str, object], seed: int, args: argparse.Namespace) -> tuple[keras.Model, list[float]]:
    """A model, and its accuracy on the validation split after every epoch."""
    keras.utils.set_random_seed(seed)
    data = feedline.tf.dataset(address, f"train[:{args.images}]", batch_size=50, seed=seed, **augmentation)
    if "mixing" not in augmentation:
        # Mixed labels are a weight for every class already.
        data = data.map(one_hot)
    validation = feedline.tf.dataset(
        address, "validation", batch_size=250, order="sequential", pipeline=[SIZE, ops.ToFloat()]
    ).map(one_hot)
    model = network()
    history = model.fit(data, validation_data=validation, epochs=args.epochs, shuffle=False, verbose=0)
    return model, history.history["val_accuracy"]


def one_hot(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return images, tf.one_hot(labels, 10)


def network() -> keras.Model:
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((16, 16, 3)),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile(keras.optimizers.Adam(1e-3), "categorical_crossentropy", metrics=["accuracy"])
    return model


def test_time(address: str, model: keras.Model, views: int) -> float:
    """Accuracy of predictions that are averaged over views of every image."""
    loader = feedline.Loader(address, "validation", batch_size=100, order="sequential", pipeline=VIEWS, views=views, layout="nhwc")
    right = rows = 0
    for batch in loader:
        predictions = feedline.tta.average(model.predict_on_batch(batch["image"]), batch.views())
        right += int((predictions.argmax(1) == batch["label"]).sum())
        rows += len(predictions)
    loader.close()
    return right / rows


def plot(path: pathlib.Path, curves: dict[str, np.ndarray]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
    for name, accuracies in curves.items():
        epochs = np.arange(1, accuracies.shape[1] + 1)
        (line,) = axes.plot(epochs, accuracies.mean(0), label=name)
        axes.fill_between(epochs, accuracies.min(0), accuracies.max(0), color=line.get_color(), alpha=0.15, linewidth=0)
    axes.set(xlabel="epoch", ylabel="accuracy on 500 validation images", ylim=(max(0.0, min(a[:, 1:].min() for a in curves.values()) - 0.02), 1))
    axes.grid(alpha=0.3)
    axes.legend(title="augmentation", loc="lower right")
    figure.savefig(path, dpi=110)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=300, help="images to learn from")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=5, help="trainings of each kind")
    parser.add_argument("--views", type=int, default=8, help="views of every image at the end")
    parser.add_argument("--plot", type=pathlib.Path, help="write the curves here")
    parser.add_argument("--quick", action="store_true", help="three epochs, one training of each kind")
    args = parser.parse_args()
    if args.quick:
        args.epochs, args.seeds = 3, 1
    return args


if __name__ == "__main__":
    main()
