"""Writes the golden files of the dropouts (tests/data/golden/<op>): what albumentations and torchvision make of small images, with the
same holes. Run it again only to add cases: the files are committed.

pip install torch==2.15.0 torchvision==0.29.2 albumentations==2.0.8 opencv-python-headless==4.11.0.86 numpy==2.4.6 \
    scikit-image==0.26.0
"""

import albumentations
import common
import numpy as np
import torch
from albumentations.augmentations.dropout import functional as dropout
from albumentations.augmentations.pixel import functional as pixel
from common import producer, save
from torchvision.transforms.v2 import functional as tv

common.require(
    torch="2.15.0",
    torchvision="0.29.2",
    albumentations="2.0.8",
    opencv_python_headless="4.11.0.86",
    numpy="2.4.6",
    scikit_image="0.26.0",
)
ALBUMENTATIONS = producer("albumentations")
TORCHVISION = producer("torchvision")
for op in ["coarse_dropout", "random_erasing", "grid_dropout", "pixel_dropout"]:
    common.clear(op)

IMAGES = {"primaries": common.primaries(), "photo": common.photo(16, 20), "gray": common.noise(7, 9, 1)}
UNIT = (common.noise(8, 13, seed=3).astype(np.float32) / np.float32(254.3)).clip(0, 1)
ALL = IMAGES | {"f32": UNIT}
BOXES = [[1.0, 1.0, 6.0, 5.0], [2.0, 2.0, 5.0, 4.0], [0.0, 0.0, 3.0, 2.0]]
POINTS = [[2.0, 2.0], [4.0, 3.0], [1.0, 0.0], [4.999, 1.5]]


def fixed(base, holes):
    """The albumentations op `base` with these holes."""

    class Fixed(base):
        def get_params_dependent_on_data(self, params, data):
            return {"holes": np.array(holes, np.int64), "seed": 0}

    return Fixed


def holed(name, base, holes, colour, class_, case="", field="color", **fields):
    """One case for each image, with boxes, keypoints and a mask."""
    record = {"holes": [{"x": x, "y": y, "width": r - x, "height": b - y} for x, y, r, b in holes], "seed": 0}
    for label, image in ALL.items():
        height, width, channels = image.shape
        full = 1.0 if image.dtype == np.float32 else None
        scaled = [c / 256 for c in colour] if full else colour
        op = fixed(base, holes)(fill=tuple(scaled[:channels]), fill_mask=class_, p=1)
        every = albumentations.Compose(
            [op],
            bbox_params=albumentations.BboxParams("pascal_voc", label_fields=["labels"]),
            keypoint_params=albumentations.KeypointParams("xy"),
        )
        mask = np.arange(height * width, dtype=np.uint8).reshape(height, width)
        made = every(image=image, mask=mask, bboxes=np.array(BOXES), labels=[0] * len(BOXES), keypoints=np.array(POINTS))
        annotations = {
            "boxes": BOXES,
            "expected_boxes": [[float(x) for x in box] for box in made["bboxes"]],
            "keypoints": POINTS,
            "expected_keypoints": [[float(x) for x in point] for point in made["keypoints"]],
            "tolerance": 1e-4,
        }
        ops = [{name: {"p": 1, field: scaled} | ({} if class_ is None else {"fill_mask": class_}) | fields}]
        save(
            f"{name}/{case}{len(holes)}_{label}",
            ALBUMENTATIONS,
            ops,
            image,
            made["image"],
            full=full,
            params=[(0, name, record)],
            annotations=annotations,
            mask=(mask, made["mask"]),
        )


holed("coarse_dropout", albumentations.CoarseDropout, [(2, 2, 5, 4)], [10, 200, 30], 7)
holed("coarse_dropout", albumentations.CoarseDropout, [(0, 0, 3, 2), (3, 0, 6, 5)], [0, 0, 0], None)
holed("coarse_dropout", albumentations.CoarseDropout, [(0, 0, 4, 4), (1, 3, 2, 6), (5, 5, 7, 5)], [255, 128, 0], 0)
erasing = {"case": "albumentations_", "field": "value", "method": "albumentations"}
holed("random_erasing", albumentations.Erasing, [(2, 1, 5, 4)], [10, 200, 30], 7, **erasing)
holed("random_erasing", albumentations.Erasing, [], [10, 200, 30], 7, **erasing)
grid = dropout.generate_grid_holes((5, 7), (2, 3), 0.5, False, (1, 0), np.random.default_rng(0)).tolist()
holed("grid_dropout", albumentations.GridDropout, [tuple(hole) for hole in grid], [9, 8, 7], 200)
grid = dropout.generate_grid_holes((5, 7), (2, 2), 0.9, True, (0, 0), np.random.default_rng(2)).tolist()
holed("grid_dropout", albumentations.GridDropout, [tuple(hole) for hole in grid], [90, 80, 70], None)
# Where nothing is drawn: cells of one size, holes at one place.
op = albumentations.GridDropout(ratio=0.5, random_offset=False, holes_number_xy=(4, 5), shift_xy=(1, 2), p=1)
image = IMAGES["photo"]
message = {"random_offset": False, "holes_number": [5, 4], "shift": [1, 2], "p": 1}
save("grid_dropout/plain", ALBUMENTATIONS, [{"grid_dropout": message}], image, op(image=image)["image"])

for number, (y, x, height, width) in enumerate([(1, 2, 3, 4), (0, 0, 4, 6), (2, 3, 1, 1)]):
    for label, image in ALL.items():
        scale = 1 / 256 if image.dtype == np.float32 else 1
        value = [20 * scale, 60 * scale, 110 * scale]
        colour = torch.tensor(value[: image.shape[2]]).to(torch.float32 if scale < 1 else torch.uint8)[:, None, None]
        tensor = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
        made = tv.erase(tensor, y, x, height, width, colour).numpy().transpose(1, 2, 0)
        record = {"holes": [{"x": x, "y": y, "width": width, "height": height}], "seed": 0}
        ops = [{"random_erasing": {"p": 1, "value": value}}]
        full = 1.0 if scale < 1 else None
        save(f"random_erasing/{number}_{label}", TORCHVISION, ops, image, made, full=full, params=[(0, "random_erasing", record)])

rng = np.random.default_rng(4)
for per_channel in [False, True]:
    for label, image in ALL.items():
        shape = image.shape if per_channel else (*image.shape[:2], 1)
        field = rng.random(shape, np.float32)
        value = np.array([0.25, 0.5, 1.0] if image.dtype == np.float32 else [3, 250, 77], image.dtype)
        mask = np.broadcast_to(field < np.float32(0.3), image.shape)
        made = pixel.pixel_dropout(image, mask, np.broadcast_to(value[: image.shape[2]], image.shape))
        ops = [{"pixel_dropout": {"p": 1, "dropout_prob": 0.3, "per_channel": per_channel, "drop_value": [float(x) for x in value]}}]
        params = [(0, "pixel_dropout", [float(x) for x in field.ravel()])]
        full = 1.0 if image.dtype == np.float32 else None
        name = "values" if per_channel else "pixels"
        save(f"pixel_dropout/{name}_{label}", ALBUMENTATIONS, ops, image, made, full=full, params=params)
