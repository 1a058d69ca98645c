"""Writes tests/data/import: what albumentations itself saves.

albumentations/<Class>.json: one Compose of each class, with arguments that are not its defaults. classes.txt: all of its classes.
annotations.json: a Compose that says what becomes of boxes and keypoints. timm: what timm says of a model, as it saves it for the hub
and as it has it in memory.
pixels/<case>: pipelines without chance, saved, with an input and what albumentations makes of it; tests/import.rs imports them and
compares.
"""

import json
import pathlib
import shutil
import warnings

import albumentations as A
import cv2
import numpy as np
import timm
from albumentations.core.serialization import NON_SERIALIZABLE_REGISTRY, SERIALIZABLE_REGISTRY
from timm.models._hub import save_config_for_hf

import common

warnings.simplefilter("ignore")
common.require(albumentations="2.0.8", opencv_python_headless="4.11.0.86", timm="1.0.31")
ROOT = pathlib.Path(__file__).resolve().parents[1] / "data" / "import"

# One instance of each class that feedline has, or may come to have, an equal of.
ONE_EACH = [
    A.Affine(scale=(0.8, 1.2), translate_percent=(-0.1, 0.1), rotate=(-15, 15), shear=(-5, 5), fill=7, p=0.7),
    A.AutoContrast(cutoff=1, method="cdf", p=0.3),
    A.Blur(blur_limit=(3, 5), p=0.4),
    A.CLAHE(clip_limit=(1, 3), tile_grid_size=(4, 4), p=0.4),
    A.CenterCrop(height=64, width=48, p=1),
    A.ChannelDropout(channel_drop_range=(1, 2), fill=9, p=0.2),
    A.ChannelShuffle(p=0.2),
    A.CoarseDropout(num_holes_range=(2, 3), hole_height_range=(4, 8), hole_width_range=(3, 9), fill=127, p=0.3),
    A.ColorJitter(brightness=(0.7, 1.3), contrast=(0.6, 1.4), saturation=(0.5, 1.5), hue=(-0.1, 0.1), p=0.8),
    A.Crop(x_min=3, y_min=5, x_max=43, y_max=37),
    A.D4(p=0.9),
    A.Downscale(scale_range=(0.4, 0.6), p=0.2),
    A.ElasticTransform(alpha=20, sigma=5, p=0.3),
    A.Equalize(mode="cv", by_channels=False, p=0.3),
    A.Erasing(scale=(0.05, 0.2), ratio=(0.5, 2), fill=0, p=0.25),
    A.FancyPCA(alpha=0.2, p=0.3),
    A.GaussNoise(std_range=(0.05, 0.1), mean_range=(0, 0), per_channel=True, p=0.3),
    A.GaussianBlur(blur_limit=(3, 7), sigma_limit=(0.5, 2), p=0.3),
    A.GridDistortion(num_steps=4, distort_limit=(-0.2, 0.2), p=0.3),
    A.GridDropout(ratio=0.4, holes_number_xy=(5, 9), random_offset=True, fill_mask=2, p=0.3),
    A.HorizontalFlip(p=0.3),
    A.HueSaturationValue(hue_shift_limit=(-10, 10), sat_shift_limit=(-20, 20), val_shift_limit=(-5, 5), p=0.6),
    A.ISONoise(color_shift=(0.02, 0.04), intensity=(0.2, 0.3), p=0.3),
    A.ImageCompression(quality_range=(60, 90), p=0.3),
    A.InvertImg(p=0.1),
    A.LongestMaxSize(max_size=256),
    A.MedianBlur(blur_limit=(3, 5), p=0.3),
    A.MotionBlur(blur_limit=(3, 9), p=0.3),
    A.MultiplicativeNoise(multiplier=(0.8, 1.2), per_channel=True, elementwise=True, p=0.3),
    A.NoOp(p=0.3),
    A.Normalize(mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4), max_pixel_value=255.0),
    A.OpticalDistortion(distort_limit=(-0.1, 0.1), p=0.3),
    A.Pad(padding=(1, 2, 3, 4), fill=5),
    A.PadIfNeeded(min_height=300, min_width=200, border_mode=cv2.BORDER_REFLECT_101),
    A.Perspective(scale=(0.02, 0.05), p=0.3),
    A.PixelDropout(dropout_prob=0.02, per_channel=True, drop_value=3, p=0.3),
    A.Posterize(num_bits=(3, 5), p=0.3),
    A.RGBShift(r_shift_limit=(-10, 10), g_shift_limit=(-5, 5), b_shift_limit=(0, 20), p=0.3),
    A.RandomBrightnessContrast(brightness_limit=(-0.1, 0.3), contrast_limit=(-0.2, 0.1), p=0.3),
    A.RandomCrop(height=64, width=48),
    A.RandomGamma(gamma_limit=(70, 130), p=0.3),
    A.RandomResizedCrop(size=(96, 80), scale=(0.2, 0.9), ratio=(0.8, 1.25)),
    A.RandomRotate90(p=0.5),
    A.RandomScale(scale_limit=(-0.2, 0.3), p=0.4),
    A.RandomSizedCrop(min_max_height=(20, 40), size=(30, 40), w2h_ratio=1.5),
    A.RandomToneCurve(scale=0.2, p=0.3),
    A.Resize(height=96, width=80),
    A.Rotate(limit=(-30, 20), border_mode=cv2.BORDER_REFLECT_101, p=0.3),
    A.SaltAndPepper(amount=(0.02, 0.03), salt_vs_pepper=(0.3, 0.6), p=0.3),
    A.Sharpen(alpha=(0.1, 0.4), lightness=(0.6, 0.9), p=0.3),
    A.ShiftScaleRotate(shift_limit=(-0.1, 0.1), scale_limit=(-0.2, 0.2), rotate_limit=(-20, 20), p=0.3),
    A.ShotNoise(scale_range=(0.1, 0.2), p=0.3),
    A.SmallestMaxSize(max_size=256),
    A.Solarize(threshold_range=(0.4, 0.6), p=0.3),
    A.SquareSymmetry(p=0.8),
    A.ToFloat(max_value=255),
    A.ToGray(p=0.2),
    A.ToRGB(),
    A.ToSepia(p=0.2),
    A.Transpose(p=0.3),
    A.VerticalFlip(p=0.3),
]

