//! Geometry ops. The image has 40 columns and 30 rows.

use crate::Case;
use crate::Distribution::{Integers, Uniform};

pub(crate) fn cases() -> Vec<Case> {
    let case = |op, pointer, distribution| Case { op, pointer, distribution };
    vec![
        case("central_crop = { fraction = [0.25, 1.0] }", "", Uniform(0.25, 1.0)),
        case("random_crop = { height = 10, width = 20 }", "/x", Integers(0, 20)),
        case("random_crop = { height = 10, width = 20 }", "/y", Integers(0, 20)),
        case("random_crop = { height = 10, width = 20, padding = 3 }", "/x", Integers(-3, 23)),
        // A window of 17 x 17.
        case(
            "random_resized_crop = { height = 8, width = 8, scale = [0.25, 0.25], ratio = [1, 1] }",
            "/x",
            Integers(0, 23),
        ),
        case(
            "random_resized_crop = { height = 8, width = 8, scale = [0.25, 0.25], ratio = [1, 1] }",
            "/y",
            Integers(0, 13),
        ),
        case("rot90 = {}", "", Integers(0, 3)),
    ]
}
