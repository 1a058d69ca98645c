use crate::image::Size;

/// How the four numbers of a box are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BoxFormat {
    /// `[x_min, y_min, x_max, y_max]` in pixels.
    #[default]
    PascalVoc,
    /// `[x_min, y_min, width, height]` in pixels.
    Coco,
    /// `[x_centre, y_centre, width, height]` as fractions of the image's width and height.
    Yolo,
    /// `[x_min, y_min, x_max, y_max]` as fractions of the image's width and height: albumentations' own.
    Normalized,
}

impl BoxFormat {
    /// The format of that name.
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    }

    /// The names of all formats.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// Whether the numbers are fractions of the image's sides.
    pub fn is_normalized(self) -> bool {
        matches!(self, BoxFormat::Yolo | BoxFormat::Normalized)
    }

    /// The corners of a box in this format, in the same unit.
    pub fn to_corners(self, [a, b, c, d]: [f64; 4]) -> [f64; 4] {
        match self {
            BoxFormat::PascalVoc | BoxFormat::Normalized => [a, b, c, d],
            BoxFormat::Coco => [a, b, a + c, b + d],
            BoxFormat::Yolo => [a - c / 2.0, b - d / 2.0, a + c / 2.0, b + d / 2.0],
        }
    }

    /// A box with these corners, in pixels of an image of `size`, in this format.
    pub fn of_corners(self, [x_min, y_min, x_max, y_max]: [f64; 4], size: Size) -> [f64; 4] {
        let (w, h) = (f64::from(size.width), f64::from(size.height));
        match self {
            BoxFormat::PascalVoc => [x_min, y_min, x_max, y_max],
            BoxFormat::Coco => [x_min, y_min, x_max - x_min, y_max - y_min],
            BoxFormat::Yolo => {
                [(x_min + x_max) / 2.0 / w, (y_min + y_max) / 2.0 / h, (x_max - x_min) / w, (y_max - y_min) / h]
            }
            BoxFormat::Normalized => [x_min / w, y_min / h, x_max / w, y_max / h],
        }
    }
}

const NAMES: [(&str, BoxFormat); 5] = [
    ("pascal_voc", BoxFormat::PascalVoc),
    ("coco", BoxFormat::Coco),
    ("yolo", BoxFormat::Yolo),
    ("normalized", BoxFormat::Normalized),
    ("albumentations", BoxFormat::Normalized),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_says_the_same_box() {
        let (size, corners) = (Size::new(200, 100), [20.0, 10.0, 120.0, 60.0]);
        for (name, numbers) in [
            ("pascal_voc", [20.0, 10.0, 120.0, 60.0]),
            ("coco", [20.0, 10.0, 100.0, 50.0]),
            ("yolo", [0.35, 0.35, 0.5, 0.5]),
            ("normalized", [0.1, 0.1, 0.6, 0.6]),
            ("albumentations", [0.1, 0.1, 0.6, 0.6]),
        ] {
            let format = BoxFormat::named(name).expect("known");
            assert_eq!(format.of_corners(corners, size), numbers, "{name}");
            let scale = if format.is_normalized() { [200.0, 100.0, 200.0, 100.0] } else { [1.0; 4] };
            let back = format.to_corners(numbers);
            for side in 0..4 {
                assert!((back[side] * scale[side] - corners[side]).abs() < 1e-12, "{name}: {back:?}");
            }
        }
        assert_eq!(BoxFormat::named("xyxy"), None);
    }
}