# Pipelines without chance: name, transforms, input, and how far a value may be off.
FLIP, CROP = A.HorizontalFlip(p=1), A.CenterCrop(31, 25)
PIXELS = {
    "evaluation": ([A.Resize(40, 37), A.CenterCrop(32, 32), A.Normalize()], common.photo(), 0.02),
    "containers": (
        [
            A.OneOf([A.HorizontalFlip(p=0.2)], p=1),
            A.OneOrOther(A.VerticalFlip(p=0.1), A.ToGray(p=0.1), p=1),
            A.SomeOf([A.Sequential([A.VerticalFlip(p=1), A.HorizontalFlip(p=1)], p=1), A.NoOp()], n=5),
            A.RandomOrder([A.NoOp(p=1), A.HorizontalFlip(p=1)], n=2),
            A.Compose([A.ToGray(p=1)], p=1),
            A.OneOf([A.NoOp(p=1), A.HorizontalFlip(p=0)], p=1),
        ],
        common.noise(),
        0,
    ),
    "crops": ([A.Crop(x_min=1, y_min=2, x_max=14, y_max=15), A.CenterCrop(10, 9), A.RandomCrop(10, 9)], common.ramp(), 0),
    "gray_pca": ([A.ToGray(method="pca", p=1)], common.photo(), 0, 0.002),
    "gray": ([A.ToGray(num_output_channels=1, p=1), A.Normalize(mean=0.5, std=0.25)], common.ramp(), 1e-5),
    "colours": (
        [
            A.RandomBrightnessContrast(brightness_limit=(0.1, 0.1), contrast_limit=(-0.3, -0.3), p=1),
            A.RGBShift(r_shift_limit=(7, 7), g_shift_limit=(-9, -9), b_shift_limit=(3, 3), p=1),
            A.Solarize(threshold_range=(0.6, 0.6), p=1),
            A.Posterize(num_bits=(5, 5), p=1),
            A.Equalize(p=1),
            A.Equalize(mode="pil", p=1),
            A.AutoContrast(cutoff=2, method="pil", p=1),
            A.InvertImg(p=1),
            A.ToSepia(p=1),
            A.ToGray(method="desaturation", p=1),
        ],
        common.photo(),
        0,
    ),
    "jitter": (
        [
            A.ColorJitter((1.3, 1.3), (1, 1), (1, 1), (0, 0), p=1),
            A.ColorJitter((1, 1), (0.7, 0.7), (1, 1), (0, 0), p=1),
            A.ColorJitter((1, 1), (1, 1), (1.5, 1.5), (0, 0), p=1),
        ],
        common.photo(),
        0,
    ),
    "filters": (
        [
            A.MedianBlur(blur_limit=(4, 5), p=1),
            A.Blur(blur_limit=(3, 3), p=1),
            A.Downscale(scale_range=(0.5, 0.5), p=1),
            A.MultiplicativeNoise(multiplier=(1.2, 1.2), p=1),
            A.ImageCompression(quality_range=(70, 70), p=1),
        ],
        common.photo(),
        0,
    ),
    "gaussian": ([A.GaussianBlur(blur_limit=(4, 5), sigma_limit=(1.5, 1.5), p=1), A.Sharpen((0.3, 0.3), (1, 1), p=1)], common.photo(), 2),
    "padded": (
        [
            A.PadIfNeeded(30, 50, border_mode=cv2.BORDER_REFLECT, position="top_left"),
            A.Pad(padding=(1, 2, 3, 4), fill=(5, 6, 7)),
            A.CenterCrop(41, 60, pad_if_needed=True, border_mode=cv2.BORDER_REPLICATE),
            A.LongestMaxSize(max_size=40, interpolation=cv2.INTER_NEAREST),
            A.SmallestMaxSize(max_size_hw=(20, None), interpolation=cv2.INTER_NEAREST),
            A.Crop(x_max=20, y_max=17),
            A.Transpose(p=1),
        ],
        common.noise(),
        0,
    ),
    "affine": (
        [
            A.Affine(
                scale={"x": 0.9, "y": (1.1, 1.1)},
                translate_percent={"x": 0.1},
                rotate=20,
                shear={"x": (4, 4), "y": (-3, -3)},
                border_mode=cv2.BORDER_REFLECT_101,
                p=1,
            ),
            A.Affine(translate_px={"x": 3, "y": -2}, scale=(0.8, 0.8), keep_ratio=True, fill=(1, 2, 3), p=1),
        ],
        common.photo(),
        0,
        0.001,
    ),
    "rotate": ([A.Rotate(limit=(-33, -33), interpolation=cv2.INTER_NEAREST, fill=(9, 8, 7), p=1)], common.photo(), 0, 0.001),
    "shift_scale_rotate": (
        [A.ShiftScaleRotate((0.1, 0.1), (0.2, 0.2), (15, 15), shift_limit_y=(-0.2, -0.2), p=1)],
        common.photo(),
        0,
        0.001,
    ),
    "lens": ([A.OpticalDistortion(distort_limit=(0.2, 0.2), p=1)], common.photo(), 0, 0.005),
    "grid": ([A.GridDistortion(num_steps=3, distort_limit=(0.1, 0.1), p=1)], common.photo(), 0, 0.002),
    "nearest": ([A.Resize(21, 9, interpolation=cv2.INTER_NEAREST), A.ToFloat(max_value=255)], common.noise(), 0),
}


