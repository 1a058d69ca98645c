//! Filters.

use crate::Case;
use crate::Distribution::{Integers, OddIntegers, Uniform};

pub(crate) fn cases() -> Vec<Case> {
    let case = |op, pointer, distribution| Case { op, pointer, distribution };
    vec![
        case("gaussian_blur = { sigma = [0.5, 1.5] }", "/sigma", Uniform(0.5, 1.5)),
        // 2 floor(3.5 sigma) + 1.
        case("gaussian_blur = { sigma = [0.5714285714285714, 1.4285714285714286] }", "/size", OddIntegers(5, 9)),
        case("median_blur = { kernel_size = [3, 9], p = 1 }", "", OddIntegers(3, 9)),
        case("box_blur = { kernel_size = [4, 8], p = 1 }", "", OddIntegers(5, 7)),
        case(MOTION, "/side", OddIntegers(3, 7)),
        case(MOTION, "/angle", Uniform(0.0, 360.0)),
        case(MOTION, "/direction", Uniform(-1.0, 1.0)),
        case(MOTION, "/shift/0", Uniform(-1.0, 1.0)),
        case(MOTION, "/shift/1", Uniform(-1.0, 1.0)),
        case("motion_blur = { allow_shifted = false, p = 1 }", "/shift/0", Integers(0, 0)),
        case("adjust_sharpness = { factor = [0.5, 2.0], p = 1 }", "", Uniform(0.5, 2.0)),
        case("sharpen = { p = 1 }", "/alpha", Uniform(0.2, 0.5)),
        case("sharpen = { p = 1 }", "/lightness", Uniform(0.5, 1.0)),
    ]
}

const MOTION: &str = "motion_blur = { p = 1 }";
