"""Writes the golden files of what becomes of boxes and keypoints: albumentations' BboxParams and KeypointParams.

Every case moves the same boxes by ops that cut them off, shrink or mirror them, and names the rules that decide which stay. The labels
that are left tell which box is which.
"""

import albumentations as A
import cv2
import numpy as np
from common import clear, noise, producer, require, save

require("albumentations", "opencv-python-headless", "numpy")
cv2.setNumThreads(1)

FAMILY = "annotation_rules"
# Inside, across each edge of the crop, across a corner, thin, tiny, outside, and the whole image.
BOXES = [
    [10, 8, 14, 12],
    [2, 6, 12, 14],
    [13, 5, 23, 9],
    [8, 1, 12, 6],
    [9, 12, 15, 17],
    [3, 2, 7, 5],
    [7, 3, 7.5, 15],
    [10.25, 9.5, 10.75, 9.75],
    [0, 0, 3, 3],
    [0, 0, 24, 17],
    [5.9, 3, 6.9, 4.9],
]
POINTS = [[0, 0], [6, 4], [17, 11], [18, 12], [11.5, 8.5], [23, 16]]


def case(name, ops, transforms, keypoints=False, remove_invisible=False, **rules):
    image = noise()
    boxes = {"format": "pascal_voc", "label_fields": ["labels"], **rules}
    points = A.KeypointParams(format="xy", label_fields=["ids"], remove_invisible=remove_invisible)
    given = {"image": image, "bboxes": np.array(BOXES, np.float64), "labels": list(range(len(BOXES)))}
    if keypoints:
        given.update(keypoints=np.array(POINTS, np.float64), ids=list(range(len(POINTS))))
    pipeline = A.Compose(transforms, bbox_params=A.BboxParams(**boxes), keypoint_params=points if keypoints else None)
    made = pipeline(**given)
    annotations = {
        "boxes": BOXES,
        "expected_boxes": np.array(made["bboxes"], np.float64).tolist(),
        "expected_labels": [int(label) for label in made["labels"]],
        "rules": {**rules, "remove_invisible": remove_invisible},
        # albumentations keeps fractions of the image's sides in 32 bits.
        "tolerance": 1e-5,
    }
    if keypoints:
        annotations.update(keypoints=POINTS, expected_keypoints=np.array(made["keypoints"], np.float64).tolist())
    save(f"{FAMILY}/{name}", producer("albumentations"), ops, image, made["image"], annotations=annotations)


clear(FAMILY)
center = [{"center_crop": {"height": 9, "width": 12, "centre": "floor"}}]
crop = [A.CenterCrop(9, 12, p=1)]
case("crop", center, crop)
# Not 20, which a box of 5 x 4 pixels misses by the rounding of 32 bits.
case("min_area", center, crop, min_area=19.9)
case("min_area_exact", center, crop, min_area=16)
case("min_visibility", center, crop, min_visibility=0.5)
case("min_sides", center, crop, min_width=3, min_height=2.5)
case("all_rules", center, crop, min_area=6, min_visibility=0.2, min_width=1, min_height=1)
case("keypoints_kept", center, crop, keypoints=True)
case("keypoints_removed", center, crop, keypoints=True, remove_invisible=True)
flips = [{"horizontal_flip": {"p": 1}}, {"vertical_flip": {"p": 1}}]
flip = [A.HorizontalFlip(p=1), A.VerticalFlip(p=1)]
case("flipped_and_cropped", flips + center, flip + crop, keypoints=True, min_visibility=0.3)
# What the first crop leaves is whole to the second one: visibility is that of every op by itself.
second = [{"center_crop": {"height": 5, "width": 6, "centre": "floor"}}]
case("twice_cropped", center + second, crop + [A.CenterCrop(5, 6, p=1)], min_visibility=0.4)