def write(path, transform):
    path.parent.mkdir(parents=True, exist_ok=True)
    A.save(transform, path, data_format="yaml" if path.suffix == ".yaml" else "json")
    if path.suffix == ".json":
        path.write_text(json.dumps(json.loads(path.read_text()), indent=1) + "\n")


def main():
    shutil.rmtree(ROOT, ignore_errors=True)
    known = [
        name
        for name, cls in {**SERIALIZABLE_REGISTRY, **NON_SERIALIZABLE_REGISTRY}.items()
        if getattr(A, name, None) is cls and not name.startswith("Base") and not name.endswith("Params")
    ]
    known += ["ToTensorV2", "ToTensor3D"]
    bases = {"BasicTransform", "DualTransform", "ImageOnlyTransform", "Transform3D", "MaxSizeTransform"}
    ROOT.mkdir(parents=True)
    (ROOT / "classes.txt").write_text("\n".join(sorted(set(known) - bases)) + "\n")
    for transform in ONE_EACH:
        write(ROOT / "albumentations" / f"{type(transform).__name__}.json", A.Compose([transform]))
    groups = A.ReplayCompose(
        [
            A.OneOf([A.HorizontalFlip(p=0.2), A.VerticalFlip(p=0.6), A.NoOp(p=0.2)], p=0.5),
            A.SomeOf([A.HorizontalFlip(p=0.5), A.VerticalFlip(p=0.5), A.RandomRotate90(p=0.5)], n=2, replace=True, p=0.9),
            A.RandomOrder([A.HorizontalFlip(p=0.5), A.VerticalFlip(p=0.5)], n=2, replace=True),
            A.OneOrOther(A.HorizontalFlip(p=0.5), A.ToGray(p=0.5), p=0.7),
            A.Sequential([A.VerticalFlip(p=0.5)], p=0.4),
        ],
        bbox_params=A.BboxParams(format="coco", label_fields=["labels"], min_area=4),
        p=0.95,
    )
    write(ROOT / "groups.json", groups)
    write(ROOT / "groups.yaml", groups)
    write(
        ROOT / "annotations.json",
        A.Compose(
            [A.HorizontalFlip(p=0.5), A.RandomCrop(64, 48)],
            bbox_params=A.BboxParams(
                format="yolo", label_fields=["classes"], min_area=16, min_visibility=0.25, min_width=2, min_height=3, clip=True
            ),
            keypoint_params=A.KeypointParams(format="xy", label_fields=["names"]),
        ),
    )
    (ROOT / "timm").mkdir()
    model = timm.create_model("mobilenetv3_small_050", pretrained=False)
    save_config_for_hf(model, ROOT / "timm" / "config.json")
    (ROOT / "timm" / "pretrained_cfg.json").write_text(json.dumps(model.pretrained_cfg, indent=1) + "\n")
    for name, (transforms, image, tolerance, *share) in PIXELS.items():
        share = share[0] if share else 0
        folder = ROOT / "pixels" / name
        pipeline = A.Compose(transforms, seed=1)
        write(folder / "pipeline.json", pipeline)
        (folder / "tolerance.txt").write_text(f"{tolerance} {share}\n")
        np.save(folder / "input.npy", image)
        made = pipeline(image=image)["image"]
        np.save(folder / "expected.npy", np.ascontiguousarray(made if made.ndim == 3 else made[:, :, None]))


main()
