"""Pipelines as Python objects: a class for every op, with its parameters, their ranges and defaults.

    from feedline import ops

    pipeline = [ops.RandomResizedCrop(224), ops.HorizontalFlip(), ops.ToFloat(), ops.Normalize()]
    mixing = ops.Mixing(ops.CutMix(alpha=1.0), label_smoothing=0.1)

Sizes are in pixels, ranges are `[low, high]`, drawn uniformly per sample. What is not given has the contract's default. Values are
checked by the server (or the engine in this process), all of them at once, when a loader opens: the error names op, field and range.

Written from the contract; `tests/python_ops.rs` says how.
"""

from __future__ import annotations

from collections import abc
from typing import Any, ClassVar, Literal

__all__ = [
    "Message",
    "MixingKind",
    "Op",
    "AdjustSharpness",
    "Affine",
    "AugMix",
    "AutoAugment",
    "AutoContrast",
    "BoxBlur",
    "BoxRules",
    "Brightness",
    "CenterCrop",
    "CentralCrop",
    "ChannelDropout",
    "ChannelShuffle",
    "Clahe",
    "Clip",
    "CoarseDropout",
    "ColorJitter",
    "Contrast",
    "CopyPaste",
    "CutMix",
    "CutMixOrMixUp",
    "D4",
    "Downscale",
    "Elastic",
    "Equalize",
    "FancyPca",
    "Fda",
    "FixedCrop",
    "FlipPair",
    "Gamma",
    "GaussNoise",
    "GaussianBlur",
    "Grayscale",
    "GridDistortion",
    "GridDropout",
    "HistogramMatching",
    "HorizontalFlip",
    "HsvGain",
    "Hue",
    "HueSaturationValue",
    "Invert",
    "IsoNoise",
    "Jpeg",
    "KeypointRules",
    "Letterbox",
    "LongestMaxSize",
    "MedianBlur",
    "MixUp",
    "Mixing",
    "Mosaic",
    "MotionBlur",
    "MultiplicativeNoise",
    "Normalize",
    "OneOf",
    "Onnx",
    "OpticalDistortion",
    "Pad",
    "PadIfNeeded",
    "Perspective",
    "PhotometricDistort",
    "PixelDistributionAdaptation",
    "PixelDropout",
    "Posterize",
    "RandAugment",
    "RandomBrightnessContrast",
    "RandomCrop",
    "RandomErasing",
    "RandomIouCrop",
    "RandomOrder",
    "RandomResizedCrop",
    "RandomScale",
    "RandomSizedCrop",
    "RandomToneCurve",
    "RandomZoomOut",
    "Resize",
    "RgbShift",
    "Rot90",
    "Rotate",
    "SaltAndPepper",
    "Saturation",
    "Sequence",
    "Sharpen",
    "ShiftScaleRotate",
    "ShotNoise",
    "SmallestMaxSize",
    "Solarize",
    "SomeOf",
    "TimmAugment",
    "ToFloat",
    "ToSepia",
    "Transpose",
    "TrivialAugmentWide",
    "VerticalFlip",
    "ViewGroup",
    "Views",
]


class Message:
    """Parameters by name. Equal ones are the same; none of them changes."""

    _name: ClassVar[str] = ""

    def __init__(self, **fields: Any) -> None:
        self._fields = {name: value for name, value in fields.items() if value is not None}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._fields.items())})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and type(self) is type(other) and self._fields == other._fields

    def __hash__(self) -> int:
        return hash(repr(self))


class Op(Message):
    """A step of a pipeline, or a group of them."""


class MixingKind(Message):
    """A way to mix the rows of a batch."""


def plain(value: Any) -> Any:
    """A message as the contract's JSON has it: an op, or a kind of mixing, inside of an object that names it."""
    if isinstance(value, Message):
        if isinstance(value, MixingKind):
            fields = {name: inner(part) for name, part in value._fields.items()}
        else:
            fields = {name: plain(part) if isinstance(part, (Op, list, tuple)) else inner(part) for name, part in value._fields.items()}
        return {value._name: fields} if isinstance(value, (Op, MixingKind)) else fields
    if isinstance(value, abc.Mapping):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, abc.Iterable) and not isinstance(value, (str, bytes)):
        return [plain(part) for part in value]
    return value.item() if hasattr(value, "item") else value


def inner(value: Any) -> Any:
    """A message in a field, whose name says what it is already."""
    if isinstance(value, Message):
        return {name: plain(part) for name, part in value._fields.items()}
    return plain(value)


class Resize(Op):
    """Change the size of the image. Change the size. Either `height` and `width`, or `shortest_edge`.

    `height`: Height of the result in pixels. 0 to 16384.

    `width`: Width of the result in pixels. 0 to 16384.

    `shortest_edge`: Length of the shorter side of the result; the longer one follows, its fraction of a pixel cut off
    (torchvision). 0 to 16384.

    `filter`: How pixels are computed. One of `nearest`, `nearest_exact`, `bilinear`, `bicubic`, `box`, `lanczos3`.
    Default bilinear.

    `antialias`: Widen the filter when shrinking, so that every source pixel counts (torchvision, Pillow). False takes
    only the neighbours of each point (tf.image, OpenCV). Default true.

    `output`: Type of the result. One of `same`, `float`. Default same.
    """

    _name = "resize"

    def __init__(
        self,
        height: int | None = None,
        width: int | None = None,
        *,
        shortest_edge: int | None = None,
        filter: Literal["nearest", "nearest_exact", "bilinear", "bicubic", "box", "lanczos3"] | None = None,
        antialias: bool | None = None,
        output: Literal["same", "float"] | None = None,
    ) -> None:
        super().__init__(height=height, width=width, shortest_edge=shortest_edge, filter=filter, antialias=antialias, output=output)


class CenterCrop(Op):
    """Cut the middle out. Cut the middle out. An image smaller than the crop is refused.

    `height`: Height of the window in pixels. 1 to 16384. Required.

    `width`: Width of the window in pixels. 1 to 16384. Required.

    `centre`: Where the middle is. One of `half_even`, `floor`. Default half_even.
    """

    _name = "center_crop"

    def __init__(
        self,
        height: int,
        width: int | None = None,
        *,
        centre: Literal["half_even", "floor"] | None = None,
    ) -> None:
        super().__init__(height=height, width=height if width is None else width, centre=centre)


class CentralCrop(Op):
    """Cut out the middle, by a fraction of each side. Cut out the middle, by a fraction of each side, as
    tf.image.central_crop does.

    `fraction`: Fraction of each side that stays: a range, drawn per sample. Above 0, to 1. Required.
    """

    _name = "central_crop"

    def __init__(
        self,
        fraction: abc.Sequence[float],
    ) -> None:
        super().__init__(fraction=fraction)


class RandomCrop(Op):
    """Cut a window out at a random place. Cut a window out at a place drawn uniformly.

    `height`: Height of the window in pixels. 1 to 16384. Required.

    `width`: Width of the window in pixels. 1 to 16384. Required.

    `padding`: Pixels added on every side before cutting. Default 0. 0 to 4096.

    `pad_if_needed`: Pad an image that is smaller than the window, as much as is missing on both sides (torchvision).
    Default false.

    `border`: What padding is made of. One of `constant`, `edge`, `reflect`, `symmetric`. Default constant.

    `fill`: Colour of constant padding per channel, at the scale of the image that comes in. 3 of them. Default [0, 0,
    0].
    """

    _name = "random_crop"

    def __init__(
        self,
        height: int,
        width: int | None = None,
        *,
        padding: int | None = None,
        pad_if_needed: bool | None = None,
        border: Literal["constant", "edge", "reflect", "symmetric"] | None = None,
        fill: abc.Sequence[float] | None = None,
    ) -> None:
        super().__init__(height=height, width=height if width is None else width, padding=padding, pad_if_needed=pad_if_needed, border=border, fill=fill)


class RandomResizedCrop(Op):
    """Cut a window of random area and shape out, and resize it. Cut a window of random area and aspect ratio out and
    resize it, as torchvision's and albumentations' RandomResizedCrop: ten tries, then the middle with the ratio
    clamped.

    `height`: Height of the result in pixels. 1 to 16384. Required.

    `width`: Width of the result in pixels. 1 to 16384. Required.

    `scale`: Area of the window as a fraction of the image's. Above 0, to 1. Default [0.08, 1].

    `ratio`: Width over height of the window, drawn uniformly in its logarithm. Above 0, to 1000. Default [0.75,
    1.3333333333333333].

    `filter`: How pixels are computed. One of `nearest`, `nearest_exact`, `bilinear`, `bicubic`, `box`, `lanczos3`.
    Default bilinear.

    `antialias`: As in Resize. Default true.
    """

    _name = "random_resized_crop"

    def __init__(
        self,
        height: int,
        width: int | None = None,
        *,
        scale: abc.Sequence[float] | None = None,
        ratio: abc.Sequence[float] | None = None,
        filter: Literal["nearest", "nearest_exact", "bilinear", "bicubic", "box", "lanczos3"] | None = None,
        antialias: bool | None = None,
    ) -> None:
        super().__init__(height=height, width=height if width is None else width, scale=scale, ratio=ratio, filter=filter, antialias=antialias)


class HorizontalFlip(Op):
    """Mirror left and right.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "horizontal_flip"

    def __init__(
        self,
        *,
        p: float | None = None,
    ) -> None:
        super().__init__(p=p)


class VerticalFlip(Op):
    """Mirror top and bottom.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "vertical_flip"

    def __init__(
        self,
        *,
        p: float | None = None,
    ) -> None:
        super().__init__(p=p)


class Rot90(Op):
    """Turn counter-clockwise by multiples of 90 degrees. Turn counter-clockwise by multiples of 90 degrees, as
    tf.image.rot90 and numpy.rot90.

    `turns`: Quarter turns to choose from, uniformly, each 0 to 3. 0 to 3; at most 16. Default [0, 1, 2, 3].

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "rot90"

    def __init__(
        self,
        *,
        turns: abc.Sequence[int] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(turns=turns, p=p)


class Transpose(Op):
    """Mirror at the diagonal. Mirror at the diagonal from the left upper corner: rows become columns.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "transpose"

    def __init__(
        self,
        *,
        p: float | None = None,
    ) -> None:
        super().__init__(p=p)


