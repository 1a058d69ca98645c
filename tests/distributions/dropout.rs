//! Dropouts. The image has 40 columns and 30 rows.

use crate::Case;
use crate::Distribution::Integers;
use crate::noise::SEED;

pub(crate) fn cases() -> Vec<Case> {
    let case = |op, pointer, distribution| Case { op, pointer, distribution };
    vec![
        case(COARSE, "/holes/0/width", Integers(2, 9)),
        case(COARSE, "/holes/2/height", Integers(3, 5)),
        case(COARSE, "/seed", SEED),
        case("coarse_dropout = { hole_height = [8, 8], hole_width = [5, 5], p = 1 }", "/holes/0/x", Integers(0, 35)),
        case("coarse_dropout = { hole_height = [8, 8], hole_width = [5, 5], p = 1 }", "/holes/0/y", Integers(0, 22)),
        // From 4 and 3 to 12 and 9, the fractions cut off.
        case(
            "coarse_dropout = { hole_height = [0.1, 0.3], hole_width = [0.1, 0.3], p = 1 }",
            "/holes/0/height",
            Integers(3, 8),
        ),
        // A square of 17 x 17.
        case(ERASING, "/holes/0/x", Integers(0, 23)),
        case(ERASING, "/holes/0/y", Integers(0, 13)),
        case(ERASING, "/seed", SEED),
        // A square of 17 x 17 by the method albumentations too.
        case(ERASING_FITTING, "/holes/0/x", Integers(0, 23)),
        case(ERASING_FITTING, "/holes/0/y", Integers(0, 13)),
        // Cells of 4 x 3 with holes of 2 x 1.
        case("grid_dropout = { p = 1 }", "/holes/0/x", Integers(0, 2)),
        case("grid_dropout = { p = 1 }", "/holes/99/y", Integers(27, 29)),
        case("grid_dropout = { p = 1 }", "/seed", SEED),
        case("pixel_dropout = { p = 1 }", "", SEED),
    ]
}

const COARSE: &str = "coarse_dropout = { num_holes = [3, 3], hole_height = [3, 5], hole_width = [2, 9], p = 1 }";
const ERASING: &str = "random_erasing = { scale = [0.25, 0.25], ratio = [1, 1], p = 1 }";
const ERASING_FITTING: &str =
    "random_erasing = { method = \"albumentations\", scale = [0.25, 0.25], ratio = [1, 1], p = 1 }";
