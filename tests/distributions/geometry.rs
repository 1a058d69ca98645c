//! Geometry ops. The image has 40 columns and 30 rows.

use crate::Case;
use crate::Distribution::{HalfNormal, Integers, Uniform};

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
        case("d4 = {}", "", Integers(0, 7)),
        case(r#"pad_if_needed = { min_height = 50, min_width = 44, position = "random" }"#, "/left", Integers(0, 4)),
        case(r#"pad_if_needed = { min_height = 50, min_width = 44, position = "random" }"#, "/top", Integers(0, 20)),
        case("longest_max_size = { max_size = [20, 30, 40] }", "/index", Integers(0, 2)),
        case("smallest_max_size = { max_size = [20, 30, 40] }", "/index", Integers(0, 2)),
        case("affine = { scale = [0.5, 1.5], p = 1 }", "/scale/0", Uniform(0.5, 1.5)),
        case("affine = { scale = [0.5, 1.5], p = 1 }", "/scale/1", Uniform(0.5, 1.5)),
        case("affine = { scale = [0.5, 1.5], balanced_scale = true, p = 1 }", "/scale/0", Uniform(0.5, 1.5)),
        case("affine = { scale_y = [2, 3], p = 1 }", "/scale/1", Uniform(2.0, 3.0)),
        case("affine = { rotate = [-30, 10], p = 1 }", "/rotate", Uniform(-30.0, 10.0)),
        case("affine = { shear_x = [-10, 20], p = 1 }", "/shear/0", Uniform(-10.0, 20.0)),
        case("affine = { shear_y = [-10, 20], p = 1 }", "/shear/1", Uniform(-10.0, 20.0)),
        case("affine = { translate_px_x = [-2, 5], p = 1 }", "/translate/0", Integers(-2, 5)),
        case("affine = { translate_px_y = [-2, 5], p = 1 }", "/translate/1", Integers(-2, 5)),
        // Cut off to whole pixels: from 0 to what is below the end.
        case("affine = { translate_x = [0, 0.25], p = 1 }", "/translate/0", Integers(0, 9)),
        case("affine = { translate_y = [0, 0.5], p = 1 }", "/translate/1", Integers(0, 14)),
        case("rotate = { p = 1 }", "", Uniform(-90.0, 90.0)),
        case("shift_scale_rotate = { shift_x = [0, 0.25], p = 1 }", "/translate/0", Integers(0, 9)),
        case("shift_scale_rotate = { shift_y = [0, 0.5], p = 1 }", "/translate/1", Integers(0, 14)),
        case("shift_scale_rotate = { p = 1 }", "/scale/0", Uniform(0.9, 1.1)),
        case("shift_scale_rotate = { p = 1 }", "/scale/1", Uniform(0.9, 1.1)),
        case("shift_scale_rotate = { p = 1 }", "/rotate", Uniform(-45.0, 45.0)),
        // A twentieth of the width.
        case("perspective = { scale = [0.05, 0.05], p = 1 }", "/points/0/0", HalfNormal(2.0)),
        case("perspective = { scale = [0.05, 0.05], p = 1 }", "/points/1/1", HalfNormal(1.5)),
        // Half the sides are 20 and 15 pixels, half of those 10 and 7.
        case(r#"perspective = { method = "torchvision", p = 1 }"#, "/points/0/0", Integers(0, 10)),
        case(r#"perspective = { method = "torchvision", p = 1 }"#, "/points/2/0", Integers(29, 39)),
        case(r#"perspective = { method = "torchvision", p = 1 }"#, "/points/3/1", Integers(22, 29)),
        case("elastic = { sigma = 0.5, p = 1 }", "/seed", Uniform(0.0, 9_007_199_254_740_992.0)),
        case("grid_distortion = { p = 1 }", "/x/0", Uniform(-0.3, 0.3)),
        case("grid_distortion = { p = 1 }", "/y/5", Uniform(-0.3, 0.3)),
        case("optical_distortion = { p = 1 }", "", Uniform(-0.05, 0.05)),
        case("random_scale = { scale = [0.5, 1.5], p = 1 }", "", Uniform(0.5, 1.5)),
        case(
            "random_sized_crop = { height = 8, width = 8, min_max_height = [10, 20] }",
            "/size/height",
            Integers(10, 20),
        ),
        case("random_sized_crop = { height = 8, width = 8, min_max_height = [10, 10] }", "/x", Integers(0, 30)),
        case("random_sized_crop = { height = 8, width = 8, min_max_height = [10, 10] }", "/y", Integers(0, 20)),
        case("random_zoom_out = { p = 1 }", "/ratio", Uniform(1.0, 4.0)),
        case("random_zoom_out = { side_range = [1.5, 1.5], p = 1 }", "/left", Integers(0, 19)),
        case("random_zoom_out = { side_range = [1.5, 1.5], p = 1 }", "/top", Integers(0, 14)),
    ]
}
