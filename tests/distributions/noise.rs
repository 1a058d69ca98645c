//! Noise and compression.

use crate::Case;
use crate::Distribution::{Integers, Uniform};

pub(crate) fn cases() -> Vec<Case> {
    let case = |op, pointer, distribution| Case { op, pointer, distribution };
    vec![
        case("jpeg = { quality = [70, 95] }", "", Integers(70, 95)),
        case("downscale = { scale = [0.25, 0.75], p = 1 }", "", Uniform(0.25, 0.75)),
        case("multiplicative_noise = { multiplier = [0.5, 2.0], p = 1 }", "/multiplier/0", Uniform(0.5, 2.0)),
        case("multiplicative_noise = { per_channel = true, p = 1 }", "/multiplier/2", Uniform(0.9, 1.1)),
        case("multiplicative_noise = { elementwise = true, p = 1 }", "/field", SEED),
        case(GAUSS, "/std", Uniform(0.2, 0.44)),
        case(GAUSS, "/mean", Uniform(-0.5, 0.25)),
        case(GAUSS, "/field", SEED),
        case(ISO, "/color_shift", Uniform(0.01, 0.05)),
        case(ISO, "/intensity", Uniform(0.1, 0.5)),
        case(ISO, "/luminance", SEED),
        case(ISO, "/color", SEED),
        case("shot_noise = { p = 1 }", "/scale", Uniform(0.1, 0.3)),
        case("shot_noise = { p = 1 }", "/photons", SEED),
        case(SALT, "/amount", Uniform(0.01, 0.06)),
        case(SALT, "/salt_vs_pepper", Uniform(0.4, 0.6)),
        case(SALT, "/positions", SEED),
    ]
}

/// What a field of random numbers is made of: 53 bits.
pub(crate) const SEED: crate::Distribution = Uniform(0.0, 9_007_199_254_740_992.0);
const GAUSS: &str = "gauss_noise = { mean = [-0.5, 0.25], p = 1 }";
const ISO: &str = "iso_noise = { p = 1 }";
const SALT: &str = "salt_and_pepper = { p = 1 }";
