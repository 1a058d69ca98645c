//! Policies. The image has 40 columns and 30 rows. What the magnitudes of each op are is tested beside their tables.

use crate::Case;
use crate::Distribution::{Integers, Names, Uniform};

pub(crate) fn cases() -> Vec<Case> {
    let case = |op, pointer, distribution| Case { op, pointer, distribution };
    vec![
        case(RAND, "/0/op", Names(&FOURTEEN)),
        case(RAND, "/1/op", Names(&FOURTEEN)),
        case("trivial_augment_wide = {}", "/0/op", Names(&FOURTEEN)),
        case("auto_augment = {}", "/pair", Integers(0, 24)),
        case("auto_augment = { policy = \"svhn\" }", "/pair", Integers(0, 24)),
        case("aug_mix = {}", "/original", Uniform(0.0, 1.0)),
        case("aug_mix = {}", "/chains/1/0/op", Names(&THIRTEEN)),
        case("aug_mix = { all_ops = false, mixture_width = 1 }", "/chains/0/0/op", Names(&THIRTEEN[..9])),
        case("aug_mix = { pixels_only = true, mixture_width = 1 }", "/chains/0/0/op", Names(&THIRTEEN[5..])),
        case("timm_augment = { policy = \"v0\" }", "/policy", Integers(0, 24)),
        case("timm_augment = { policy = \"3a\" }", "/policy", Integers(0, 2)),
        case("timm_augment = { policy = \"rand-p1\" }", "/chain/0/op", Names(&FIFTEEN)),
        case("timm_augment = { policy = \"rand-p1-inc1\" }", "/chain/1/op", Names(&FIFTEEN)),
        case(
            "timm_augment = { policy = \"rand-p1-n1-t3a\" }",
            "/chain/0/op",
            Names(&["solarize", "color", "gaussian_blur"]),
        ),
        case("timm_augment = { policy = \"augmix-w2-d2\" }", "/mix/blend", Uniform(0.0, 1.0)),
        case("timm_augment = { policy = \"augmix-w2-d2\" }", "/mix/chains/1/1/op", Names(&TIMM_THIRTEEN)),
    ]
}

const RAND: &str = "rand_augment = {}";

const FOURTEEN: [&str; 14] = [
    "identity",
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
    "rotate",
    "brightness",
    "color",
    "contrast",
    "sharpness",
    "posterize",
    "solarize",
    "auto_contrast",
    "equalize",
];

/// Those that move pixels, those that are always there, the rest.
const THIRTEEN: [&str; 13] = [
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
    "rotate",
    "posterize",
    "solarize",
    "auto_contrast",
    "equalize",
    "brightness",
    "color",
    "contrast",
    "sharpness",
];

const FIFTEEN: [&str; 15] = [
    "auto_contrast",
    "equalize",
    "invert",
    "rotate",
    "posterize",
    "solarize",
    "solarize_add",
    "color",
    "contrast",
    "brightness",
    "sharpness",
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
];

const TIMM_THIRTEEN: [&str; 13] = [
    "auto_contrast",
    "color",
    "contrast",
    "brightness",
    "sharpness",
    "equalize",
    "rotate",
    "posterize",
    "solarize",
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
];
