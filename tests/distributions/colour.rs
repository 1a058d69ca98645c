//! Colour ops.

use crate::Case;
use crate::Distribution::{Integers, Normal, Uniform};

pub(crate) fn cases() -> Vec<Case> {
    let case = |op, pointer, distribution| Case { op, pointer, distribution };
    vec![
        case("brightness = { factor = [0.5, 1.5] }", "", Uniform(0.5, 1.5)),
        case("brightness = { delta = [-0.25, 0.5] }", "", Uniform(-0.25, 0.5)),
        case("contrast = { factor = [0.5, 1.75] }", "", Uniform(0.5, 1.75)),
        case("saturation = { factor = [0.0, 2.0] }", "", Uniform(0.0, 2.0)),
        case("hue = { delta = [-0.5, 0.25] }", "", Uniform(-0.5, 0.25)),
        case(JITTER, "/brightness", Uniform(0.6, 1.4)),
        case(JITTER, "/contrast", Uniform(0.7, 1.3)),
        case(JITTER, "/saturation", Uniform(0.8, 1.2)),
        case(JITTER, "/hue", Uniform(-0.1, 0.1)),
        case(
            "random_brightness_contrast = { contrast_limit = [-0.5, 1.0], brightness_limit = [0.1, 0.1], p = 1 }",
            "/alpha",
            Uniform(0.5, 2.0),
        ),
        case("random_brightness_contrast = { p = 1 }", "/beta", Uniform(-0.2, 0.2)),
        case("solarize = { threshold = [0, 256], p = 1 }", "", Uniform(0.0, 256.0)),
        case("posterize = { bits = [1, 7], p = 1 }", "", Integers(1, 7)),
        case("hue_saturation_value = { p = 1 }", "/hue_shift", Uniform(-20.0, 20.0)),
        case("hue_saturation_value = { p = 1 }", "/sat_shift", Uniform(-30.0, 30.0)),
        case("hue_saturation_value = { p = 1 }", "/val_shift", Uniform(-20.0, 20.0)),
        case("gamma = {}", "", Uniform(0.8, 1.2)),
        case("rgb_shift = { p = 1 }", "/0", Uniform(-20.0, 20.0)),
        case("rgb_shift = { g_shift_limit = [3, 50], p = 1 }", "/1", Uniform(3.0, 50.0)),
        case("rgb_shift = { b_shift_limit = [-255, 255], p = 1 }", "/2", Uniform(-255.0, 255.0)),
        case("channel_shuffle = { p = 1 }", "/0", Integers(0, 2)),
        case("channel_shuffle = { p = 1 }", "/1", Integers(0, 2)),
        case("channel_shuffle = { p = 1 }", "/2", Integers(0, 2)),
        case("clahe = { p = 1 }", "", Uniform(1.0, 4.0)),
        case("fancy_pca = { p = 1 }", "/0", Normal(0.0, 0.1)),
        case("fancy_pca = { alpha = 3, p = 1 }", "/1", Normal(0.0, 3.0)),
        case("fancy_pca = { alpha = 0.5, p = 1 }", "/2", Normal(0.0, 0.5)),
        case("random_tone_curve = { scale = 0.05, p = 1 }", "/low_y/0", Normal(0.25, 0.05)),
        case("random_tone_curve = { scale = 0.05, per_channel = true, p = 1 }", "/low_y/2", Normal(0.25, 0.05)),
        case("random_tone_curve = { scale = 0.05, p = 1 }", "/high_y/1", Normal(0.75, 0.05)),
        case("hsv_gain = {}", "/0", Uniform(0.985, 1.015)),
        case("hsv_gain = {}", "/1", Uniform(0.3, 1.7)),
        case("hsv_gain = {}", "/2", Uniform(0.6, 1.4)),
        case("photometric_distort = { part_p = 1 }", "/brightness", Uniform(0.875, 1.125)),
        case("photometric_distort = { part_p = 1 }", "/contrast", Uniform(0.5, 1.5)),
        case("photometric_distort = { part_p = 1 }", "/saturation", Uniform(0.5, 1.5)),
        case("photometric_distort = { part_p = 1 }", "/hue", Uniform(-0.05, 0.05)),
        case("photometric_distort = {}", "/contrast_before", Integers(0, 1)),
        case("photometric_distort = { part_p = 1 }", "/channels/0", Integers(0, 2)),
        case("photometric_distort = { part_p = 1 }", "/channels/2", Integers(0, 2)),
        // One channel or two, so that each is dropped in half of the draws.
        case("channel_dropout = { channel_drop_range = [1, 2], p = 1 }", "/0", Integers(0, 1)),
        case("channel_dropout = { channel_drop_range = [1, 2], p = 1 }", "/1", Integers(0, 1)),
        case("channel_dropout = { channel_drop_range = [1, 2], p = 1 }", "/2", Integers(0, 1)),
    ]
}

const JITTER: &str =
    "color_jitter = { brightness = [0.6, 1.4], contrast = [0.7, 1.3], saturation = [0.8, 1.2], hue = [-0.1, 0.1] }";
