//! Ops that take something from images of the dataset.

use crate::Case;
use crate::Distribution::{Integers, Uniform};

pub(crate) fn cases() -> Vec<Case> {
    let case = |op, pointer, distribution| Case { op, pointer, distribution };
    vec![
        case(HISTOGRAM, "/reference", Integers(0, 2)),
        case(HISTOGRAM, "/blend_ratio", Uniform(0.5, 1.0)),
        case(FDA, "/reference", Integers(0, 1)),
        case(FDA, "/beta", Uniform(0.0, 0.1)),
        case(ADAPTATION, "/reference", Integers(0, 3)),
        case(ADAPTATION, "/blend_ratio", Uniform(0.25, 1.0)),
    ]
}

// Without ranges, so that the defaults are checked.
const HISTOGRAM: &str = "histogram_matching = { references = [34, 52, 90], p = 1.0 }";
const FDA: &str = "fda = { references = [34, 52], p = 1.0 }";
const ADAPTATION: &str = "pixel_distribution_adaptation = { references = [1, 20, 40, 60], p = 1.0 }";
