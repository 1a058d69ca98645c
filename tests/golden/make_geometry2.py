"""Writes the golden files of transpositions, padding, sizes that keep their ratio, warps and detection crops
(tests/data/golden/<op>): what albumentations (OpenCV) and torchvision make of small, difficult images and of what is marked on
them. Run it again only to add cases: the files are committed.

pip install torch==2.15.0 torchvision==0.29.2 albumentations==2.0.8 opencv-python-headless==4.11.0.86 numpy==2.4.6 \
    scikit-image==0.26.0

torch computes the same everywhere only with ATEN_CPU_CAPABILITY=default, which this script sets.
"""

import os

os.environ["ATEN_CPU_CAPABILITY"] = "default"

import warnings

import albumentations as A
import cv2
import numpy as np
import torch
from albumentations.augmentations.geometric import functional as geometric
from torchvision import tv_tensors
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as tv

import common
from common import checker, noise, photo, pixel, primaries, producer, ramp, save

common.require(
    torch="2.15.0",
    torchvision="0.29.2",
    albumentations="2.0.8",
    opencv_python_headless="4.11.0.86",
    numpy="2.4.6",
    scikit_image="0.26.0",
)
ALBUMENTATIONS = producer("albumentations")
OPENCV = producer("opencv-python-headless")
TORCHVISION = producer("torchvision")
# Boxes are moved although they leave the image, and nothing is dropped.
warnings.filterwarnings("ignore")

OPS = ["transpose", "d4", "pad", "pad_if_needed", "longest_max_size", "smallest_max_size", "letterbox", "affine", "rotate"]
OPS += ["shift_scale_rotate", "perspective", "elastic", "grid_distortion", "optical_distortion", "random_scale"]
OPS += ["random_sized_crop", "random_iou_crop", "random_zoom_out"]
# Ops whose pixels make_geometry.py has cases of, and this script those of what is marked on them.
MARKED = ["horizontal_flip", "vertical_flip", "rot90", "center_crop", "resize"]
for op in [*OPS, *MARKED]:
    common.clear(op)
