"""Writes the golden files of the ops that take something from a reference image (tests/data/golden/<op>): what albumentations makes of
small, difficult images. Run it again only to add cases: the files are committed.

pip install albumentations==2.0.8 opencv-python-headless==4.11.0.86 numpy==2.4.6 scikit-image==0.26.0
"""

import albumentations as A
import common
import numpy as np
from albumentations.augmentations.mixing.domain_adaptation_functional import DomainAdapter, MinMaxScaler, StandardScaler
from albumentations.augmentations.utils import PCA
from common import save

common.require(albumentations="2.0.8", opencv_python_headless="4.11.0.86", numpy="2.4.6", scikit_image="0.26.0")
PRODUCER = common.producer("albumentations")


def gray(image):
    return image[:, :, 1:2].copy()


def floats(image):
    return (image / np.float32(255)).astype(np.float32)


def other_photo(height, width):
    """A crop of a photograph in the public domain (CC0), which scikit-image ships, of other colours and light."""
    from skimage import data

    return np.ascontiguousarray(data.coffee()[100 : 100 + height, 150 : 150 + width])


def gray_reference(image):
    """Three equal channels, which OpenCV's gray leaves as they are."""
    return np.repeat(image[:, :, :1], 3, axis=2)


def run(transform, image, reference):
    """What a transform with the metadata key `references` makes of it."""
    if image.dtype == np.float32:
        reference = floats(reference)
    if image.shape[2] == 1:
        reference = np.ascontiguousarray(reference[:, :, :1])
    made = transform(image=image, references=[reference])["image"]
    return made.reshape(image.shape)


def pairs():
    """Name, image, reference; the reference is larger, smaller or of the same size."""
    photo, other = common.photo(24, 20), other_photo(24, 20)
    yield "photo", photo, other
    yield "photo_shrunk_reference", common.photo(16, 16), other_photo(35, 41)
    yield "photo_halved_reference", common.photo(10, 12), other_photo(20, 24)
    yield "noise", common.noise(9, 14), common.noise(9, 14, seed=9)
    yield "ramp", common.ramp(), common.photo(16, 16)
    yield "primaries", common.primaries(), other_photo(5, 7)
    yield "checker", common.checker(6, 8), other_photo(6, 8)
    yield "pixel", common.pixel(), other_photo(1, 1)
    yield "gray", gray(photo), gray_reference(other)
    yield "f32", floats(photo), other
    yield "f32_gray", floats(gray(common.noise(9, 14))), gray_reference(other_photo(9, 14))


def histogram_matching():
    common.clear("histogram_matching")
    for name, image, reference in [*pairs(), ("photo_enlarged_reference", common.photo(24, 20), other_photo(9, 11))]:
        for ratio in [1.0, 0.37] if name in ["photo", "f32"] else [0.75]:
            transform = A.HistogramMatching(blend_ratio=(ratio, ratio), metadata_key="references", p=1)
            expected = run(transform, image, reference)
            op = {"histogram_matching": {"references": [0], "blend_ratio": [ratio, ratio], "p": 1}}
            is_float = image.dtype == np.float32
            tolerance, share = (2e-6, 0) if is_float else (0, 0.002)
            if name == "photo_enlarged_reference":
                tolerance, share = 1, 0.01
            full = 1 if is_float else None
            case = f"histogram_matching/{name}_{ratio}"
            save(case, PRODUCER, [op], image, expected, tolerance, full, share=share, references=[reference])


def fda():
    common.clear("fda")
    for name, image, reference in [*pairs(), ("photo_enlarged_reference", common.photo(24, 20), other_photo(9, 11))]:
        if name == "ramp":
            # Most of its frequencies have no amplitude, and so no phase but that of rounding errors.
            continue
        betas = [0.0, 0.03, 0.1, 0.5] if name in ["photo", "f32"] else [0.3]
        for beta in betas:
            transform = A.FDA(beta_limit=(beta, beta), metadata_key="references", p=1)
            expected = run(transform, image, reference)
            op = {"fda": {"references": [0], "beta_limit": [beta, beta], "p": 1}}
            is_float = image.dtype == np.float32
            full = 1 if is_float else None
            tolerance = 2e-5 if is_float else 1
            case = f"fda/{name}_{beta}"
            save(case, PRODUCER, [op], image, expected, tolerance, full, references=[reference])


def adapted(kind, image, reference, ratio):
    """What albumentations' own adapter makes, at one scale: the transform blends 0 to 255 with 0 to 1."""
    import cv2

    transformer = {"pca": PCA, "standard": StandardScaler, "minmax": MinMaxScaler}[kind]()
    channels = image.shape[2]
    if channels == 1:
        image, reference = image[:, :, 0], reference[:, :, 0]
    if image.shape != reference.shape:
        reference = cv2.resize(reference, dsize=image.shape[:2], interpolation=cv2.INTER_AREA)
    made = np.clip(DomainAdapter(transformer=transformer, ref_img=reference)(image), 0, 1) * 255
    blend = image.astype(np.float64) * (1 - ratio) + made.astype(np.float64) * ratio
    return np.rint(blend).astype(np.uint8).reshape(*image.shape[:2], channels)


def pixel_distribution_adaptation():
    common.clear("pixel_distribution_adaptation")
    for kind in ["pca", "standard", "minmax"]:
        for name, image, reference in pairs():
            if name == "pixel" and kind != "minmax":
                # One pixel: its component in OpenCV has any direction, and its deviation is 0.
                continue
            # Components of equal variance, or of channels that are equal or opposite to each other, have any direction too.
            if kind == "pca" and name in ["gray", "f32_gray", "checker", "ramp"]:
                continue
            is_float = image.dtype == np.float32
            ratio = 1.0 if is_float else 0.6
            transform = A.PixelDistributionAdaptation(
                blend_ratio=(1, 1), transform_type=kind, metadata_key="references", p=1
            )
            expected = run(transform, image, reference) if is_float else adapted(kind, image, reference, ratio)
            op = {
                "pixel_distribution_adaptation": {
                    "references": [0],
                    "transform_type": kind,
                    "blend_ratio": [ratio, ratio],
                    "p": 1,
                }
            }
            tolerance, share = (2e-5, 0) if is_float else (0, 0.002)
            full = 1 if is_float else None
            case = f"pixel_distribution_adaptation/{kind}_{name}"
            save(case, PRODUCER, [op], image, expected, tolerance, full, share=share, references=[reference])


histogram_matching()
fda()
pixel_distribution_adaptation()