class D4(Op):
    """One of the eight ways to put a square on itself. One of the eight ways to put a square on itself: the quarter
    turns and their mirror images.

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "d4"

    def __init__(
        self,
        *,
        p: float | None = None,
    ) -> None:
        super().__init__(p=p)


class Pad(Op):
    """Add pixels around the image.

    `padding`: Pixels to add: one number for every side, two for left and right and for top and bottom, or four for
    left, top, right and bottom. 1 to 4096; at most 4. Required.

    `border`: What is beyond the edge. One of `constant`, `edge`, `reflect`, `symmetric`. Default constant.

    `fill`: Colour of constant padding per channel, at the scale of the image that comes in. 3 of them. Default [0, 0,
    0].

    `fill_mask`: Class of constant padding in the mask. Default 0. 0 to 255.

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "pad"

    def __init__(
        self,
        padding: abc.Sequence[int],
        *,
        border: Literal["constant", "edge", "reflect", "symmetric"] | None = None,
        fill: abc.Sequence[float] | None = None,
        fill_mask: int | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(padding=padding, border=border, fill=fill, fill_mask=fill_mask, p=p)


class PadIfNeeded(Op):
    """Add pixels until the image is large enough. Add pixels until the image is large enough, or its sides are multiples
    of a number. A side with neither stays as it is.

    `min_height`: Least height of the result in pixels. 0 to 16384.

    `min_width`: Least width of the result in pixels. 0 to 16384.

    `height_divisor`: The height becomes a multiple of this; not beside `min_height`. 0 to 4096.

    `width_divisor`: The width becomes a multiple of this; not beside `min_width`. 0 to 4096.

    `position`: Where the image is in the result. One of `center`, `top_left`, `top_right`, `bottom_left`,
    `bottom_right`, `random`. Default center.

    `border`: What is beyond the edge. One of `constant`, `edge`, `reflect`, `symmetric`. Default constant.

    `fill`: Colour of constant padding per channel, at the scale of the image that comes in. 3 of them. Default [0, 0,
    0].

    `fill_mask`: Class of constant padding in the mask. Default 0. 0 to 255.

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "pad_if_needed"

    def __init__(
        self,
        *,
        min_height: int | None = None,
        min_width: int | None = None,
        height_divisor: int | None = None,
        width_divisor: int | None = None,
        position: Literal["center", "top_left", "top_right", "bottom_left", "bottom_right", "random"] | None = None,
        border: Literal["constant", "edge", "reflect", "symmetric"] | None = None,
        fill: abc.Sequence[float] | None = None,
        fill_mask: int | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(min_height=min_height, min_width=min_width, height_divisor=height_divisor, width_divisor=width_divisor, position=position, border=border, fill=fill, fill_mask=fill_mask, p=p)


class LongestMaxSize(Op):
    """Resize until the longer side has a length. Resize, keeping the ratio of the sides, until the longer side has a
    length. Sides are rounded half to even.

    `max_size`: Length of the longer side in pixels; one of several is drawn per sample. 1 to 16384; at most 16.

    `max_height`: Instead of `max_size`: most height in pixels. 0 to 16384.

    `max_width`: Instead of `max_size`: most width in pixels. 0 to 16384.

    `filter`: How pixels are computed. One of `nearest`, `nearest_exact`, `bilinear`, `bicubic`, `box`, `lanczos3`.
    Default bilinear.

    `antialias`: As in Resize. Default true.

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "longest_max_size"

    def __init__(
        self,
        *,
        max_size: abc.Sequence[int] | None = None,
        max_height: int | None = None,
        max_width: int | None = None,
        filter: Literal["nearest", "nearest_exact", "bilinear", "bicubic", "box", "lanczos3"] | None = None,
        antialias: bool | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(max_size=max_size, max_height=max_height, max_width=max_width, filter=filter, antialias=antialias, p=p)


class SmallestMaxSize(Op):
    """Resize until the shorter side has a length. Resize, keeping the ratio of the sides, until the shorter side has a
    length. Sides are rounded half to even.

    `max_size`: Length of the shorter side in pixels; one of several is drawn per sample. 1 to 16384; at most 16.

    `max_height`: Instead of `max_size`: least height in pixels. 0 to 16384.

    `max_width`: Instead of `max_size`: least width in pixels. 0 to 16384.

    `filter`: How pixels are computed. One of `nearest`, `nearest_exact`, `bilinear`, `bicubic`, `box`, `lanczos3`.
    Default bilinear.

    `antialias`: As in Resize. Default true.

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "smallest_max_size"

    def __init__(
        self,
        *,
        max_size: abc.Sequence[int] | None = None,
        max_height: int | None = None,
        max_width: int | None = None,
        filter: Literal["nearest", "nearest_exact", "bilinear", "bicubic", "box", "lanczos3"] | None = None,
        antialias: bool | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(max_size=max_size, max_height=max_height, max_width=max_width, filter=filter, antialias=antialias, p=p)


class Letterbox(Op):
    """Resize until the image fits, and pad it to the size. Resize, keeping the ratio of the sides, until the image just
    fits, and pad it to the size, the image in the middle.

    `height`: Height of the result in pixels. 1 to 16384. Required.

    `width`: Width of the result in pixels. 1 to 16384. Required.

    `fill`: Colour of the padding per channel, at the scale of the image that comes in. 3 of them. Default [114, 114,
    114].

    `fill_mask`: Class of the padding in the mask. Default 0. 0 to 255.

    `filter`: How pixels are computed. One of `nearest`, `nearest_exact`, `bilinear`, `bicubic`, `box`, `lanczos3`.
    Default bilinear.

    `antialias`: As in Resize. Default true.

    `scale_up`: Let images that are smaller grow. Default true.
    """

    _name = "letterbox"

    def __init__(
        self,
        height: int,
        width: int | None = None,
        *,
        fill: abc.Sequence[float] | None = None,
        fill_mask: int | None = None,
        filter: Literal["nearest", "nearest_exact", "bilinear", "bicubic", "box", "lanczos3"] | None = None,
        antialias: bool | None = None,
        scale_up: bool | None = None,
    ) -> None:
        super().__init__(height=height, width=height if width is None else width, fill=fill, fill_mask=fill_mask, filter=filter, antialias=antialias, scale_up=scale_up)


class Affine(Op):
    """Scale, shear, turn and move.

    `method`: Whose arithmetic and conventions. One of `albumentations`, `torchvision`. Default albumentations.

    `scale`: Factor of the width, and of the height unless `scale_y` is there. Above 0, to 100. Default [1, 1].

    `scale_y`: Factor of the height. Default: drawn from `scale`, for itself. Above 0, to 100.

    `keep_ratio`: One factor for both sides (always so with method torchvision). Default false.

    `balanced_scale`: Shrink and grow equally often: first which of both, then how much (albumentations). Default
    false.

    `translate_x`: Move to the right, as a fraction of the width; to a whole pixel. -10 to 10. Default [0, 0].

    `translate_y`: Move down, as a fraction of the height; to a whole pixel. -10 to 10. Default [0, 0].

    `translate_px_x`: Move to the right by whole pixels instead. -16384 to 16384.

    `translate_px_y`: Move down by whole pixels instead. -16384 to 16384.

    `rotate`: Degrees, counter-clockwise; with method torchvision clockwise, as its affine has it. -360 to 360.
    Default [0, 0].

    `shear_x`: Degrees by which columns lean. -89 to 89. Default [0, 0].

    `shear_y`: Degrees by which rows lean. -89 to 89. Default [0, 0].

    `filter`: How pixels are computed: nearest, bilinear or bicubic. Default bilinear; nearest with method
    torchvision. One of `nearest`, `nearest_exact`, `bilinear`, `bicubic`, `box`, `lanczos3`.

    `border`: What is beyond the edge. One of `constant`, `edge`, `reflect`, `symmetric`. Default constant.

    `fill`: Colour of constant padding per channel, at the scale of the image that comes in. 3 of them. Default [0, 0,
    0].

    `fill_mask`: Class of constant padding in the mask. Default 0. 0 to 255.

    `rotate_method`: How a turned box is boxed. One of `corners`, `ellipse`. Default corners.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "affine"

    def __init__(
        self,
        *,
        method: Literal["albumentations", "torchvision"] | None = None,
        scale: abc.Sequence[float] | None = None,
        scale_y: abc.Sequence[float] | None = None,
        keep_ratio: bool | None = None,
        balanced_scale: bool | None = None,
        translate_x: abc.Sequence[float] | None = None,
        translate_y: abc.Sequence[float] | None = None,
        translate_px_x: abc.Sequence[float] | None = None,
        translate_px_y: abc.Sequence[float] | None = None,
        rotate: abc.Sequence[float] | None = None,
        shear_x: abc.Sequence[float] | None = None,
        shear_y: abc.Sequence[float] | None = None,
        filter: Literal["nearest", "nearest_exact", "bilinear", "bicubic", "box", "lanczos3"] | None = None,
        border: Literal["constant", "edge", "reflect", "symmetric"] | None = None,
        fill: abc.Sequence[float] | None = None,
        fill_mask: int | None = None,
        rotate_method: Literal["corners", "ellipse"] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(method=method, scale=scale, scale_y=scale_y, keep_ratio=keep_ratio, balanced_scale=balanced_scale, translate_x=translate_x, translate_y=translate_y, translate_px_x=translate_px_x, translate_px_y=translate_px_y, rotate=rotate, shear_x=shear_x, shear_y=shear_y, filter=filter, border=border, fill=fill, fill_mask=fill_mask, rotate_method=rotate_method, p=p)


class Rotate(Op):
    """Turn around the middle. Turn around the middle; the size stays.

    `method`: Whose arithmetic and conventions. One of `albumentations`, `torchvision`. Default albumentations.

    `degrees`: Degrees, counter-clockwise. -360 to 360. Default [-90, 90].

    `filter`: How pixels are computed: nearest, bilinear or bicubic. Default bilinear; nearest with method
    torchvision. One of `nearest`, `nearest_exact`, `bilinear`, `bicubic`, `box`, `lanczos3`.

    `border`: What is beyond the edge. One of `constant`, `edge`, `reflect`, `symmetric`. Default constant.

    `fill`: Colour of constant padding per channel, at the scale of the image that comes in. 3 of them. Default [0, 0,
    0].

    `fill_mask`: Class of constant padding in the mask. Default 0. 0 to 255.

    `rotate_method`: How a turned box is boxed. One of `corners`, `ellipse`. Default corners.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "rotate"

    def __init__(
        self,
        *,
        method: Literal["albumentations", "torchvision"] | None = None,
        degrees: abc.Sequence[float] | None = None,
        filter: Literal["nearest", "nearest_exact", "bilinear", "bicubic", "box", "lanczos3"] | None = None,
        border: Literal["constant", "edge", "reflect", "symmetric"] | None = None,
        fill: abc.Sequence[float] | None = None,
        fill_mask: int | None = None,
        rotate_method: Literal["corners", "ellipse"] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(method=method, degrees=degrees, filter=filter, border=border, fill=fill, fill_mask=fill_mask, rotate_method=rotate_method, p=p)


class ShiftScaleRotate(Op):
    """Move, scale and turn. Move, scale and turn, as albumentations' ShiftScaleRotate: an affine op with other names and
    defaults.

    `shift_x`: Move to the right, as a fraction of the width. -1 to 1. Default [-0.0625, 0.0625].

    `shift_y`: Move down, as a fraction of the height. -1 to 1. Default [-0.0625, 0.0625].

    `scale`: What is added to a factor of 1, drawn for each side. Above -1, to 99. Default [-0.1, 0.1].

    `rotate`: Degrees, counter-clockwise. -360 to 360. Default [-45, 45].

    `filter`: How pixels are computed: nearest, bilinear or bicubic. One of `nearest`, `nearest_exact`, `bilinear`,
    `bicubic`, `box`, `lanczos3`. Default bilinear.

    `border`: What is beyond the edge. One of `constant`, `edge`, `reflect`, `symmetric`. Default constant.

    `fill`: Colour of constant padding per channel, at the scale of the image that comes in. 3 of them. Default [0, 0,
    0].

    `fill_mask`: Class of constant padding in the mask. Default 0. 0 to 255.

    `rotate_method`: How a turned box is boxed. One of `corners`, `ellipse`. Default corners.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "shift_scale_rotate"

    def __init__(
        self,
        *,
        shift_x: abc.Sequence[float] | None = None,
        shift_y: abc.Sequence[float] | None = None,
        scale: abc.Sequence[float] | None = None,
        rotate: abc.Sequence[float] | None = None,
        filter: Literal["nearest", "nearest_exact", "bilinear", "bicubic", "box", "lanczos3"] | None = None,
        border: Literal["constant", "edge", "reflect", "symmetric"] | None = None,
        fill: abc.Sequence[float] | None = None,
        fill_mask: int | None = None,
        rotate_method: Literal["corners", "ellipse"] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(shift_x=shift_x, shift_y=shift_y, scale=scale, rotate=rotate, filter=filter, border=border, fill=fill, fill_mask=fill_mask, rotate_method=rotate_method, p=p)


class Perspective(Op):
    """Look at the image from aside. Look at the image from aside: its corners move.

    `method`: Whose arithmetic and conventions. One of `albumentations`, `torchvision`. Default albumentations.

    `scale`: Albumentations: standard deviation of how far a corner moves inwards, as a fraction of the sides. 0 to 1.
    Default [0.05, 0.1].

    `distortion_scale`: Torchvision: how far a corner moves inwards at most, as a fraction of half the sides. 0 to 1.
    Default 0.5.

    `filter`: How pixels are computed: nearest, bilinear or bicubic. One of `nearest`, `nearest_exact`, `bilinear`,
    `bicubic`, `box`, `lanczos3`. Default bilinear.

    `border`: What is beyond the edge. One of `constant`, `edge`, `reflect`, `symmetric`. Default constant.

    `fill`: Colour of constant padding per channel, at the scale of the image that comes in. 3 of them. Default [0, 0,
    0].

    `fill_mask`: Class of constant padding in the mask. Default 0. 0 to 255.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "perspective"

    def __init__(
        self,
        *,
        method: Literal["albumentations", "torchvision"] | None = None,
        scale: abc.Sequence[float] | None = None,
        distortion_scale: float | None = None,
        filter: Literal["nearest", "nearest_exact", "bilinear", "bicubic", "box", "lanczos3"] | None = None,
        border: Literal["constant", "edge", "reflect", "symmetric"] | None = None,
        fill: abc.Sequence[float] | None = None,
        fill_mask: int | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(method=method, scale=scale, distortion_scale=distortion_scale, filter=filter, border=border, fill=fill, fill_mask=fill_mask, p=p)


class Elastic(Op):
    """Move every pixel by a smooth random field.

    `method`: Whose arithmetic and conventions. One of `albumentations`, `torchvision`. Default albumentations.

    `alpha`: How far: a factor of the smoothed noise; pixels. Default 1; 50 with method torchvision. 0 to 10000.

    `sigma`: Standard deviation of the smoothing in pixels. Default 50; 5 with method torchvision. 0.5 to 200.

    `noise`: Distribution of the noise. One of `gaussian`, `uniform`. Default gaussian.

    `same_dxdy`: Move by as many rows as columns everywhere (albumentations). Default false.

    `filter`: How pixels are computed: nearest, bilinear or bicubic. One of `nearest`, `nearest_exact`, `bilinear`,
    `bicubic`, `box`, `lanczos3`. Default bilinear.

    `border`: What is beyond the edge. One of `constant`, `edge`, `reflect`, `symmetric`. Default constant.

    `fill`: Colour of constant padding per channel, at the scale of the image that comes in. 3 of them. Default [0, 0,
    0].

    `fill_mask`: Class of constant padding in the mask. Default 0. 0 to 255.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "elastic"

    def __init__(
        self,
        *,
        method: Literal["albumentations", "torchvision"] | None = None,
        alpha: float | None = None,
        sigma: float | None = None,
        noise: Literal["gaussian", "uniform"] | None = None,
        same_dxdy: bool | None = None,
        filter: Literal["nearest", "nearest_exact", "bilinear", "bicubic", "box", "lanczos3"] | None = None,
        border: Literal["constant", "edge", "reflect", "symmetric"] | None = None,
        fill: abc.Sequence[float] | None = None,
        fill_mask: int | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(method=method, alpha=alpha, sigma=sigma, noise=noise, same_dxdy=same_dxdy, filter=filter, border=border, fill=fill, fill_mask=fill_mask, p=p)


class GridDistortion(Op):
    """Stretch and squeeze the cells of a grid.

    `num_steps`: Cells along each side. 1 to 256. Default 5.

    `distort`: What is added to the length of a cell of 1, drawn for every cell of either side. -1 to 1. Default
    [-0.3, 0.3].

    `normalized`: Scale the cells so that they fill the image exactly. Default true.

    `filter`: How pixels are computed: nearest, bilinear or bicubic. One of `nearest`, `nearest_exact`, `bilinear`,
    `bicubic`, `box`, `lanczos3`. Default bilinear.

    `border`: What is beyond the edge. One of `constant`, `edge`, `reflect`, `symmetric`. Default constant.

    `fill`: Colour of constant padding per channel, at the scale of the image that comes in. 3 of them. Default [0, 0,
    0].

    `fill_mask`: Class of constant padding in the mask. Default 0. 0 to 255.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "grid_distortion"

    def __init__(
        self,
        *,
        num_steps: int | None = None,
        distort: abc.Sequence[float] | None = None,
        normalized: bool | None = None,
        filter: Literal["nearest", "nearest_exact", "bilinear", "bicubic", "box", "lanczos3"] | None = None,
        border: Literal["constant", "edge", "reflect", "symmetric"] | None = None,
        fill: abc.Sequence[float] | None = None,
        fill_mask: int | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(num_steps=num_steps, distort=distort, normalized=normalized, filter=filter, border=border, fill=fill, fill_mask=fill_mask, p=p)


class OpticalDistortion(Op):
    """Bend the image as a lens does.

    `distort`: Coefficient of the distortion: above 0 a barrel, below a cushion. -10 to 10. Default [-0.05, 0.05].

    `lens`: Which model of a lens. One of `camera`, `fisheye`. Default camera.

    `filter`: How pixels are computed: nearest, bilinear or bicubic. One of `nearest`, `nearest_exact`, `bilinear`,
    `bicubic`, `box`, `lanczos3`. Default bilinear.

    `border`: What is beyond the edge. One of `constant`, `edge`, `reflect`, `symmetric`. Default constant.

    `fill`: Colour of constant padding per channel, at the scale of the image that comes in. 3 of them. Default [0, 0,
    0].

    `fill_mask`: Class of constant padding in the mask. Default 0. 0 to 255.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "optical_distortion"

    def __init__(
        self,
        *,
        distort: abc.Sequence[float] | None = None,
        lens: Literal["camera", "fisheye"] | None = None,
        filter: Literal["nearest", "nearest_exact", "bilinear", "bicubic", "box", "lanczos3"] | None = None,
        border: Literal["constant", "edge", "reflect", "symmetric"] | None = None,
        fill: abc.Sequence[float] | None = None,
        fill_mask: int | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(distort=distort, lens=lens, filter=filter, border=border, fill=fill, fill_mask=fill_mask, p=p)


class RandomScale(Op):
    """Resize by a random factor. Resize by a random factor; rows differ in size unless an op after it ends that.

    `scale`: Factor of both sides. Above 0, to 100. Default [0.9, 1.1].

    `filter`: How pixels are computed. One of `nearest`, `nearest_exact`, `bilinear`, `bicubic`, `box`, `lanczos3`.
    Default bilinear.

    `antialias`: As in Resize. Default true.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "random_scale"

    def __init__(
        self,
        *,
        scale: abc.Sequence[float] | None = None,
        filter: Literal["nearest", "nearest_exact", "bilinear", "bicubic", "box", "lanczos3"] | None = None,
        antialias: bool | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(scale=scale, filter=filter, antialias=antialias, p=p)


class RandomSizedCrop(Op):
    """Cut a window of random height out and resize it. Cut a window of random height and fixed ratio out and resize it.

    `height`: Height of the result in pixels. 1 to 16384. Required.

    `width`: Width of the result in pixels. 1 to 16384. Required.

    `min_max_height`: Height of the window in pixels, a whole number drawn uniformly, both ends included; what is
    larger than the image is cut off. 1 to 16384. Required.

    `w2h_ratio`: Width of the window over its height. Above 0, to 1000. Default 1.

    `filter`: How pixels are computed. One of `nearest`, `nearest_exact`, `bilinear`, `bicubic`, `box`, `lanczos3`.
    Default bilinear.

    `antialias`: As in Resize. Default true.

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "random_sized_crop"

    def __init__(
        self,
        height: int,
        width: int,
        min_max_height: abc.Sequence[float],
        *,
        w2h_ratio: float | None = None,
        filter: Literal["nearest", "nearest_exact", "bilinear", "bicubic", "box", "lanczos3"] | None = None,
        antialias: bool | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(height=height, width=width, min_max_height=min_max_height, w2h_ratio=w2h_ratio, filter=filter, antialias=antialias, p=p)


class RandomIouCrop(Op):
    """Cut a window out that has enough in common with a box. Cut a window out that has enough in common with one of the
    boxes (SSD), and drop the boxes whose middle is outside. An image without boxes stays as it is.

    `scale`: Sides of the window as fractions of the image's, drawn for each. Above 0, to 1. Default [0.3, 1].

    `ratio`: Width over height that a window may have. Above 0, to 1000. Default [0.5, 2].

    `min_iou`: Least overlap (intersection over union) with a box: one is drawn; 1 keeps the whole image. 0 to 1; at
    most 32. Default [0, 0.1, 0.3, 0.5, 0.7, 0.9, 1].

    `trials`: Windows tried before another overlap is drawn. 1 to 1000. Default 40.

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "random_iou_crop"

    def __init__(
        self,
        *,
        scale: abc.Sequence[float] | None = None,
        ratio: abc.Sequence[float] | None = None,
        min_iou: abc.Sequence[float] | None = None,
        trials: int | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(scale=scale, ratio=ratio, min_iou=min_iou, trials=trials, p=p)


class RandomZoomOut(Op):
    """Put the image somewhere on a larger canvas. Put the image somewhere on a larger canvas (SSD).

    `side_range`: Sides of the canvas over the image's. 1 to 16. Default [1, 4].

    `fill`: Colour of the canvas per channel, at the scale of the image that comes in. 3 of them. Default [0, 0, 0].

    `fill_mask`: Class of the canvas in the mask. Default 0. 0 to 255.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "random_zoom_out"

    def __init__(
        self,
        *,
        side_range: abc.Sequence[float] | None = None,
        fill: abc.Sequence[float] | None = None,
        fill_mask: int | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(side_range=side_range, fill=fill, fill_mask=fill_mask, p=p)


class FixedCrop(Op):
    """Cut out a window that is always the same. Cut out a window that is always the same. An image that it does not fit
    into is refused.

    `height`: Height of the window in pixels. 1 to 16384. Required.

    `width`: Width of the window in pixels. 1 to 16384. Required.

    `x`: Columns between the window and the side of the corner. Default 0. 0 to 16384.

    `y`: Rows between the window and the side of the corner. Default 0. 0 to 16384.

    `corner`: From which corner `x` and `y` are counted. One of `top_left`, `top_right`, `bottom_left`,
    `bottom_right`. Default top_left.
    """

    _name = "fixed_crop"

    def __init__(
        self,
        height: int,
        width: int | None = None,
        *,
        x: int | None = None,
        y: int | None = None,
        corner: Literal["top_left", "top_right", "bottom_left", "bottom_right"] | None = None,
    ) -> None:
        super().__init__(height=height, width=height if width is None else width, x=x, y=y, corner=corner)


class CoarseDropout(Op):
    """Cut rectangles out of the image. Cut rectangles out of the image: albumentations' CoarseDropout.

    `num_holes`: How many. 1 to 4096. Default [1, 2].

    `hole_height`: Height of a hole: a fraction of the image's where the last number is below 1, else pixels. 0 to
    16384. Default [0.1, 0.2].

    `hole_width`: Width of a hole, in the unit of the height. 0 to 16384. Default [0.1, 0.2].

    `fill`: What they are filled with. One of `constant`, `random`, `random_uniform`. Default constant.

    `color`: Colour per channel, at the scale of the image that comes in. 3 of them. Default [0, 0, 0].

    `fill_mask`: Class that the mask gets in the holes. Default: the mask stays as it is. 0 to 255.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "coarse_dropout"

    def __init__(
        self,
        *,
        num_holes: abc.Sequence[int] | None = None,
        hole_height: abc.Sequence[float] | None = None,
        hole_width: abc.Sequence[float] | None = None,
        fill: Literal["constant", "random", "random_uniform"] | None = None,
        color: abc.Sequence[float] | None = None,
        fill_mask: int | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(num_holes=num_holes, hole_height=hole_height, hole_width=hole_width, fill=fill, color=color, fill_mask=fill_mask, p=p)


class RandomErasing(Op):
    """Erase rectangles of random area and shape. Erase rectangles of random area and shape: torchvision's RandomErasing,
    timm's with `mode` and `count`, albumentations' Erasing with `method`.

    `scale`: Area of a rectangle as a fraction of the image's. 0 to 1. Default [0.02, 0.33].

    `ratio`: Height over width; width over height with the method albumentations. Above 0, to 1000. Default [0.3,
    3.3].

    `mode`: What with. One of `const`, `rand`, `pixel`, `uniform`, `uniform_color`. Default const.

    `value`: Colour per channel, at the scale of the image that comes in. 3 of them. Default [0, 0, 0].

    `count`: How many rectangles; they share the area, as in timm. 1 to 256. Default [1, 1].

    `p`: Probability. 0 to 1. Default 0.5.

    `method`: Whose rectangles. One of `torchvision`, `albumentations`. Default torchvision.

    `fill_mask`: Class that the mask gets in the rectangle, with the method albumentations. Default: the mask stays as
    it is. 0 to 255.
    """

    _name = "random_erasing"

    def __init__(
        self,
        *,
        scale: abc.Sequence[float] | None = None,
        ratio: abc.Sequence[float] | None = None,
        mode: Literal["const", "rand", "pixel", "uniform", "uniform_color"] | None = None,
        value: abc.Sequence[float] | None = None,
        count: abc.Sequence[int] | None = None,
        p: float | None = None,
        method: Literal["torchvision", "albumentations"] | None = None,
        fill_mask: int | None = None,
    ) -> None:
        super().__init__(scale=scale, ratio=ratio, mode=mode, value=value, count=count, p=p, method=method, fill_mask=fill_mask)


class GridDropout(Op):
    """Cut a hole into each cell of a grid. Cut a hole into each cell of a grid: albumentations' GridDropout.

    `ratio`: Side of a hole as a fraction of its cell's. Above 0, to 1. Default 0.5.

    `random_offset`: Put the holes at random places in their cells. Default true.

    `holes_number`: Cells across and down the image. 1 to 256; 2 of them. Default [10, 10].

    `shift`: Where holes begin in their cells, x and y in pixels, without `random_offset`. 0 to 16384; 2 of them.
    Default [0, 0].

    `fill`: What they are filled with. One of `constant`, `random`, `random_uniform`. Default constant.

    `color`: Colour per channel, at the scale of the image that comes in. 3 of them. Default [0, 0, 0].

    `fill_mask`: Class that the mask gets in the holes. Default: the mask stays as it is. 0 to 255.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "grid_dropout"

    def __init__(
        self,
        *,
        ratio: float | None = None,
        random_offset: bool | None = None,
        holes_number: abc.Sequence[int] | None = None,
        shift: abc.Sequence[int] | None = None,
        fill: Literal["constant", "random", "random_uniform"] | None = None,
        color: abc.Sequence[float] | None = None,
        fill_mask: int | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(ratio=ratio, random_offset=random_offset, holes_number=holes_number, shift=shift, fill=fill, color=color, fill_mask=fill_mask, p=p)


class PixelDropout(Op):
    """Replace single pixels. Replace single pixels: albumentations' PixelDropout. The annotations stay as they are.

    `dropout_prob`: Fraction of the pixels. 0 to 1. Default 0.01.

    `per_channel`: Choose each channel's values by themselves. Default false.

    `drop_value`: Colour per channel, at the scale of the image that comes in. 3 of them. Default [0, 0, 0].

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "pixel_dropout"

    def __init__(
        self,
        *,
        dropout_prob: float | None = None,
        per_channel: bool | None = None,
        drop_value: abc.Sequence[float] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(dropout_prob=dropout_prob, per_channel=per_channel, drop_value=drop_value, p=p)


class Brightness(Op):
    """Make lighter or darker. Make lighter or darker. Either `delta` or `factor`.

    `delta`: Added to every value, as a fraction of the full scale (255 for 8 bits and for floats at 0 to 255, 1 after
    to_float): tf.image.adjust_brightness. 8 bits: computed in [0, 1], clamped, times 255.5, cut off. Floats are not
    clipped. -1 to 1.

    `factor`: Multiplied with every value: torchvision's adjust_brightness. Clamped to the full scale; 8 bits: cut
    off. 0 to 1000.

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "brightness"

    def __init__(
        self,
        *,
        delta: abc.Sequence[float] | None = None,
        factor: abc.Sequence[float] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(delta=delta, factor=factor, p=p)


class Contrast(Op):
    """Raise or lower the contrast. Raise (factor above 1) or lower the contrast.

    `factor`: Distance from the mean is multiplied by it. 0 to 1000. Required.

    `method`: Around what. One of `torchvision`, `tensorflow`, `pillow`, `zero`. Default torchvision.

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "contrast"

    def __init__(
        self,
        factor: abc.Sequence[float],
        *,
        method: Literal["torchvision", "tensorflow", "pillow", "zero"] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(factor=factor, method=method, p=p)


class Saturation(Op):
    """Raise or lower the saturation. Raise (factor above 1) or lower the saturation.

    `factor`: 0 is gray, 1 leaves the image as it is. 0 to 1000. Required.

    `method`: How. One of `torchvision`, `tensorflow`, `pillow`. Default torchvision.

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "saturation"

    def __init__(
        self,
        factor: abc.Sequence[float],
        *,
        method: Literal["torchvision", "tensorflow", "pillow"] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(factor=factor, method=method, p=p)


class Hue(Op):
    """Turn the hue.

    `delta`: In turns: 0.5 is the complementary colour. -1 to 1. Required.

    `method`: How. One of `torchvision`, `tensorflow`. Default torchvision.

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "hue"

    def __init__(
        self,
        delta: abc.Sequence[float],
        *,
        method: Literal["torchvision", "tensorflow"] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(delta=delta, method=method, p=p)


class Grayscale(Op):
    """Take the colour away.

    `channels`: Channels of the result: 3 (the gray value repeated) or 1. With 1, `p` must be 1. 1 to 3. Default 3.

    `method`: How. One of `torchvision`, `tensorflow`, `pillow`, `opencv`, `from_lab`, `desaturation`, `average`,
    `max`, `pca`. Default torchvision.

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "grayscale"

    def __init__(
        self,
        *,
        channels: int | None = None,
        method: Literal["torchvision", "tensorflow", "pillow", "opencv", "from_lab", "desaturation", "average", "max", "pca"] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(channels=channels, method=method, p=p)


class ColorJitter(Op):
    """Brightness, contrast, saturation and hue in a random order, as torchvision does. Brightness, contrast, saturation
    and hue, in an order drawn per sample, each clamped and (8 bits) made whole numbers. An absent range leaves that
    part out.

    `brightness`: Factor of the brightness. torchvision's ColorJitter(0.4) is [0.6, 1.4]. 0 to 1000.

    `contrast`: Factor of the contrast. 0 to 1000.

    `saturation`: Factor of the saturation. 0 to 1000.

    `hue`: Turn of the hue, in turns. -0.5 to 0.5.

    `p`: Probability. 0 to 1. Default 1.

    `method`: Whose formulas. One of `torchvision`, `albumentations`, `pillow`. Default torchvision.
    """

    _name = "color_jitter"

    def __init__(
        self,
        *,
        brightness: abc.Sequence[float] | None = None,
        contrast: abc.Sequence[float] | None = None,
        saturation: abc.Sequence[float] | None = None,
        hue: abc.Sequence[float] | None = None,
        p: float | None = None,
        method: Literal["torchvision", "albumentations", "pillow"] | None = None,
    ) -> None:
        super().__init__(brightness=brightness, contrast=contrast, saturation=saturation, hue=hue, p=p, method=method)


class Clip(Op):
    """Limit values to a range.

    `min`: Smallest value. Default 0.

    `max`: Largest value. Default 1.
    """

    _name = "clip"

    def __init__(
        self,
        *,
        min: float | None = None,
        max: float | None = None,
    ) -> None:
        super().__init__(min=min, max=max)


class RandomBrightnessContrast(Op):
    """Contrast and brightness together, as albumentations does. Contrast times brightness around zero: albumentations'
    RandomBrightnessContrast.

    `brightness_limit`: Added to every value, as a fraction of the full scale. -1 to 1. Default [-0.2, 0.2].

    `contrast_limit`: One plus it is multiplied with every value, before the brightness is added. -1 to 1000. Default
    [-0.2, 0.2].

    `brightness_by_max`: Whether the brightness is a fraction of the full scale; otherwise it is one of the image's
    mean. Default true.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "random_brightness_contrast"

    def __init__(
        self,
        *,
        brightness_limit: abc.Sequence[float] | None = None,
        contrast_limit: abc.Sequence[float] | None = None,
        brightness_by_max: bool | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(brightness_limit=brightness_limit, contrast_limit=contrast_limit, brightness_by_max=brightness_by_max, p=p)


class Solarize(Op):
    """Invert the values that are not below a threshold.

    `threshold`: In units of 8 bits: 255 is the full scale, 256 changes nothing. 0 to 256. Default [128, 128].

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "solarize"

    def __init__(
        self,
        *,
        threshold: abc.Sequence[float] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(threshold=threshold, p=p)


class Posterize(Op):
    """Keep the highest bits of every value.

    `bits`: How many bits are kept, drawn from the first number to the last, both included. 0 to 8. Default [4, 4].

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "posterize"

    def __init__(
        self,
        *,
        bits: abc.Sequence[int] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(bits=bits, p=p)


class Equalize(Op):
    """Make every value about equally frequent. Spread the values so that each is about as frequent as any other.

    `method`: How. One of `pillow`, `opencv`, `albumentations_pil`. Default pillow.

    `by_channels`: Whether each channel is equalised by itself; otherwise the luma of YCrCb alone is, which the method
    pillow can't. Default true.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "equalize"

    def __init__(
        self,
        *,
        method: Literal["pillow", "opencv", "albumentations_pil"] | None = None,
        by_channels: bool | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(method=method, by_channels=by_channels, p=p)


class AutoContrast(Op):
    """Stretch each channel to the full scale.

    `cutoff`: Percent of the pixels left out at both ends; 0 for the method torchvision. 0 to 49. Default 0.

    `method`: How. One of `torchvision`, `pillow`, `albumentations`, `albumentations_linear`. Default torchvision.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "auto_contrast"

    def __init__(
        self,
        *,
        cutoff: float | None = None,
        method: Literal["torchvision", "pillow", "albumentations", "albumentations_linear"] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(cutoff=cutoff, method=method, p=p)


class Invert(Op):
    """Make a negative. Full scale minus every value.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "invert"

    def __init__(
        self,
        *,
        p: float | None = None,
    ) -> None:
        super().__init__(p=p)


class HueSaturationValue(Op):
    """Turn the hue, add to saturation and value, as albumentations does. Turn the hue and add to saturation and value,
    on OpenCV's 8-bit HSV: albumentations' HueSaturationValue.

    `hue_shift_limit`: Added to the hue, in units of two degrees, with wrap. -180 to 180. Default [-20, 20].

    `sat_shift_limit`: Added to the saturation of colours that have one, in units of 1/255. -255 to 255. Default [-30,
    30].

    `val_shift_limit`: Added to the value, in units of 1/255. -255 to 255. Default [-20, 20].

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "hue_saturation_value"

    def __init__(
        self,
        *,
        hue_shift_limit: abc.Sequence[float] | None = None,
        sat_shift_limit: abc.Sequence[float] | None = None,
        val_shift_limit: abc.Sequence[float] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(hue_shift_limit=hue_shift_limit, sat_shift_limit=sat_shift_limit, val_shift_limit=val_shift_limit, p=p)


class Gamma(Op):
    """Raise every value to a power. Raise every value, as a fraction of the full scale, to a power.

    `gamma`: The power: below 1 makes darks lighter. albumentations' gamma_limit of (80, 120) is [0.8, 1.2]. 0 to
    1000. Default [0.8, 1.2].

    `gain`: Multiplied with the result. 0 to 1000. Default 1.

    `method`: How. One of `torchvision`, `tensorflow`, `albumentations`. Default torchvision.

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "gamma"

    def __init__(
        self,
        *,
        gamma: abc.Sequence[float] | None = None,
        gain: float | None = None,
        method: Literal["torchvision", "tensorflow", "albumentations"] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(gamma=gamma, gain=gain, method=method, p=p)


class RgbShift(Op):
    """Add a number to each channel. Add a number to each channel: albumentations' RGBShift. An image of one channel is
    shifted as red is.

    `r_shift_limit`: Added to red, in units of 1/255 (never a fraction, however small). -255 to 255. Default [-20,
    20].

    `g_shift_limit`: Added to green. -255 to 255. Default [-20, 20].

    `b_shift_limit`: Added to blue. -255 to 255. Default [-20, 20].

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "rgb_shift"

    def __init__(
        self,
        *,
        r_shift_limit: abc.Sequence[float] | None = None,
        g_shift_limit: abc.Sequence[float] | None = None,
        b_shift_limit: abc.Sequence[float] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(r_shift_limit=r_shift_limit, g_shift_limit=g_shift_limit, b_shift_limit=b_shift_limit, p=p)


class ChannelShuffle(Op):
    """Put the channels in a random order.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "channel_shuffle"

    def __init__(
        self,
        *,
        p: float | None = None,
    ) -> None:
        super().__init__(p=p)


class ChannelDropout(Op):
    """Replace channels by a constant. Replace some of the three channels by a constant.

    `channel_drop_range`: How many channels, drawn from the first number to the last, both included. 1 to 2. Default
    [1, 1].

    `fill`: By what, in units of 8 bits: 255 is the full scale. 8-bit images: cut off to a whole number. 0 to 255.
    Default 0.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "channel_dropout"

    def __init__(
        self,
        *,
        channel_drop_range: abc.Sequence[int] | None = None,
        fill: float | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(channel_drop_range=channel_drop_range, fill=fill, p=p)


class ToSepia(Op):
    """Colours of an old photograph. Colours of an old photograph: albumentations' ToSepia.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "to_sepia"

    def __init__(
        self,
        *,
        p: float | None = None,
    ) -> None:
        super().__init__(p=p)


class Clahe(Op):
    """Equalize tile by tile, with a limit to the contrast. Equalize the values tile by tile, with a limit to the
    contrast: OpenCV's CLAHE, on the lightness of LAB if there are three channels, as albumentations does.

    `clip_limit`: Highest count of one value in a tile, in multiples of the mean count. 1 to 1000. Default [1, 4].

    `tile_grid_size`: Columns and rows of tiles. 1 to 64; 2 of them. Default [8, 8].

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "clahe"

    def __init__(
        self,
        *,
        clip_limit: abc.Sequence[float] | None = None,
        tile_grid_size: abc.Sequence[int] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(clip_limit=clip_limit, tile_grid_size=tile_grid_size, p=p)


class FancyPca(Op):
    """Move colours along the principal axes of the image's own. Move every colour along the principal axes of the
    image's colours: albumentations' FancyPCA.

    `alpha`: Standard deviation of the three factors, which are normally distributed around 0. 0 to 100. Default 0.1.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "fancy_pca"

    def __init__(
        self,
        *,
        alpha: float | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(alpha=alpha, p=p)


class PhotometricDistort(Op):
    """Brightness, contrast, saturation, hue and order of channels, each by chance, as SSD does. Brightness, then
    contrast, saturation, hue and maybe contrast only here, then a random order of channels, each by chance:
    torchvision's RandomPhotometricDistort.

    `brightness`: Factor of the brightness. 0 to 1000. Default [0.875, 1.125].

    `contrast`: Factor of the contrast. 0 to 1000. Default [0.5, 1.5].

    `saturation`: Factor of the saturation. 0 to 1000. Default [0.5, 1.5].

    `hue`: Turn of the hue, in turns. -0.5 to 0.5. Default [-0.05, 0.05].

    `part_p`: Probability of each of the five parts: the `p` of torchvision. 0 to 1. Default 0.5.

    `p`: Probability of all of it. 0 to 1. Default 1.
    """

    _name = "photometric_distort"

    def __init__(
        self,
        *,
        brightness: abc.Sequence[float] | None = None,
        contrast: abc.Sequence[float] | None = None,
        saturation: abc.Sequence[float] | None = None,
        hue: abc.Sequence[float] | None = None,
        part_p: float | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(brightness=brightness, contrast=contrast, saturation=saturation, hue=hue, part_p=part_p, p=p)


class HsvGain(Op):
    """Multiply hue, saturation and value, as YOLO does. Multiply hue, saturation and value of OpenCV's 8-bit HSV by
    factors of their own: the HSV gains of YOLO.

    `hsv_h`: The hue is multiplied by 1 plus a number from minus this to this. 0 to 1. Default 0.015.

    `hsv_s`: The same for the saturation. 0 to 1. Default 0.7.

    `hsv_v`: The same for the value. 0 to 1. Default 0.4.

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "hsv_gain"

    def __init__(
        self,
        *,
        hsv_h: float | None = None,
        hsv_s: float | None = None,
        hsv_v: float | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(hsv_h=hsv_h, hsv_s=hsv_s, hsv_v=hsv_v, p=p)


class RandomToneCurve(Op):
    """Bend the curve from dark to light. Bend the curve from dark to light by two points: albumentations'
    RandomToneCurve.

    `scale`: Standard deviation of the heights of the points, which are normally distributed around 0.25 and 0.75. 0
    to 1. Default 0.1.

    `per_channel`: Whether each channel has a curve of its own. Default false.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "random_tone_curve"

    def __init__(
        self,
        *,
        scale: float | None = None,
        per_channel: bool | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(scale=scale, per_channel=per_channel, p=p)


class GaussianBlur(Op):
    """Blur with a Gaussian. Blur with a Gaussian; beyond the edge the image is mirrored, the outermost pixel not
    repeated.

    `kernel_size`: Side of the kernel in pixels, odd. Default 0: 2 floor(3.5 sigma) + 1, of each sample's sigma. 0 to
    255.

    `sigma`: Standard deviation in pixels. Above 0, to 36. Default [0.1, 2].

    `method`: Whose weights. One of `torchvision`, `albumentations`. Default torchvision.

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "gaussian_blur"

    def __init__(
        self,
        *,
        kernel_size: int | None = None,
        sigma: abc.Sequence[float] | None = None,
        method: Literal["torchvision", "albumentations"] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(kernel_size=kernel_size, sigma=sigma, method=method, p=p)


class MedianBlur(Op):
    """Median of a square around each pixel. Median of a square around each pixel, per channel: albumentations'
    MedianBlur, OpenCV's medianBlur. Beyond the edge the outermost pixel is repeated. Floats pass through 8 bits.

    `kernel_size`: Side of the square in pixels: an odd number of this range, each equally likely. 3 to 63. Default
    [3, 7].

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "median_blur"

    def __init__(
        self,
        *,
        kernel_size: abc.Sequence[int] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(kernel_size=kernel_size, p=p)


class BoxBlur(Op):
    """Mean of a square around each pixel. Mean of a square around each pixel, per channel: albumentations' Blur,
    OpenCV's blur. Beyond the edge the image is mirrored, the outermost pixel not repeated.

    `kernel_size`: Side of the square in pixels: an odd number of this range, each equally likely. 3 to 63. Default
    [3, 7].

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "box_blur"

    def __init__(
        self,
        *,
        kernel_size: abc.Sequence[int] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(kernel_size=kernel_size, p=p)


class MotionBlur(Op):
    """Mean along a line through each pixel. Mean along a line through each pixel, as of a moving camera: albumentations'
    MotionBlur. Beyond the edge the image is mirrored, the outermost pixel not repeated.

    `kernel_size`: Side of the square that holds the line, in pixels: an odd number of this range, each equally
    likely. 3 to 63. Default [3, 7].

    `angle`: Direction of the line in degrees, clockwise as the image is seen. 0 to 360. Default [0, 360].

    `direction`: Which part of the line counts: 0 all of it, 1 only what lies ahead, -1 only what lies behind. -1 to
    1. Default [-1, 1].

    `allow_shifted`: Shift the line by up to a quarter of the square's side. Default true.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "motion_blur"

    def __init__(
        self,
        *,
        kernel_size: abc.Sequence[int] | None = None,
        angle: abc.Sequence[float] | None = None,
        direction: abc.Sequence[float] | None = None,
        allow_shifted: bool | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(kernel_size=kernel_size, angle=angle, direction=direction, allow_shifted=allow_shifted, p=p)


class AdjustSharpness(Op):
    """Blend with the smoothed image, in either direction. Blend with the image smoothed by [[1, 1, 1], [1, 5, 1], [1, 1,
    1]] / 13; the outermost pixels stay as they are.

    `factor`: 0 is the smoothed image, 1 the image itself, 2 twice as sharp. 0 to 1000. Required.

    `method`: Whose rounding. One of `torchvision`, `pillow`. Default torchvision.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "adjust_sharpness"

    def __init__(
        self,
        factor: abc.Sequence[float],
        *,
        method: Literal["torchvision", "pillow"] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(factor=factor, method=method, p=p)


class Sharpen(Op):
    """Blend with the sharpened image. Blend with the image sharpened by [[-1, -1, -1], [-1, 8 + lightness, -1], [-1, -1,
    -1]]: albumentations' Sharpen. Beyond the edge the image is mirrored, the outermost pixel not repeated.

    `alpha`: Weight of the sharpened image. 0 to 1. Default [0.2, 0.5].

    `lightness`: Brightness of the sharpened image. 0 to 1000. Default [0.5, 1].

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "sharpen"

    def __init__(
        self,
        *,
        alpha: abc.Sequence[float] | None = None,
        lightness: abc.Sequence[float] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(alpha=alpha, lightness=lightness, p=p)


class Jpeg(Op):
    """Compress to JPEG and decompress again. Compress to JPEG and decompress again, by libjpeg-turbo's baseline with its
    usual tables and the colour at half the resolution (4:2:0). Floats pass through 8 bits. Images that may be longer
    than 65500 pixels a side are refused.

    `quality`: Quality, whole numbers from the first to the last. 1 to 100. Default [75, 95].

    `swap_red_blue`: Take red for blue and blue for red, as albumentations' ImageCompression does. Default false.

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "jpeg"

    def __init__(
        self,
        *,
        quality: abc.Sequence[int] | None = None,
        swap_red_blue: bool | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(quality=quality, swap_red_blue=swap_red_blue, p=p)


class Downscale(Op):
    """Shrink and enlarge again. Shrink and enlarge again, each by the nearest pixel: albumentations' Downscale. Floats
    pass through 8 bits.

    `scale`: Size in between, as a fraction of the image's. Above 0, to 1. Default [0.25, 0.25].

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "downscale"

    def __init__(
        self,
        *,
        scale: abc.Sequence[float] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(scale=scale, p=p)


class MultiplicativeNoise(Op):
    """Multiply with random numbers. Multiply with random numbers: albumentations' MultiplicativeNoise. Clamped to the
    full scale; 8 bits: cut off.

    `multiplier`: What to multiply with. 0 to 1000. Default [0.9, 1.1].

    `per_channel`: A number for each channel. Default false.

    `elementwise`: A number for each pixel. Default false.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "multiplicative_noise"

    def __init__(
        self,
        *,
        multiplier: abc.Sequence[float] | None = None,
        per_channel: bool | None = None,
        elementwise: bool | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(multiplier=multiplier, per_channel=per_channel, elementwise=elementwise, p=p)


class GaussNoise(Op):
    """Add normally distributed numbers. Add normally distributed numbers: albumentations' GaussNoise. Clamped to the
    full scale; for 8 bits the numbers are cut off toward zero first.

    `std`: Standard deviation as a fraction of the full scale. 0 to 1. Default [0.2, 0.44].

    `mean`: Mean as a fraction of the full scale. -1 to 1. Default [0, 0].

    `per_channel`: A number for each channel of a pixel, or one for all of them. Default true.

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "gauss_noise"

    def __init__(
        self,
        *,
        std: abc.Sequence[float] | None = None,
        mean: abc.Sequence[float] | None = None,
        per_channel: bool | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(std=std, mean=mean, per_channel=per_channel, p=p)


class IsoNoise(Op):
    """Noise of hue and lightness. Noise of hue and lightness, as of a sensor set to a high sensitivity: albumentations'
    ISONoise. Three channels.

    `color_shift`: Standard deviation of the hue in degrees, before `intensity` multiplies it. 0 to 1. Default [0.01,
    0.05].

    `intensity`: Strength of both. 0 to 100. Default [0.1, 0.5].

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "iso_noise"

    def __init__(
        self,
        *,
        color_shift: abc.Sequence[float] | None = None,
        intensity: abc.Sequence[float] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(color_shift=color_shift, intensity=intensity, p=p)


class ShotNoise(Op):
    """Noise of counted photons. Noise of counted photons, in linear light: albumentations' ShotNoise.

    `scale`: Share of the full scale that one photon brings: larger is noisier. Above 0, to 1000. Default [0.1, 0.3].

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "shot_noise"

    def __init__(
        self,
        *,
        scale: abc.Sequence[float] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(scale=scale, p=p)


class SaltAndPepper(Op):
    """Make some pixels white and some black. Make some pixels white and some black: albumentations' SaltAndPepper.

    `amount`: Fraction of the pixels. 0 to 1. Default [0.01, 0.06].

    `salt_vs_pepper`: Fraction of those that become white. 0 to 1. Default [0.4, 0.6].

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "salt_and_pepper"

    def __init__(
        self,
        *,
        amount: abc.Sequence[float] | None = None,
        salt_vs_pepper: abc.Sequence[float] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(amount=amount, salt_vs_pepper=salt_vs_pepper, p=p)


class ToFloat(Op):
    """Make floating point of 8 bits, divided by 255. Make 32-bit floats of the values, divided by the full scale.

    `divisor`: What values are divided by. Above 0. Default 255.
    """

    _name = "to_float"

    def __init__(
        self,
        *,
        divisor: float | None = None,
    ) -> None:
        super().__init__(divisor=divisor)


class Normalize(Op):
    """Subtract a mean and divide by a standard deviation, per channel. (x - mean) / std per channel, in 32-bit floats:
    torchvision's normalize. Needs floats, so `to_float` comes first.

    `mean`: Mean per channel. At most 3. Default [0.485, 0.456, 0.406].

    `std`: Standard deviation per channel. Above 0; at most 3. Default [0.229, 0.224, 0.225].
    """

    _name = "normalize"

    def __init__(
        self,
        *,
        mean: abc.Sequence[float] | None = None,
        std: abc.Sequence[float] | None = None,
    ) -> None:
        super().__init__(mean=mean, std=std)


class Sequence(Op):
    """Several ops in order, together with a probability. Several ops in order.

    `ops`: The ops. Required.

    `p`: Probability that all of them are applied; otherwise none is. 0 to 1. Default 1.
    """

    _name = "sequence"

    def __init__(
        self,
        ops: abc.Sequence[Op],
        *,
        p: float | None = None,
    ) -> None:
        super().__init__(ops=ops, p=p)


class OneOf(Op):
    """One of several ops. One of several ops, drawn by weight.

    `ops`: The ops to choose from. Required.

    `weights`: Weight of each op, none negative, not all zero. Default: all equal. From 0.

    `p`: Probability that one is applied at all. 0 to 1. Default 1.
    """

    _name = "one_of"

    def __init__(
        self,
        ops: abc.Sequence[Op],
        *,
        weights: abc.Sequence[float] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(ops=ops, weights=weights, p=p)


class SomeOf(Op):
    """Some of several ops. Some of several ops, drawn uniformly, applied in the order written.

    `ops`: The ops to choose from. Required.

    `count`: How many. 1 to 256. Required.

    `p`: Probability that any is applied at all. 0 to 1. Default 1.

    `replace`: Draw with replacement: an op may be applied several times, each time with parameters of its own. Every
    repetition counts as ops of the pipeline. Default false.
    """

    _name = "some_of"

    def __init__(
        self,
        ops: abc.Sequence[Op],
        count: int,
        *,
        p: float | None = None,
        replace: bool | None = None,
    ) -> None:
        super().__init__(ops=ops, count=count, p=p, replace=replace)


class RandomOrder(Op):
    """Several ops in a random order. Several ops, or some of them, in an order drawn per sample.

    `ops`: The ops. Required.

    `p`: Probability that they are applied at all. 0 to 1. Default 1.

    `count`: How many of them, drawn uniformly without replacement. Default 0: all. 0 to 256.
    """

    _name = "random_order"

    def __init__(
        self,
        ops: abc.Sequence[Op],
        *,
        p: float | None = None,
        count: int | None = None,
    ) -> None:
        super().__init__(ops=ops, p=p, count=count)


class RandAugment(Op):
    """Some ops of 14, all at one magnitude. Some of 14 ops, each at the same magnitude: torchvision's RandAugment.

    `num_ops`: How many ops, one after the other; the same op may come twice. 0 to 32. Default 2.

    `magnitude`: Magnitude, a number of a bin: below `num_magnitude_bins`. 0 to 999. Default 9.

    `num_magnitude_bins`: Steps from no change to the greatest. 2 to 1000. Default 31.

    `filter`: How moved pixels are computed: nearest or bilinear. One of `nearest`, `nearest_exact`, `bilinear`,
    `bicubic`, `box`, `lanczos3`. Default nearest.

    `fill`: Colour beyond the edge per channel, at the scale of the image that comes in. Absent: black, which bilinear
    mixing takes in once where a colour is taken in twice, as torchvision does. 3 of them.

    `fill_mask`: Class beyond the edge of masks. Default 0. 0 to 255.

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "rand_augment"

    def __init__(
        self,
        *,
        num_ops: int | None = None,
        magnitude: int | None = None,
        num_magnitude_bins: int | None = None,
        filter: Literal["nearest", "nearest_exact", "bilinear", "bicubic", "box", "lanczos3"] | None = None,
        fill: abc.Sequence[float] | None = None,
        fill_mask: int | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(num_ops=num_ops, magnitude=magnitude, num_magnitude_bins=num_magnitude_bins, filter=filter, fill=fill, fill_mask=fill_mask, p=p)


class TrivialAugmentWide(Op):
    """One op of 14, at any magnitude. One of 14 ops at a magnitude drawn from all: torchvision's TrivialAugmentWide.

    `num_magnitude_bins`: Steps from no change to the greatest. 2 to 1000. Default 31.

    `filter`: How moved pixels are computed: nearest or bilinear. One of `nearest`, `nearest_exact`, `bilinear`,
    `bicubic`, `box`, `lanczos3`. Default nearest.

    `fill`: Colour beyond the edge per channel, at the scale of the image that comes in. Absent: black, which bilinear
    mixing takes in once where a colour is taken in twice, as torchvision does. 3 of them.

    `fill_mask`: Class beyond the edge of masks. Default 0. 0 to 255.

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "trivial_augment_wide"

    def __init__(
        self,
        *,
        num_magnitude_bins: int | None = None,
        filter: Literal["nearest", "nearest_exact", "bilinear", "bicubic", "box", "lanczos3"] | None = None,
        fill: abc.Sequence[float] | None = None,
        fill_mask: int | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(num_magnitude_bins=num_magnitude_bins, filter=filter, fill=fill, fill_mask=fill_mask, p=p)


class AutoAugment(Op):
    """A learned pair of ops. One of 25 learned pairs of ops, each op with its own probability and magnitude:
    torchvision's AutoAugment.

    `policy`: Which pairs. One of `imagenet`, `cifar10`, `svhn`. Default imagenet.

    `filter`: How moved pixels are computed: nearest or bilinear. One of `nearest`, `nearest_exact`, `bilinear`,
    `bicubic`, `box`, `lanczos3`. Default nearest.

    `fill`: Colour beyond the edge per channel, at the scale of the image that comes in. Absent: black, which bilinear
    mixing takes in once where a colour is taken in twice, as torchvision does. 3 of them.

    `fill_mask`: Class beyond the edge of masks. Default 0. 0 to 255.

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "auto_augment"

    def __init__(
        self,
        *,
        policy: Literal["imagenet", "cifar10", "svhn"] | None = None,
        filter: Literal["nearest", "nearest_exact", "bilinear", "bicubic", "box", "lanczos3"] | None = None,
        fill: abc.Sequence[float] | None = None,
        fill_mask: int | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(policy=policy, filter=filter, fill=fill, fill_mask=fill_mask, p=p)


class AugMix(Op):
    """The image mixed with several chains of ops on it. The image mixed with what several chains of ops make of it:
    torchvision's AugMix. Boxes, masks and keypoints stay where they are in the original; set `pixels_only` where they
    must be right in every chain.

    `severity`: Greatest magnitude, of 10. 1 to 10. Default 3.

    `mixture_width`: How many chains. 1 to 32. Default 3.

    `chain_depth`: Ops of each chain. Default 0: 1 to 3, drawn for each. 0 to 32.

    `alpha`: Of the Dirichlet distributions that weights are drawn from: small ones favour one chain, large ones mix
    evenly. 0.01 to 1000. Default 1.

    `all_ops`: Brightness, colour, contrast and sharpness too. Default true.

    `pixels_only`: Only ops that leave every pixel in its place: no shear, translation or rotation. Default false.

    `filter`: How moved pixels are computed: nearest or bilinear. One of `nearest`, `nearest_exact`, `bilinear`,
    `bicubic`, `box`, `lanczos3`. Default bilinear.

    `fill`: Colour beyond the edge per channel, at the scale of the image that comes in. Absent: black, which bilinear
    mixing takes in once where a colour is taken in twice, as torchvision does. 3 of them.

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "aug_mix"

    def __init__(
        self,
        *,
        severity: int | None = None,
        mixture_width: int | None = None,
        chain_depth: int | None = None,
        alpha: float | None = None,
        all_ops: bool | None = None,
        pixels_only: bool | None = None,
        filter: Literal["nearest", "nearest_exact", "bilinear", "bicubic", "box", "lanczos3"] | None = None,
        fill: abc.Sequence[float] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(severity=severity, mixture_width=mixture_width, chain_depth=chain_depth, alpha=alpha, all_ops=all_ops, pixels_only=pixels_only, filter=filter, fill=fill, p=p)


class TimmAugment(Op):
    """A policy as timm spells it. A policy as timm spells it, with Pillow's ops. 8 bits only.

    `policy`: Parts joined by dashes, the first of which is the policy, as for timm's `--aa`: - `rand`: RandAugment.
    `m9` magnitude (default 10), `n2` number of ops (2), `p0.5` probability of each (0.5), `mstd0.5` standard
    deviation of the magnitude (above 100: uniform from 0 to the magnitude), `mmax15` greatest magnitude (10), `inc1`
    ops whose effect grows with the magnitude, `tweights`, `t3a` or `t3aw` another set of ops. - `augmix`: AugMix.
    `m3` magnitude, `w3` chains, `d2` ops of each (default 1 to 3), `a1` of the distributions of the weights, `b1`
    blend chain by chain, `mstd0.5` (default: uniform from 0 to the magnitude). - `original`, `originalr`, `v0`,
    `v0r`, `3a`: AutoAugment. `mstd0.5`. Required.

    `filter`: How moved pixels are computed: bilinear or bicubic. Absent: one of the two, drawn each time. One of
    `nearest`, `nearest_exact`, `bilinear`, `bicubic`, `box`, `lanczos3`.

    `fill`: Colour beyond the edge per channel: timm's `img_mean`. Its `create_transform` makes it of the mean, [124,
    116, 104] for ImageNet's. 3 of them. Default [128, 128, 128].

    `translate_pct`: Greatest translation at magnitude 10, as a fraction of the side. Absent: 0.45, and 0.3 with
    `augmix`, as timm's `create_transform` has it. 0 to 1.

    `fill_mask`: Class beyond the edge of masks. Default 0. 0 to 255.

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "timm_augment"

    def __init__(
        self,
        policy: str,
        *,
        filter: Literal["nearest", "nearest_exact", "bilinear", "bicubic", "box", "lanczos3"] | None = None,
        fill: abc.Sequence[float] | None = None,
        translate_pct: float | None = None,
        fill_mask: int | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(policy=policy, filter=filter, fill=fill, translate_pct=translate_pct, fill_mask=fill_mask, p=p)


class HistogramMatching(Op):
    """Give each channel the histogram of an image of the dataset. Give each channel the histogram of a reference image:
    albumentations' HistogramMatching.

    `references`: Indices of samples of the split, 1 to 16; one is drawn per row. Stretched to the size of the image
    that it is applied to. From 1; at most 16. Required.

    `blend_ratio`: Weight of the matched image; the rest is the image as it was. 0 to 1. Default [0.5, 1].

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "histogram_matching"

    def __init__(
        self,
        references: abc.Sequence[int],
        *,
        blend_ratio: abc.Sequence[float] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(references=references, blend_ratio=blend_ratio, p=p)


class Fda(Op):
    """Give the low frequencies the amplitudes of those of an image of the dataset. Give the low frequencies of the image
    the amplitudes of a reference image, and keep their phases: Fourier domain adaptation, albumentations' FDA.

    `references`: Indices of samples of the split, 1 to 16; one is drawn per row. Stretched to the size of the image
    that it is applied to. From 1; at most 16. Required.

    `beta_limit`: Half of the side of the square of frequencies that are changed, as a fraction of the image's shorter
    side. Beyond 0.1 the time grows with its square. 0 to 0.5. Default [0, 0.1].

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "fda"

    def __init__(
        self,
        references: abc.Sequence[int],
        *,
        beta_limit: abc.Sequence[float] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(references=references, beta_limit=beta_limit, p=p)


class PixelDistributionAdaptation(Op):
    """Give the colours the distribution of those of an image of the dataset. Give the colours of the image the
    distribution of those of a reference image: albumentations' PixelDistributionAdaptation.

    `references`: Indices of samples of the split, 1 to 16; one is drawn per row. Stretched to the size of the image
    that it is applied to. From 1; at most 16. Required.

    `transform_type`: What is taken over. One of `pca`, `standard`, `minmax`. Default pca.

    `blend_ratio`: Weight of the adapted image; the rest is the image as it was. 0 to 1. Default [0.25, 1].

    `p`: Probability. 0 to 1. Default 0.5.
    """

    _name = "pixel_distribution_adaptation"

    def __init__(
        self,
        references: abc.Sequence[int],
        *,
        transform_type: Literal["pca", "standard", "minmax"] | None = None,
        blend_ratio: abc.Sequence[float] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(references=references, transform_type=transform_type, blend_ratio=blend_ratio, p=p)


class Onnx(Op):
    """Run a model of the server that makes an image of an image. Run a model of the server that makes an image of an
    image of the same size and channels, such as a neural style transfer, on images of one size. It takes and gives
    one tensor of 32-bit floats [1, channels, height, width]; dimensions that have a name in place of a size take that
    of the images. Only on servers built with the feature `onnx`. What it makes may differ between machines in the
    last bits, so `Describe` says that the loader is not bit-exact.

    `model`: Name of an ONNX file in the server's folder of models, such as mosaic.onnx. Required.

    `digest`: BLAKE3 of the file in 64 hex digits. When set, a file with another one is refused; the resolved spec has
    it always.

    `scale`: What the model takes for full brightness: 1 for values from 0 to 1, 255 for 0 to 255. Above 0. Default 1.

    `mean`: Subtracted from values at that scale; one number, or one per channel. At most 3. Default [0].

    `std`: What the rest is divided by; one number, or one per channel. Above 0; at most 3. Default [1].

    `output_scale`: What the model gives for full brightness. Absent: as `scale`. Above 0.

    `output_mean`: Added to what it gives, multiplied by `output_std`, at that scale. Absent: as `mean`. At most 3.

    `output_std`: What its output is multiplied by. Absent: as `std`. Above 0; at most 3.

    `p`: Probability. 0 to 1. Default 1.
    """

    _name = "onnx"

    def __init__(
        self,
        model: str,
        *,
        digest: str | None = None,
        scale: float | None = None,
        mean: abc.Sequence[float] | None = None,
        std: abc.Sequence[float] | None = None,
        output_scale: float | None = None,
        output_mean: abc.Sequence[float] | None = None,
        output_std: abc.Sequence[float] | None = None,
        p: float | None = None,
    ) -> None:
        super().__init__(model=model, digest=digest, scale=scale, mean=mean, std=std, output_scale=output_scale, output_mean=output_mean, output_std=output_std, p=p)


class CutMix(MixingKind):
    """A box of one image is pasted into another. CutMix (Yun et al., 2019). The box has sides sqrt(1 - lambda) of the
    image's, its centre uniform, cut at the edges; lambda is then corrected to the area pasted. As torchvision's
    CutMix.

    `alpha`: lambda is drawn from Beta(alpha, alpha); 1 is uniform. Above 0, to 1000. Default 1.

    `p`: Probability that a row (or batch) is mixed. 0 to 1. Default 1.

    `per`: What is drawn once. One of `row`, `batch`. Default row.
    """

    _name = "cutmix"

    def __init__(
        self,
        *,
        alpha: float | None = None,
        p: float | None = None,
        per: Literal["row", "batch"] | None = None,
    ) -> None:
        super().__init__(alpha=alpha, p=p, per=per)


class MixUp(MixingKind):
    """Two images are blended. MixUp (Zhang et al., 2017): lambda of the row and 1 - lambda of its partner, pixels and
    labels alike. As torchvision's MixUp.

    `alpha`: lambda is drawn from Beta(alpha, alpha); 1 is uniform. Above 0, to 1000. Default 0.2.

    `p`: Probability that a row (or batch) is mixed. 0 to 1. Default 1.

    `per`: What is drawn once. One of `row`, `batch`. Default row.
    """

    _name = "mixup"

    def __init__(
        self,
        *,
        alpha: float | None = None,
        p: float | None = None,
        per: Literal["row", "batch"] | None = None,
    ) -> None:
        super().__init__(alpha=alpha, p=p, per=per)


class CutMixOrMixUp(MixingKind):
    """One of the two, drawn each time. CutMix or MixUp, drawn each time, as timm's Mixup with both and torchvision's
    RandomChoice of the two. Both must be drawn per row, or both per batch.

    `cutmix`: How it is cut. Absent: its defaults.

    `mixup`: How it is blended. Absent: its defaults.

    `switch_prob`: Probability of CutMix; MixUp has the rest. Each is then applied with its own `p`. 0 to 1. Default
    0.5.
    """

    _name = "cutmix_or_mixup"

    def __init__(
        self,
        *,
        cutmix: Message | None = None,
        mixup: Message | None = None,
        switch_prob: float | None = None,
    ) -> None:
        super().__init__(cutmix=cutmix, mixup=mixup, switch_prob=switch_prob)


class Mosaic(MixingKind):
    """Four images are put together around a centre. Mosaic (Bochkovskiy et al., 2020, YOLOv4), of images of the size
    that the pipeline leaves. A centre is drawn, and each quadrant shows one image, unscaled, with the corner that is
    opposite to the quadrant's own at the centre: the left upper quadrant the right lower part of its image. The row
    itself is at the left upper, its three partners at the right upper, left lower and right lower; none is there
    twice unless the group has fewer than four rows. A label has the share of its quadrant's pixels. Boxes and
    keypoints move with their image. A box is cut to the quadrant and then kept or not as `BoxRules` say; a keypoint
    out of its quadrant is out of the image.

    `p`: Probability that a row (or batch) is a mosaic. 0 to 1. Default 1.

    `center_range`: Where the centre may be, as shares of width and height, each drawn uniformly (albumentations'
    Mosaic). 0 to 1. Default [0.3, 0.7].

    `per`: What is drawn once. Per batch a row's partners are the three before it in its group. One of `row`, `batch`.
    Default row.
    """

    _name = "mosaic"

    def __init__(
        self,
        *,
        p: float | None = None,
        center_range: abc.Sequence[float] | None = None,
        per: Literal["row", "batch"] | None = None,
    ) -> None:
        super().__init__(p=p, center_range=center_range, per=per)


class CopyPaste(MixingKind):
    """Objects of one image are pasted into another. CopyPaste (Ghiasi et al., 2021): objects of one partner are pasted
    into the row at the place where they are. It is drawn after the pipeline, which the partner's image has gone
    through as the row's has: jitter of scale and flips of what is pasted are those of ops like `random_scale`,
    `random_crop` and `horizontal_flip` there, as in the recipe of Simple Copy-Paste, which jitters and flips both
    images and then pastes. Wants `boxes` among the targets, each of which is an object, and takes no keypoints. An
    object has the pixels whose centres lie in its box; with masks those of them where a mask is not 0, and one
    without any is not pasted. Its box and the values of the masks come with it. Of the row's own boxes one goes if it
    is wholly covered, or if a smaller share of its pixels than `BoxRules.min_visibility` is left; the others stay
    unchanged. Labels stay classes of rows.

    `p`: Probability that something is pasted into a row. 0 to 1. Default 1.

    `max_objects`: Most objects that are pasted into a row. 1 to 10000. Default 10.

    `object_p`: Probability that an object of the partner is pasted. 0 to 1. Default 0.5.
    """

    _name = "copy_paste"

    def __init__(
        self,
        *,
        p: float | None = None,
        max_objects: int | None = None,
        object_p: float | None = None,
    ) -> None:
        super().__init__(p=p, max_objects=max_objects, object_p=object_p)


class Views(Message):
    """Several views of every sample. The ops of `LoaderSpec.pipeline` run once per sample, but for a `to_float` and
    `normalize` at its end; from what they leave every group makes its views, and then those last two run on each
    view. Every group is a tensor of its own: row r of it is view `r % views` of the batch's sample `r / views`
    (`Tensor.views`). With `LoaderSpec.targets` each view is a row with annotations of its own, moved by its own ops;
    the names of a group's tensors of them end as that of its images does: `boxes` and `mask` beside `image`,
    `boxes_local` and `mask_local` beside `image_local`.

    `count`: Copies of every sample by the whole pipeline, each with draws of its own, in the tensor `image`. Either
    this or `groups`. 0 to 256.

    `groups`: Groups of views, such as the global and the local crops of DINO. At most 16.
    """

    _name = "views"

    def __init__(
        self,
        *,
        count: int | None = None,
        groups: abc.Sequence[Message] | None = None,
    ) -> None:
        super().__init__(count=count, groups=groups)


class ViewGroup(Message):
    """Views of one size, in one tensor.

    `name`: Its tensor is called `image` when this is empty, else `image_` and this: lower-case letters, digits and
    underscores. So are those of its annotations: `boxes`, or `boxes_` and this.

    `count`: Copies of every sample by `ops`, each with draws of its own. 1 to 256. Default 1.

    `test_time`: Views that are fixed, as test-time augmentation wants them. Default none. One of `flip`, `flips`,
    `d4`, `five_crop`, `ten_crop`.

    `height`: Height of the crops of `five_crop` and `ten_crop` in pixels. 0 to 16384.

    `width`: Width of the crops of `five_crop` and `ten_crop` in pixels. 0 to 16384.

    `ops`: Ops of every view, after those that make it. Several sizes of one image (scales) are several groups with a
    `resize` each.
    """

    _name = "view_group"

    def __init__(
        self,
        *,
        name: str | None = None,
        count: int | None = None,
        test_time: Literal["flip", "flips", "d4", "five_crop", "ten_crop"] | None = None,
        height: int | None = None,
        width: int | None = None,
        ops: abc.Sequence[Op] | None = None,
    ) -> None:
        super().__init__(name=name, count=count, test_time=test_time, height=height, width=width, ops=ops)


class BoxRules(Message):
    """Which boxes stay: as albumentations' BboxParams with check_each_transform. After every op that is applied, a box
    is clipped to the image, and goes if one of these does not hold, or nothing of it is left. CutMix counts as an op:
    what it leaves of a row's box is what is not pasted over, and of the partner's box what is in the window. So does
    a mosaic, which leaves of a box what is in its quadrant. MixUp keeps the boxes of both.

    `min_area`: Least area in square pixels. Default 0. 0 to 1000000000000.

    `min_visibility`: Least share of a box's area that is still inside of the image after an op, of what the op was
    given. Default 0. 0 to 1.

    `min_width`: Least width in pixels. Default 0. 0 to 1000000.

    `min_height`: Least height in pixels. Default 0. 0 to 1000000.

    `clip`: Clip boxes of the dataset that reach beyond their image. Default false.
    """

    _name = "box_rules"

    def __init__(
        self,
        *,
        min_area: float | None = None,
        min_visibility: float | None = None,
        min_width: float | None = None,
        min_height: float | None = None,
        clip: bool | None = None,
    ) -> None:
        super().__init__(min_area=min_area, min_visibility=min_visibility, min_width=min_width, min_height=min_height, clip=clip)


class KeypointRules(Message):
    """What becomes of keypoints.

    `remove_invisible`: Remove keypoints that are out of the image, as albumentations' KeypointParams does unless told
    otherwise. Default false.

    `flip_pairs`: Keypoints that trade names when the image is mirrored, such as left and right eye: ids are swapped,
    and places in the row with them. Default none. At most 256.
    """

    _name = "keypoint_rules"

    def __init__(
        self,
        *,
        remove_invisible: bool | None = None,
        flip_pairs: abc.Sequence[Message] | None = None,
    ) -> None:
        super().__init__(remove_invisible=remove_invisible, flip_pairs=flip_pairs)


class FlipPair(Message):
    """Two keypoints, each by its name in the dataset's `keypoint_names` or by its id in digits.

    `left`: The one on the left. Required.

    `right`: The one on the right. Required.
    """

    _name = "flip_pair"

    def __init__(
        self,
        left: str,
        right: str,
    ) -> None:
        super().__init__(left=left, right=right)


class Mixing(Message):
    """Mixing of rows of the same batch. Labels become one vector of FP32 class weights per row, but with `copy_paste`,
    which leaves them alone.

    `group_size`: A row's partner is another row of the same group: consecutive rows of the global batch. A group of
    one stays unmixed. 1 to 4096. Default 16.

    `off_from_epoch`: First epoch without mixing, counted from 0 (timm's mixup_off_epoch). Labels stay vectors of
    class weights. Absent: never off. From 0.

    `label_smoothing`: Label smoothing, mixed rows or not: every class gets this share of the weight, divided by the
    number of classes, and the row's own classes the rest (timm, torch's CrossEntropyLoss). Not with `copy_paste`. 0
    to 1. Default 0.
    """

    _name = "mixing"

    def __init__(
        self,
        kind: MixingKind,
        *,
        group_size: int | None = None,
        off_from_epoch: int | None = None,
        label_smoothing: float | None = None,
    ) -> None:
        super().__init__(group_size=group_size, off_from_epoch=off_from_epoch, label_smoothing=label_smoothing, **{kind._name: kind})