FLAGS = {"nearest": cv2.INTER_NEAREST, "bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}
MODES = {"nearest": InterpolationMode.NEAREST, "bilinear": InterpolationMode.BILINEAR}
BORDERS = {
    "constant": cv2.BORDER_CONSTANT,
    "edge": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT_101,
    "symmetric": cv2.BORDER_REFLECT,
}


def floats(image):
    """The image in [0, 1]."""
    return image.astype(np.float32) / np.float32(255)


def chw(image):
    """A torch tensor, channels first."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


def hwc(tensor):
    """An array, channels last."""
    return tensor.numpy().transpose(1, 2, 0)


def marks(image):
    """Boxes, keypoints and a mask that fit the image."""
    height, width = image.shape[:2]
    middle_x, middle_y = width // 2, height // 2
    # Albumentations drops boxes that leave the image: these do not.
    boxes = [[2, 1, width - 3, middle_y], [middle_x, 3, width, height], [middle_x - 2, middle_y - 1, middle_x, middle_y + 1]]
    keypoints = [[1, 2], [width - 1, 0], [width / 2, height - 1.5]]
    mask = np.zeros((height, width), np.uint8)
    for at, (x_min, y_min, x_max, y_max) in enumerate(boxes, start=1):
        mask[y_min:y_max, x_min:x_max] = at
    return boxes, keypoints, mask


def composed(transform, image):
    """What an albumentations transform makes of an image and of what is marked on it. Boxes may leave the image."""
    boxes, keypoints, mask = marks(image)
    out = A.Compose([transform], keypoint_params=A.KeypointParams("xy", remove_invisible=False), seed=1)(
        image=image, mask=mask, keypoints=keypoints
    )
    return out, keypoints, mask


def moved_boxes(transform, image):
    """The boxes, moved by the transform's own method: Compose would clip them or refuse."""
    boxes = np.array(marks(image)[0], np.float64)
    height, width = image.shape[:2]
    transform.set_random_seed(1)
    params = transform.get_params()
    params = transform.update_transform_params(params, {"image": image})
    params.update(transform.get_params_dependent_on_data(params, {"image": image}))
    normal = boxes / [width, height, width, height]
    moved = np.asarray(transform.apply_to_bboxes(normal, **params), np.float64)[:, :4]
    return boxes.tolist(), moved


def marked(case, op, transform, image, tolerance=0, boxes=True, keypoint_tolerance=1e-4, params=None, share=None, **more):
    """Save what albumentations makes of an image, its boxes, keypoints and mask."""
    out, keypoints, mask = composed(transform, image)
    expected = out["image"].reshape(*out["image"].shape[:2], image.shape[2])
    annotations = {"keypoints": keypoints, "tolerance": keypoint_tolerance, "mask_share": more.pop("mask_share", 0.0)}
    annotations["expected_keypoints"] = np.asarray(out["keypoints"], np.float64).tolist()
    if boxes:
        before, after = moved_boxes(transform, image)
        height, width = expected.shape[:2]
        annotations["boxes"] = before
        annotations["expected_boxes"] = (after * [width, height, width, height]).tolist()
    full = 1.0 if image.dtype == np.float32 else None
    save(
        case,
        ALBUMENTATIONS,
        [op],
        image,
        expected,
        tolerance=tolerance,
        full=full,
        share=share,
        params=params,
        annotations=annotations,
        mask=(mask, out["mask"]),
        **more,
    )


def plain(case, op, transform, image, tolerance=0, share=None, params=None):
    """Save what albumentations makes of an image alone."""
    expected = A.Compose([transform], seed=1)(image=image)["image"]
    expected = expected.reshape(*expected.shape[:2], image.shape[2])
    full = 1.0 if image.dtype == np.float32 else None
    save(case, ALBUMENTATIONS, [op], image, expected, tolerance=tolerance, full=full, share=share, params=params)


def torch_marks(image, change, shift=0.5):
    """Annotations for torchvision, whose keypoints are points of the plane: half a pixel aside of ours."""
    boxes, keypoints, mask = marks(image)
    size = image.shape[:2]
    box_type = tv_tensors.BoundingBoxes(
        torch.tensor(boxes, dtype=torch.float64), format="XYXY", canvas_size=size, clamping_mode=None
    )
    point_type = tv_tensors.KeyPoints(torch.tensor(keypoints, dtype=torch.float64) + shift, canvas_size=size)
    annotations = {
        "boxes": boxes,
        "expected_boxes": change(box_type).tolist(),
        "keypoints": keypoints,
        "expected_keypoints": (change(point_type) - shift).tolist(),
        "tolerance": 1e-3,
        "mask_share": 2e-3,
    }
    return annotations, (mask, change(tv_tensors.Mask(torch.from_numpy(mask))).numpy())


def simple():
    images = {"noise": noise(9, 14), "gray": noise(37, 45, 1), "pixel": pixel(), "floats": floats(noise(7, 9))}
    for name, image in images.items():
        if name == "pixel":
            plain(f"transpose/{name}", {"transpose": {"p": 1}}, A.Transpose(p=1), image)
        else:
            marked(f"transpose/{name}", {"transpose": {"p": 1}}, A.Transpose(p=1), image)
    for at, element in enumerate(["e", "r90", "r180", "r270", "v", "hvt", "h", "t"]):
        image = noise(9, 14, 3 if at % 2 else 1)
        boxes, keypoints, mask = marks(image)
        height, width = image.shape[:2]
        normal = np.array(boxes) / [width, height, width, height]
        points = np.column_stack([keypoints, np.zeros((3, 3))])
        expected = geometric.d4(image, element)
        expected_boxes = geometric.bboxes_d4(normal, element)
        out_height, out_width = expected.shape[:2]
        annotations = {
            "boxes": boxes,
            "expected_boxes": (expected_boxes * [out_width, out_height, out_width, out_height]).tolist(),
            "keypoints": keypoints,
            "expected_keypoints": geometric.keypoints_d4(points, element, image.shape[:2])[:, :2].tolist(),
            "tolerance": 1e-9,
        }
        expected_mask = np.ascontiguousarray(geometric.d4(mask, element))
        save(
            f"d4/{element}",
            ALBUMENTATIONS,
            [{"d4": {}}],
            image,
            expected,
            params=[(0, "d4", at)],
            annotations=annotations,
            mask=(mask, expected_mask),
        )


def existing():
    """Annotations for MARKED."""
    image = noise(11, 16)
    marked("horizontal_flip/marked", {"horizontal_flip": {"p": 1}}, A.HorizontalFlip(p=1), image, keypoint_tolerance=1e-5)
    marked("vertical_flip/marked", {"vertical_flip": {"p": 1}}, A.VerticalFlip(p=1), image, keypoint_tolerance=1e-5)
    op = {"center_crop": {"height": 7, "width": 9, "centre": "floor"}}
    marked("center_crop/marked", op, A.CenterCrop(7, 9), image, keypoint_tolerance=1e-4)
    # Keypoints of albumentations' resize are multiplied, not moved with the middles of pixels: up to half a step aside.
    op = {"resize": {"height": 22, "width": 32, "antialias": False}}
    marked("resize/marked", op, A.Resize(22, 32), image, tolerance=1, keypoint_tolerance=0.51)
    for turns in range(4):
        change = lambda x: tv.rotate(x, 90.0 * turns, expand=True)  # noqa: E731
        boxes, _, mask = marks(image)
        annotations, masks = torch_marks(image, change)
        annotations["mask_share"] = 0
        save(
            f"rot90/marked_{turns}",
            TORCHVISION,
            [{"rot90": {"turns": [turns]}}],
            image,
            np.rot90(image, turns),
            annotations=annotations,
            mask=(mask, np.rot90(mask, turns)),
        )


def padding():
    for border, flag in BORDERS.items():
        fill = [10, 20, 30] if border == "constant" else [0, 0, 0]
        for name, image, sides in [("sides", noise(9, 11), [3, 1, 4, 2]), ("more_than_there_is", primaries(), [9, 8, 9, 8])]:
            op = {"pad": {"padding": sides, "border": border, "fill": fill, "fill_mask": 7}}
            transform = A.Pad(tuple(sides), border_mode=flag, fill=tuple(fill), fill_mask=7, p=1)
            if border in ("constant", "edge"):
                marked(f"pad/{border}_{name}", op, transform, image)
            else:
                plain(f"pad/{border}_{name}", op, transform, image)
        image = noise(9, 11)
        op = {"pad": {"padding": [3, 2], "border": border, "fill": fill}}
        expected = tv.pad(chw(image), [3, 2], fill=fill if border == "constant" else None, padding_mode=border)
        save(f"pad/torchvision_{border}", TORCHVISION, [op], image, hwc(expected))
    image = floats(noise(4, 5, 1))
    op = {"pad": {"padding": [2], "fill": [0.5, 0.5, 0.5]}}
    save("pad/torchvision_floats_gray", TORCHVISION, [op], image, hwc(tv.pad(chw(image), [2], fill=0.5)), full=1.0)

    image = noise(9, 14)
    for position in ["center", "top_left", "top_right", "bottom_left", "bottom_right"]:
        fields = {"min_height": 14, "min_width": 19, "position": position, "fill": [1, 2, 3], "fill_mask": 9}
        transform = A.PadIfNeeded(14, 19, position=position, fill=(1, 2, 3), fill_mask=9)
        marked(f"pad_if_needed/{position}", {"pad_if_needed": fields}, transform, image)
    for name, image in [("divisors", noise(9, 14, 1)), ("floats", floats(noise(9, 16)))]:
        transform = A.PadIfNeeded(None, None, 8, 8, border_mode=cv2.BORDER_REFLECT_101)
        op = {"pad_if_needed": {"height_divisor": 8, "width_divisor": 8, "border": "reflect"}}
        plain(f"pad_if_needed/{name}", op, transform, image)
    op = {"pad_if_needed": {"min_height": 4, "min_width": 20}}
    plain("pad_if_needed/one_side", op, A.PadIfNeeded(4, 20), noise(9, 14))


def sizes():
    images = {"noise": noise(11, 15), "high": noise(15, 6), "gray": noise(13, 9, 1), "pixel": pixel()}
    images |= {"primaries": primaries(), "photo": photo(14, 19), "floats": floats(noise(6, 9))}
    for op, transform in [("longest_max_size", A.LongestMaxSize), ("smallest_max_size", A.SmallestMaxSize)]:
        for name, image in images.items():
            for length in [5, 17]:
                case = {op: {"max_size": [length], "antialias": False}}
                tolerance = 2e-6 if name == "floats" else 1
                plain(f"{op}/{name}_{length}", case, transform(max_size=length), image, tolerance=tolerance)
        case = {op: {"max_height": 21, "max_width": 13, "antialias": False}}
        plain(f"{op}/each", case, transform(max_size_hw=(21, 13)), images["noise"], tolerance=1)
        # Keypoints are multiplied there: up to half a step aside.
        case = {op: {"max_size": [22], "antialias": False}}
        transform = transform(max_size=22)
        marked(f"{op}/marked", case, transform, noise(11, 16), tolerance=1, keypoint_tolerance=0.51, mask_share=0.1)

    for name, image in images.items():
        fill = 114 / 255 if name == "floats" else 114
        for height, width in [(16, 16), (9, 30)]:
            transform = A.Compose(
                [
                    A.LongestMaxSize(max_size_hw=(height, width)),
                    A.PadIfNeeded(height, width, fill=fill, border_mode=cv2.BORDER_CONSTANT),
                ]
            )
            expected = transform(image=image)["image"].reshape(height, width, image.shape[2])
            op = {"letterbox": {"height": height, "width": width, "antialias": False}}
            full = 1.0 if name == "floats" else None
            tolerance = 2e-6 if name == "floats" else 1
            save(f"letterbox/{name}_{height}x{width}", ALBUMENTATIONS, [op], image, expected, tolerance=tolerance, full=full)
    image = noise(20, 30)
    boxes, _, mask = marks(image)
    transform = A.Compose([A.LongestMaxSize(max_size_hw=(10, 24)), A.PadIfNeeded(10, 24, fill=114, fill_mask=3)], bbox_params=A.BboxParams("pascal_voc", label_fields=[]))
    out = transform(image=image, mask=mask, bboxes=boxes)
    # OpenCV takes the nearest pixel of a mask at the corner, not at the middle.
    annotations = {"boxes": boxes, "expected_boxes": np.array(out["bboxes"]).tolist(), "tolerance": 1e-4, "mask_share": 0.15}
    op = {"letterbox": {"height": 10, "width": 24, "antialias": False, "fill_mask": 3}}
    save("letterbox/marked", ALBUMENTATIONS, [op], image, out["image"], tolerance=1, annotations=annotations, mask=(mask, out["mask"]))

    for name, image in images.items():
        if name != "pixel":
            for scale in [0.61, 1.7]:
                op = {"random_scale": {"scale": [scale, scale], "antialias": False, "p": 1}}
                transform = A.RandomScale((scale - 1, scale - 1), p=1)
                tolerance = 2e-6 if name == "floats" else 1
                plain(f"random_scale/{name}_{scale}", op, transform, image, tolerance=tolerance)

    image = noise(20, 30)
    for name, image in [("noise", noise(20, 30)), ("gray", noise(20, 30, 1)), ("floats", floats(noise(20, 30)))]:
        window = {"x": 7, "y": 3, "size": {"width": 15, "height": 12}}
        expected = cv2.resize(np.ascontiguousarray(image[3:15, 7:22]), (9, 8), interpolation=cv2.INTER_LINEAR)
        fields = {"height": 8, "width": 9, "min_max_height": [12, 12], "w2h_ratio": 1.25, "antialias": False}
        expected = expected.reshape(8, 9, image.shape[2])
        params = [(0, "random_sized_crop", window)]
        full, tolerance = (1.0, 2e-6) if name == "floats" else (None, 1)
        op = [{"random_sized_crop": fields}]
        save(f"random_sized_crop/{name}", OPENCV, op, image, expected, tolerance=tolerance, params=params, full=full)


def affine_transform(filter="bilinear", border="constant", fill=0, fill_mask=0, **fields):
    return A.Affine(
        interpolation=FLAGS[filter],
        border_mode=BORDERS[border],
        fill=fill,
        fill_mask=fill_mask,
        p=1,
        **fields,
    )


def motions():
    """Fields of the contract and of albumentations that say the same."""
    return {
        "turn": ({"rotate": [30, 30]}, {"rotate": (30, 30)}),
        "shrink": ({"scale": [0.6, 0.6], "scale_y": [1.3, 1.3]}, {"scale": {"x": (0.6, 0.6), "y": (1.3, 1.3)}}),
        "shear": (
            {"shear_x": [14, 14], "shear_y": [-9, -9]},
            {"shear": {"x": (14, 14), "y": (-9, -9)}},
        ),
        "all": (
            {
                "rotate": [-217, -217],
                "scale": [1.25, 1.25],
                "keep_ratio": True,
                "translate_px_x": [3, 3],
                "translate_px_y": [-2, -2],
                "shear_x": [8, 8],
            },
            {
                "rotate": (-217, -217),
                "scale": (1.25, 1.25),
                "keep_ratio": True,
                "translate_px": {"x": (3, 3), "y": (-2, -2)},
                "shear": {"x": (8, 8), "y": (0, 0)},
            },
        ),
        "move": (
            {"translate_x": [0.2, 0.2], "translate_y": [-0.15, -0.15]},
            {"translate_percent": {"x": (0.2, 0.2), "y": (-0.15, -0.15)}},
        ),
    }


def affine():
    for name, (fields, theirs) in motions().items():
        kinds = [("bilinear", noise(13, 18)), ("nearest", noise(13, 18, 1)), ("bilinear", photo(20, 28))]
        for filter, image in kinds if name == "all" else kinds[:2]:
            fill = [9, 8, 7] if image.shape[2] == 3 else [9, 9, 9]
            op = {"affine": {**fields, "filter": filter, "fill": fill, "fill_mask": 5, "p": 1}}
            transform = affine_transform(filter, fill=tuple(fill[: image.shape[2]]), fill_mask=5, **theirs)
            kind = "photo" if len(image) == 20 else "noise"
            marked(f"affine/{name}_{filter}_{kind}", op, transform, image, share=1e-3, keypoint_tolerance=2e-4, mask_share=2e-3)
    fields, theirs = motions()["all"]
    for border in BORDERS:
        for filter in ["bilinear", "bicubic"] if border in ("constant", "reflect") else ["bilinear"]:
            for name, image in [("noise", noise(11, 13)), ("gray", noise(9, 14, 1)), ("floats", floats(noise(6, 7)))]:
                if name == "gray" and border != "constant":
                    continue
                op = {"affine": {**fields, "filter": filter, "border": border, "p": 1}}
                tolerance = (2e-6 if name == "floats" else 1) if filter == "bicubic" else (1e-6 if name == "floats" else 0)
                transform = affine_transform(filter, border, **theirs)
                plain(f"affine/{border}_{filter}_{name}", op, transform, image, tolerance=tolerance, share=1e-3)
    for name, image in [("pixel", pixel()), ("checker", checker()), ("ramp", ramp())]:
        fields, theirs = motions()["turn"]
        plain(f"affine/{name}", {"affine": {**fields, "p": 1}}, affine_transform(**theirs), image, share=1e-3)
    op = {"affine": {**fields, "rotate_method": "ellipse", "p": 1}}
    transform = affine_transform(rotate_method="ellipse", **theirs)
    marked("affine/ellipse", op, transform, noise(17, 24), share=1e-3, keypoint_tolerance=1e-3, mask_share=2e-3)

    for angle in [-90, 33, 135]:
        for filter in ["bilinear", "nearest"]:
            op = {"rotate": {"degrees": [angle, angle], "filter": filter, "border": "edge", "p": 1}}
            transform = A.Rotate((angle, angle), FLAGS[filter], cv2.BORDER_REPLICATE, p=1)
            # At a right angle every place of the nearest is on the line between two.
            share = 0.1 if angle == -90 and filter == "nearest" else 1e-3
            name = f"rotate/albumentations_{angle}_{filter}"
            marked(name, op, transform, noise(13, 18), share=share, keypoint_tolerance=2e-4, mask_share=max(share, 5e-3))
    op = {"rotate": {"degrees": [33, 33], "rotate_method": "ellipse", "p": 1}}
    transform = A.Rotate((33, 33), rotate_method="ellipse", p=1)
    marked("rotate/ellipse", op, transform, noise(17, 24, 1), share=1e-3, keypoint_tolerance=1e-3, mask_share=5e-3)
    plain("rotate/floats", {"rotate": {"degrees": [33, 33], "p": 1}}, A.Rotate((33, 33), p=1), floats(noise(9, 7)), 1e-6, 1e-3)

    for name, image in [("noise", noise(17, 24)), ("gray", noise(17, 24, 1)), ("floats", floats(noise(9, 12)))]:
        fields = {"shift_x": [0.1, 0.1], "shift_y": [-0.2, -0.2], "scale": [0.3, 0.3], "rotate": [40, 40], "p": 1}
        transform = A.ShiftScaleRotate(
            shift_limit_x=(0.1, 0.1), shift_limit_y=(-0.2, -0.2), scale_limit=(0.3, 0.3), rotate_limit=(40, 40), p=1
        )
        tolerance = 1e-6 if name == "floats" else 0
        case = f"shift_scale_rotate/{name}"
        op = {"shift_scale_rotate": fields}
        marked(case, op, transform, image, tolerance, share=1e-3, keypoint_tolerance=2e-4, mask_share=5e-3)


def torch_affine():
    cases = {
        "turn": (dict(angle=30.0, translate=[0, 0], scale=1.0, shear=[0.0, 0.0]), {"rotate": [30, 30]}),
        "all": (
            dict(angle=-70.0, translate=[3, -2], scale=0.8, shear=[12.0, -7.0]),
            {
                "rotate": [-70, -70],
                "translate_px_x": [3, 3],
                "translate_px_y": [-2, -2],
                "scale": [0.8, 0.8],
                "shear_x": [12, 12],
                "shear_y": [-7, -7],
            },
        ),
    }
    images = {"noise": noise(13, 18), "gray": noise(13, 18, 1), "floats": floats(noise(9, 10))}
    for name, (theirs, fields) in cases.items():
        for filter, mode in MODES.items():
            for kind, image in images.items():
                fill = [0.0, 0.5, 1.0] if kind == "floats" else [9, 99, 199]
                fill = [9] * 3 if kind == "gray" else fill
                op = {"affine": {"method": "torchvision", **fields, "filter": filter, "fill": fill, "fill_mask": 4, "p": 1}}
                their_fill = fill[: image.shape[2]]
                expected = hwc(tv.affine(chw(image), **theirs, interpolation=mode, fill=their_fill))
                annotations, masks = torch_marks(
                    image, lambda x: tv.affine(x, **theirs, fill=4 if isinstance(x, tv_tensors.Mask) else None)
                )
                tolerance = (1e-4 if kind == "floats" else 1) if filter == "bilinear" else 0
                full = 1.0 if kind == "floats" else None
                case = f"affine/torchvision_{name}_{filter}_{kind}"
                save(
                    case,
                    TORCHVISION,
                    [op],
                    image,
                    expected,
                    tolerance=tolerance,
                    mean_tolerance=0.01 if kind != "floats" else None,
                    share=2e-3 if filter == "nearest" else None,
                    full=full,
                    annotations=annotations,
                    mask=masks,
                )
    for filter, mode in MODES.items():
        image = noise(17, 24)
        op = {"rotate": {"method": "torchvision", "degrees": [25, 25], "filter": filter, "p": 1}}
        expected = hwc(tv.rotate(chw(image), 25.0, interpolation=mode, fill=[0.0, 0.0, 0.0]))
        annotations, masks = torch_marks(image, lambda x: tv.rotate(x, 25.0))
        save(
            f"rotate/torchvision_{filter}",
            TORCHVISION,
            [op],
            image,
            expected,
            tolerance=1 if filter == "bilinear" else 0,
            share=2e-3 if filter == "nearest" else None,
            annotations=annotations,
            mask=masks,
        )


def perspective():
    for kind, image in [("noise", noise(15, 20)), ("gray", noise(15, 20, 1)), ("floats", floats(noise(11, 14)))]:
        height, width = image.shape[:2]
        inwards = np.array([[0.1, 0.13], [0.92, 0.05], [0.85, 0.97], [0.04, 0.9]])
        points = (inwards * [width, height]).astype(np.float32)
        matrix, max_width, max_height = geometric.compute_perspective_params(points.copy(), (height, width))
        boxes, keypoints, mask = marks(image)
        # Edges of boxes are taken for middles of pixels there: half a pixel aside.
        normal = (np.array(boxes) - 0.5) / [width, height, width, height]
        moved = geometric.perspective_bboxes(normal, (height, width), matrix, max_width, max_height, True)
        padded = np.column_stack([keypoints, np.zeros((3, 3))])
        moved_points = geometric.perspective_keypoints(padded, (height, width), matrix, max_width, max_height, True)
        annotations = {
            "boxes": boxes,
            "expected_boxes": (moved * [width, height, width, height] + 0.5).tolist(),
            "keypoints": keypoints,
            "expected_keypoints": moved_points[:, :2].astype(float).tolist(),
            "tolerance": 1e-3,
            "mask_share": 5e-3,
        }
        for filter, border in [("bilinear", "constant"), ("nearest", "edge"), ("bicubic", "reflect")]:
            expected = geometric.perspective(image, matrix, max_width, max_height, 0, BORDERS[border], True, FLAGS[filter])
            expected_mask = geometric.perspective(mask, matrix, max_width, max_height, 0, BORDERS[border], True, FLAGS["nearest"])
            op = {"perspective": {"filter": filter, "border": border, "p": 1}}
            tolerance = {"floats": 2e-6}.get(kind, 1 if filter == "bicubic" else 0)
            save(
                f"perspective/{kind}_{filter}_{border}",
                ALBUMENTATIONS,
                [op],
                image,
                expected.reshape(image.shape),
                tolerance=tolerance,
                share=1e-3,
                full=1.0 if kind == "floats" else None,
                params=[(0, "perspective", {"points": points.astype(float).tolist()})],
                annotations=annotations,
                mask=(mask, expected_mask),
            )
        start = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
        end = [[2, 1], [width - 4, 3], [width - 2, height - 5], [3, height - 1]]
        for filter, mode in MODES.items():
            fill = [7] * 3
            expected = hwc(tv.perspective(chw(image), start, end, mode, fill=[7.0] * image.shape[2]))
            op = {"perspective": {"method": "torchvision", "filter": filter, "fill": fill, "p": 1}}
            annotations, masks = torch_marks(image, lambda x: tv.perspective(x, start, end, fill=None))
            save(
                f"perspective/torchvision_{kind}_{filter}",
                TORCHVISION,
                [op],
                image,
                expected,
                tolerance=(1e-3 if kind == "floats" else 1) if filter == "bilinear" else 0,
                share=2e-3 if filter == "nearest" else None,
                full=1.0 if kind == "floats" else None,
                params=[(0, "perspective", {"points": end})],
                annotations=annotations,
                mask=masks,
            )


def curved_marks(image, map_x, map_y):
    """What the maps of a distortion make of what is marked: boxes and keypoints to whole pixels, so that they are near only."""
    height, width = image.shape[:2]
    boxes = [[5, 4, width - 5, height - 4], [width // 2, 4, width - 4, height // 2 + 1]]
    keypoints = [[6, 5], [width - 6, height - 5]]
    mask = np.zeros((height, width), np.uint8)
    for at, (x_min, y_min, x_max, y_max) in enumerate(boxes, start=1):
        mask[y_min:y_max, x_min:x_max] = at
    # Boxes end at their last column and row there, not at the edges behind them.
    inclusive = np.array(boxes, float) - [0, 0, 1, 1]
    moved = geometric.remap_bboxes(inclusive, map_x, map_y, (height, width))
    points = np.column_stack([keypoints, np.zeros((2, 3))])
    # Of the little cross that stands for a keypoint the middle is taken, not its first pixel.
    middles = []
    for x, y in keypoints:
        spot = np.zeros((height, width), np.uint8)
        cv2.circle(spot, (x, y), 1, 255, -1)
        found = np.argwhere(geometric.remap(spot, map_x, map_y, cv2.INTER_NEAREST, cv2.BORDER_CONSTANT, 0))
        middles.append(found.mean(axis=0)[::-1].tolist())
    annotations = {
        "boxes": boxes,
        "expected_boxes": (moved[:, :4] + [0, 0, 1, 1]).astype(float).tolist(),
        "keypoints": keypoints,
        "expected_keypoints": middles,
        "tolerance": 1.5,
        "mask_share": 5e-3,
    }
    expected_mask = geometric.remap(mask, map_x, map_y, cv2.INTER_NEAREST, cv2.BORDER_CONSTANT, 0)
    return annotations, (mask, expected_mask)


def distortion(case, op, image, maps, params=None, filter="bilinear", share=1e-3):
    expected = geometric.remap(image, *maps, FLAGS[filter], cv2.BORDER_CONSTANT, 0).reshape(image.shape)
    annotations, masks = curved_marks(image, *maps)
    floating = image.dtype == np.float32
    save(
        case,
        ALBUMENTATIONS,
        [op],
        image,
        expected,
        tolerance=1e-6 if floating else 0,
        share=share,
        full=1.0 if floating else None,
        params=params,
        annotations=annotations,
        mask=masks,
    )


def rounded(field):
    """With few digits, so that the files are short."""
    return np.round(field.astype(np.float64), 3).astype(np.float32)


def listed(field):
    """The numbers of a field."""
    return [round(float(x), 3) for x in field.ravel()]


def distortions():
    images = {"noise": noise(13, 16), "gray": noise(14, 17, 1), "floats": floats(noise(12, 15))}
    for kind, image in images.items():
        height, width = image.shape[:2]
        for filter in ["bilinear", "nearest"]:
            dx, dy = geometric.generate_displacement_fields(
                (height, width), 15.0, 3.0, False, (0, 0), np.random.default_rng(3), "gaussian"
            )
            dx, dy = rounded(dx), rounded(dy)
            coordinates = np.stack(np.meshgrid(np.arange(width), np.arange(height)))
            maps = (coordinates + np.stack([dx, dy])).astype(np.float32)
            field = {"seed": 0, "dx": listed(dx), "dy": listed(dy)}
            op = {"elastic": {"alpha": 15, "sigma": 3, "filter": filter, "p": 1}}
            distortion(f"elastic/{kind}_{filter}", op, image, (maps[0], maps[1]), [(0, "elastic", field)], filter)

            steps_x = [0.2, -0.3, 0.1, 0.25, -0.1]
            steps_y = [-0.25, 0.3, 0.05, -0.2, 0.15]
            for normalized in [True, False] if filter == "bilinear" else [True]:
                xs, ys = [1 + x for x in steps_x], [1 + y for y in steps_y]
                if normalized:
                    steps = geometric.normalize_grid_distortion_steps((height, width), 4, xs, ys)
                    xs, ys = steps["steps_x"], steps["steps_y"]
                maps = geometric.generate_grid((height, width), xs, ys, 4)
                fields = {"num_steps": 4, "normalized": normalized, "filter": filter, "p": 1}
                params = [(0, "grid_distortion", {"x": steps_x, "y": steps_y})]
                case = f"grid_distortion/{kind}_{filter}_{'normalized' if normalized else 'as_drawn'}"
                distortion(case, {"grid_distortion": fields}, image, maps, params, filter, share=2e-3)

            for lens, k in [("camera", 0.4), ("camera", -0.2), ("fisheye", 0.3)][: 3 if filter == "bilinear" else 1]:
                function = {"camera": geometric.get_camera_matrix_distortion_maps, "fisheye": geometric.get_fisheye_distortion_maps}
                maps = function[lens]((height, width), k)
                op = {"optical_distortion": {"distort": [k, k], "lens": lens, "filter": filter, "p": 1}}
                distortion(f"optical_distortion/{kind}_{filter}_{lens}_{k}", op, image, maps, None, filter, share=5e-3)

    images = {"noise": noise(9, 12), "gray": noise(9, 13, 1), "floats": floats(noise(8, 11))}
    for kind, image in images.items():
        height, width = image.shape[:2]
        generator = np.random.default_rng(4)
        dx = cv2.GaussianBlur(generator.uniform(-1, 1, (height, width)).astype(np.float32), (0, 0), 2.0) * np.float32(0.4)
        dy = cv2.GaussianBlur(generator.uniform(-1, 1, (height, width)).astype(np.float32), (0, 0), 2.0) * np.float32(0.4)
        dx, dy = rounded(dx), rounded(dy)
        displacement = torch.from_numpy(np.stack([dx, dy], axis=-1)[None])
        field = {"seed": 0, "dx": listed(dx), "dy": listed(dy)}
        for filter, mode in MODES.items():
            expected = hwc(tv.elastic(chw(image), displacement, mode, fill=[5.0] * image.shape[2]))
            op = {"elastic": {"method": "torchvision", "filter": filter, "fill": [5, 5, 5], "p": 1}}
            save(
                f"elastic/torchvision_{kind}_{filter}",
                TORCHVISION,
                [op],
                image,
                expected,
                tolerance=(1e-3 if kind == "floats" else 1) if filter == "bilinear" else 0,
                share=1e-2 if filter == "nearest" else None,
                full=1.0 if kind == "floats" else None,
                params=[(0, "elastic", field)],
            )


def detection():
    for kind, image in [("noise", noise(20, 26)), ("gray", noise(20, 26, 1)), ("floats", floats(noise(11, 14)))]:
        height, width = image.shape[:2]
        full = 1.0 if kind == "floats" else None
        top, left, high, wide = 2, 3, height - 4, width - 5
        boxes = [[4, 3, width - 3, height - 2], [0, 0, 4, 3], [5, 4, 9, 8]]
        typed = tv_tensors.BoundingBoxes(
            torch.tensor(boxes, dtype=torch.float64), format="XYXY", canvas_size=(height, width), clamping_mode=None
        )
        moved = tv.crop(typed, top, left, high, wide)
        middles = (torch.tensor(boxes)[:, :2] + torch.tensor(boxes)[:, 2:]) / 2
        within = (middles[:, 0] > left) & (middles[:, 0] < left + wide) & (middles[:, 1] > top) & (middles[:, 1] < top + high)
        mask = marks(image)[2]
        annotations = {"boxes": boxes, "expected_boxes": moved[within].tolist(), "tolerance": 1e-9}
        save(
            f"random_iou_crop/{kind}",
            TORCHVISION,
            [{"random_iou_crop": {}}],
            image,
            hwc(tv.crop(chw(image), top, left, high, wide)),
            full=full,
            params=[(0, "random_iou_crop", {"x": left, "y": top, "size": {"width": wide, "height": high}})],
            annotations=annotations,
            mask=(mask, mask[top : top + high, left : left + wide]),
        )
        ratio, left, top = 1.7, 5, 3
        canvas_width, canvas_height = int(width * ratio), int(height * ratio)
        padding = [left, top, canvas_width - width - left, canvas_height - height - top]
        fill = [0.25] * 3 if kind == "floats" else [123] * 3
        change = lambda x: tv.pad(x, padding, fill=6 if isinstance(x, tv_tensors.Mask) else None)  # noqa: E731
        annotations, masks = torch_marks(image, change)
        annotations["mask_share"] = 0
        save(
            f"random_zoom_out/{kind}",
            TORCHVISION,
            [{"random_zoom_out": {"fill": fill, "fill_mask": 6, "p": 1}}],
            image,
            hwc(tv.pad(chw(image), padding, fill=fill[: image.shape[2]])),
            full=full,
            params=[(0, "random_zoom_out", {"ratio": ratio, "left": left, "top": top})],
            annotations=annotations,
            mask=masks,
        )


for write in [simple, existing, padding, sizes, affine, torch_affine, perspective, distortions, detection]:
    write()
