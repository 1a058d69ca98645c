//! Colour ops.

use crate::Case;
use crate::Distribution::Uniform;

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
    ]
}

const JITTER: &str =
    "color_jitter = { brightness = [0.6, 1.4], contrast = [0.7, 1.3], saturation = [0.8, 1.2], hue = [-0.1, 0.1] }";
