"""Writes small ONNX models and what ONNX Runtime makes of images with them (tests/data/onnx), and the model that examples name
(assets/models/sketch.onnx). Run it again only to add cases: the files are committed, and tests/onnx.rs compares.

pip install onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6 scikit-image==0.26.0
"""

import json
import pathlib

import common
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

common.require(onnx="1.23.2", onnxruntime="1.32.0", numpy="2.4.6", scikit_image="0.26.0")
PRODUCER = common.producer("onnxruntime")
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
ROOT = REPOSITORY / "tests" / "data" / "onnx"
MODELS = REPOSITORY / "assets" / "models"


class Graph:
    """A model of one input and one output, written node by node."""

    def __init__(self, channels, seed=0):
        self.channels, self.last, self.nodes, self.constants = channels, "image", [], []
        self.random = np.random.default_rng(seed)

    def constant(self, values, dtype=np.float32):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def add(self, op, *more, before=(), **attributes):
        """A node that takes `before`, what came out last, and `more`."""
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, [*before, self.last, *more], [name], **attributes))
        self.last = name
        return self

    def padded(self, by, mode):
        return self.add("Pad", self.constant([0, 0, by, by, 0, 0, by, by], np.int64), mode=mode)

    def convolved(self, weights, bias=None, **attributes):
        more = [self.constant(weights)] + ([] if bias is None else [self.constant(bias)])
        return self.add("Conv", *more, **attributes)

    def drawn(self, inner, outer, side, **attributes):
        """A convolution of drawn weights, as networks begin."""
        weights = self.random.standard_normal((outer, inner, side, side)) * np.sqrt(2 / (inner * side * side))
        return self.convolved(weights, self.random.standard_normal(outer) * 0.05, **attributes)

    def normalized(self, channels):
        scale, shift = 1 + self.random.standard_normal(channels) * 0.1, self.random.standard_normal(channels) * 0.1
        return self.add("InstanceNormalization", self.constant(scale), self.constant(shift), epsilon=1e-5)

    def save(self, path):
        image = ["n", self.channels, "height", "width"]
        info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, image) for name in ["image", self.last]]
        graph = helper.make_graph(self.nodes, path.stem, info[:1], info[1:], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        path.write_bytes(model.SerializeToString(deterministic=True))


def sketch():
    """A pencil drawing: one minus the length of Sobel's gradient of the light."""
    graph = Graph(3)
    graph.convolved(np.reshape([0.299, 0.587, 0.114], (1, 3, 1, 1))).padded(1, "edge")
    across = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    graph.convolved(np.reshape([across, np.transpose(across)], (2, 1, 3, 3)))
    graph.add("Mul", before=[graph.last]).convolved(np.ones((1, 2, 1, 1)), [1e-6]).add("Sqrt")
    graph.convolved(-np.ones((3, 1, 1, 1)), np.ones(3))
    graph.save(MODELS / "sketch.onnx")


def transfer():
    """A style network as they are built, with few channels: shrunk, a residual block, enlarged; reflected edges, instance norms."""
    graph = Graph(3, seed=1)
    graph.padded(1, "reflect").drawn(3, 8, 3).normalized(8).add("Relu")
    graph.padded(1, "reflect").drawn(8, 12, 3, strides=[2, 2]).normalized(12).add("Relu")
    before = graph.last
    graph.padded(1, "reflect").drawn(12, 12, 3).normalized(12).add("Relu")
    graph.padded(1, "reflect").drawn(12, 12, 3).normalized(12).add("Add", before=[before])
    sizes = graph.constant([1, 1, 2, 2])
    graph.add("Resize", "", sizes, mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    graph.padded(1, "reflect").drawn(12, 8, 3).normalized(8).add("Relu")
    graph.padded(1, "reflect").drawn(8, 3, 3).add("Sigmoid")
    graph.save(ROOT / "transfer.onnx")


def gray():
    """One channel in and out: a largest value of a neighbourhood, weighed by what learned networks use most."""
    graph = Graph(1, seed=2)
    graph.drawn(1, 6, 5, pads=[2, 2, 2, 2]).add("LeakyRelu", alpha=0.2)
    graph.add("MaxPool", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    graph.drawn(6, 6, 3, pads=[1, 1, 1, 1], group=1).add("Tanh").drawn(6, 1, 1).add("Add", before=["image"])
    graph.save(ROOT / "gray.onnx")


def late():
    """Looks every value up in a table of four, and fails on values of 4/7 and more, which a gray image does not have."""
    graph = Graph(3)
    graph.add("Mul", graph.constant(7)).add("Cast", to=TensorProto.INT64)
    graph.add("Gather", before=[graph.constant([0.1, 0.2, 0.3, 0.4])], axis=0)
    graph.save(ROOT / "late.onnx")


def larger():
    """Gives images of 64 times the side."""
    graph = Graph(3)
    graph.add("Tile", graph.constant([1, 1, 64, 64], np.int64)).save(ROOT / "larger.onnx")


def hungry():
    """Gives images of the size that it gets, and takes ten thousand times the memory on the way."""
    graph = Graph(3)
    graph.add("Tile", graph.constant([1, 1, 100, 100], np.int64)).add("Relu")
    graph.add("AveragePool", kernel_shape=[100, 100], strides=[100, 100]).save(ROOT / "hungry.onnx")


def case(name, model, image, **op):
    """What ONNX Runtime makes of an image with a model, by the parameters of the op."""
    full = 255 if image.dtype == np.uint8 else 1
    values = image.astype(np.float64) / full
    mean, std, scale = op.get("mean", [0]), op.get("std", [1]), op.get("scale", 1)
    values = ((values * scale - mean) / std).astype(np.float32).transpose(2, 0, 1)[None]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    made = session.run(None, {"image": np.ascontiguousarray(values)})[0][0].transpose(1, 2, 0)
    made = made.astype(np.float64) * op.get("output_std", std) + op.get("output_mean", mean)
    made = np.clip(made / op.get("output_scale", scale) * full, 0, full)
    expected = np.rint(made).astype(np.uint8) if full == 255 else made.astype(np.float32)
    # A level apart where a value lies between two of them.
    tolerance, share = (1, 0.005) if full == 255 else (2e-5, 0)
    record = {"producer": PRODUCER, "op": {"model": model.name, **op}, "tolerance": tolerance, "share": share}
    (ROOT / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
    np.save(ROOT / f"{name}-input.npy", np.ascontiguousarray(image))
    np.save(ROOT / f"{name}-expected.npy", np.ascontiguousarray(expected))


def floats(image):
    return (image / np.float32(255)).astype(np.float32)


def main():
    for folder, kinds in [(ROOT, ["onnx", "json", "npy"]), (MODELS, ["onnx"])]:
        folder.mkdir(parents=True, exist_ok=True)
        for path in (path for kind in kinds for path in folder.glob(f"*.{kind}")):
            path.unlink()
    for model in [sketch, transfer, gray, late, larger, hungry]:
        model()
    photo, noise = common.photo(24, 32), common.noise(18, 14)
    imagenet = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "output_mean": [0], "output_std": [1]}
    case("sketch_photo", MODELS / "sketch.onnx", photo)
    case("sketch_f32_pixel", MODELS / "sketch.onnx", floats(common.pixel()))
    case("transfer_photo", ROOT / "transfer.onnx", photo, **imagenet)
    case("transfer_noise", ROOT / "transfer.onnx", noise, scale=255.0, output_scale=1.0)
    case("transfer_f32_photo", ROOT / "transfer.onnx", floats(photo), **imagenet)
    case("gray_photo", ROOT / "gray.onnx", photo[:, :, 1:2], scale=255.0, mean=[127.5], std=[60.0])
    case("gray_f32_noise", ROOT / "gray.onnx", floats(noise[:, :, :1]))
    case("gray_f32_pixel", ROOT / "gray.onnx", floats(common.pixel((180, 0, 0))[:, :, :1]))


main()
