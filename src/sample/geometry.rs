use super::{Mask, Sample};
use crate::image::Size;

/// Maps that no formula describes: a source for every pixel.
mod field;

/// The same for maps that move whole rows and columns.
mod lines;

pub use field::Field;
pub use lines::Lines;

/// How a spatial op moves points: from the image that came in to the one that goes out, in continuous coordinates where (0, 0)
/// is the left upper corner of the left upper pixel.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// Where a point goes.
    pub map: Map,
    /// Size of the image that goes out.
    pub size: Size,
    /// Which points of a box make the box that goes out.
    pub hull: Hull,
}

/// Where points go.
#[derive(Clone, Debug, PartialEq)]
pub enum Map {
    /// `x' = a x + b y + c` and `y' = d x + e y + f`, as `[a, b, c, d, e, f]`. Invertible.
    Affine([f64; 6]),
    /// The same with both divided by `g x + h y + i`, as `[a, b, c, d, e, f, g, h, i]`. Invertible.
    Projective([f64; 9]),
    /// A source for every pixel that goes out.
    Field(Field),
    /// A source for every column and every row that goes out.
    Lines(Lines),
}

/// Which points of a box make the box around it after a map: for a curved one always points along its edges, eight for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hull {
    /// Its corners: the least box that holds all of the old one.
    #[default]
    Corners,
    /// 360 points of the ellipse within it: a turned box grows less.
    Ellipse,
}

impl Geometry {
    /// An affine map, as `[a, b, c, d, e, f]`.
    pub fn affine(matrix: [f64; 6], size: Size) -> Self {
        Geometry { map: Map::Affine(matrix), size, hull: Hull::Corners }
    }

    /// Cuts out what begins at `(x, y)`; negative where padding comes before the image.
    pub fn crop(x: i64, y: i64, size: Size) -> Self {
        Geometry::affine([1.0, 0.0, -(x as f64), 0.0, 1.0, -(y as f64)], size)
    }

    /// Stretches the window at `(x, y)` of size `from` to `to`.
    pub fn stretch((x, y): (u32, u32), from: Size, to: Size) -> Self {
        let (sx, sy) = (f64::from(to.width) / f64::from(from.width), f64::from(to.height) / f64::from(from.height));
        Geometry::affine([sx, 0.0, -f64::from(x) * sx, 0.0, sy, -f64::from(y) * sy], to)
    }

    /// Mirrors left and right.
    pub fn mirror_x(size: Size) -> Self {
        Geometry::affine([-1.0, 0.0, f64::from(size.width), 0.0, 1.0, 0.0], size)
    }

    /// Mirrors top and bottom.
    pub fn mirror_y(size: Size) -> Self {
        Geometry::affine([1.0, 0.0, 0.0, 0.0, -1.0, f64::from(size.height)], size)
    }

    /// Mirrors an image of `size` at its diagonal from the left upper corner.
    pub fn transpose(size: Size) -> Self {
        Geometry::affine([0.0, 1.0, 0.0, 1.0, 0.0, 0.0], size.transposed())
    }

    /// Mirrors an image of `size` at its other diagonal.
    pub fn transverse(size: Size) -> Self {
        let (w, h) = (f64::from(size.width), f64::from(size.height));
        Geometry::affine([0.0, -1.0, h, -1.0, 0.0, w], size.transposed())
    }

    /// Turns an image of `size` counter-clockwise by `turns` quarters.
    pub fn quarter_turns(turns: u32, size: Size) -> Self {
        let (w, h) = (f64::from(size.width), f64::from(size.height));
        match turns % 4 {
            0 => Geometry::affine([1.0, 0.0, 0.0, 0.0, 1.0, 0.0], size),
            1 => Geometry::affine([0.0, 1.0, 0.0, -1.0, 0.0, w], size.transposed()),
            2 => Geometry::affine([-1.0, 0.0, w, 0.0, -1.0, h], size),
            _ => Geometry::affine([0.0, -1.0, h, 1.0, 0.0, 0.0], size.transposed()),
        }
    }

    /// Where a point in continuous coordinates goes.
    pub fn point(&self, x: f64, y: f64) -> (f64, f64) {
        match &self.map {
            Map::Affine([a, b, c, d, e, f]) => (a * x + b * y + c, d * x + e * y + f),
            Map::Projective(matrix) => project(matrix, x, y),
            Map::Field(field) => field.point(x, y),
            Map::Lines(lines) => lines.point(x, y),
        }
    }

    /// Moves boxes, masks (nearest pixel; 0 beyond the edge) and keypoints of `sample`. Boxes are not clipped here.
    pub fn move_annotations(&self, sample: &mut Sample<'_>) {
        self.move_marks(sample);
        for mask in &mut sample.masks {
            *mask = self.moved_mask(mask);
        }
    }

    /// Moves boxes and keypoints of `sample`, and leaves the masks to an op that has a border of its own for it.
    pub fn move_marks(&self, sample: &mut Sample<'_>) {
        for b in &mut sample.boxes {
            let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
            self.outline([b.x_min, b.y_min, b.x_max, b.y_max], |x, y| {
                let moved = self.point(x, y);
                (low, high) =
                    ([low[0].min(moved.0), low[1].min(moved.1)], [high[0].max(moved.0), high[1].max(moved.1)]);
            });
            [b.x_min, b.y_min] = low;
            [b.x_max, b.y_max] = high;
        }
        for point in &mut sample.keypoints {
            let (x, y) = self.point(point.x + 0.5, point.y + 0.5);
            (point.x, point.y) = (x - 0.5, y - 0.5);
        }
    }

    /// The points of a box that decide where it goes.
    fn outline(&self, [x_min, y_min, x_max, y_max]: [f64; 4], mut point: impl FnMut(f64, f64)) {
        if self.hull == Hull::Ellipse {
            let (rx, ry) = ((x_max - x_min) / 2.0, (y_max - y_min) / 2.0);
            for degrees in 0..360 {
                let angle = f64::from(degrees).to_radians();
                point(x_min + rx + rx * libm::sin(angle), y_min + ry + ry * libm::cos(angle));
            }
            return;
        }
        let parts = if matches!(self.map, Map::Field(_)) { 8 } else { 1 };
        for part in 0..=parts {
            // The ends are exact: a whole box of whole numbers stays one.
            let along = |low: f64, high: f64| match part {
                0 => low,
                _ if part == parts => high,
                _ => low + (high - low) * f64::from(part) / f64::from(parts),
            };
            let (x, y) = (along(x_min, x_max), along(y_min, y_max));
            point(x, y_min);
            point(x, y_max);
            point(x_min, y);
            point(x_max, y);
        }
    }

    fn moved_mask(&self, mask: &Mask) -> Mask {
        match &self.map {
            Map::Affine([a, b, c, d, e, f]) => {
                let determinant = a * e - b * d;
                self.picked(mask, |x, y| {
                    let (x, y) = (x - c, y - f);
                    ((e * x - b * y) / determinant, (a * y - d * x) / determinant)
                })
            }
            Map::Projective(matrix) => {
                let inverse = adjugate(matrix);
                self.picked(mask, |x, y| project(&inverse, x, y))
            }
            Map::Field(field) => self.picked(mask, |x, y| field.source(x, y)),
            Map::Lines(lines) => self.picked(mask, |x, y| lines.source(x, y)),
        }
    }

    /// The mask whose pixels are those of `mask` where `source` says.
    fn picked(&self, mask: &Mask, source: impl Fn(f64, f64) -> (f64, f64)) -> Mask {
        let mut classes = Vec::with_capacity(self.size.area() as usize);
        for row in 0..self.size.height {
            for column in 0..self.size.width {
                let (x, y) = source(f64::from(column) + 0.5, f64::from(row) + 0.5);
                let (source_x, source_y) = (x.floor(), y.floor());
                let inside = source_x >= 0.0
                    && source_y >= 0.0
                    && source_x < f64::from(mask.size.width)
                    && source_y < f64::from(mask.size.height);
                let at = source_y as usize * mask.size.width as usize + source_x as usize;
                classes.push(if inside { mask.classes[at] } else { 0 });
            }
        }
        Mask { size: self.size, classes }
    }
}

/// Where a projective map takes a point. What lies on the horizon or behind it goes far away.
fn project(&[a, b, c, d, e, f, g, h, i]: &[f64; 9], x: f64, y: f64) -> (f64, f64) {
    let w = g * x + h * y + i;
    let w = if w.abs() < NEAREST_TO_HORIZON { NEAREST_TO_HORIZON } else { w };
    ((a * x + b * y + c) / w, (d * x + e * y + f) / w)
}

/// The inverse of a 3 x 3 matrix but for a factor, which projective maps have no use for.
fn adjugate(&[a, b, c, d, e, f, g, h, i]: &[f64; 9]) -> [f64; 9] {
    [
        e * i - f * h,
        c * h - b * i,
        b * f - c * e,
        f * g - d * i,
        a * i - c * g,
        c * d - a * f,
        d * h - e * g,
        b * g - a * h,
        a * e - b * d,
    ]
}

/// Least divisor of a projective map.
const NEAREST_TO_HORIZON: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Image;
    use crate::sample::{BoundingBox, Keypoint};

    /// A 3x2 sample whose annotations all mark the pixel in the first row, last column.
    fn marked() -> Sample<'static> {
        let size = Size::new(3, 2);
        Sample {
            image: Image::from_u8(size, 1, vec![0, 0, 9, 0, 0, 0]),
            label: 4,
            boxes: vec![BoundingBox { x_min: 2.0, y_min: 0.0, x_max: 3.0, y_max: 1.0, label: 4 }],
            masks: vec![Mask { size, classes: vec![0, 0, 9, 0, 0, 0] }],
            keypoints: vec![Keypoint::new(2.0, 0.0)],
            rules: None,
        }
    }

    #[test]
    fn boxes_mask_and_keypoints_land_on_the_same_pixel() {
        let size = Size::new(3, 2);
        for (geometry, (x, y)) in [
            (Geometry::mirror_x(size), (0, 0)),
            (Geometry::mirror_y(size), (2, 1)),
            (Geometry::transpose(size), (0, 2)),
            (Geometry::transverse(size), (1, 0)),
            (Geometry::quarter_turns(1, size), (0, 0)),
            (Geometry::quarter_turns(2, size), (0, 1)),
            (Geometry::quarter_turns(3, size), (1, 2)),
            (Geometry::crop(1, 0, Size::new(2, 2)), (1, 0)),
            (Geometry::crop(-1, -1, Size::new(5, 4)), (3, 1)),
        ] {
            let mut sample = marked();
            geometry.move_annotations(&mut sample);
            let mask = &sample.masks[0];
            assert_eq!(mask.size, geometry.size);
            assert_eq!(mask.classes[y * geometry.size.width as usize + x], 9, "{geometry:?}");
            assert_eq!(mask.classes.iter().filter(|class| **class == 9).count(), 1);
            assert_eq!((sample.keypoints[0].x, sample.keypoints[0].y), (x as f64, y as f64), "{geometry:?}");
            let b = sample.boxes[0];
            assert_eq!((b.x_min, b.y_min), (x as f64, y as f64), "{geometry:?}");
            assert_eq!((b.x_max, b.y_max), (x as f64 + 1.0, y as f64 + 1.0), "{geometry:?}");
        }
    }

    #[test]
    fn stretching_doubles_boxes_and_pixels() {
        let mut sample = marked();
        Geometry::stretch((0, 0), Size::new(3, 2), Size::new(6, 4)).move_annotations(&mut sample);
        assert_eq!(sample.masks[0].classes.iter().filter(|class| **class == 9).count(), 4);
        assert_eq!((sample.boxes[0].x_min, sample.boxes[0].x_max), (4.0, 6.0));
    }

    #[test]
    fn a_projective_map_and_a_field_move_what_an_affine_one_moves() {
        let size = Size::new(3, 2);
        let shifted = Geometry::crop(1, 0, size);
        let Map::Affine([a, b, c, d, e, f]) = shifted.map else { panic!("a crop is affine") };
        let projective =
            Geometry { map: Map::Projective([2.0 * a, b, 2.0 * c, d, 2.0 * e, f, 0.0, 0.0, 2.0]), ..shifted.clone() };
        let x = (0..2).flat_map(|_| (0..3).map(|x| x as f32 + 1.0)).collect();
        let y = (0..2).flat_map(|y| [y as f32; 3]).collect();
        let field = Geometry { map: Map::Field(Field::new(size, x, y)), ..shifted.clone() };
        let mut expected = marked();
        shifted.move_annotations(&mut expected);
        for geometry in [projective, field] {
            let mut sample = marked();
            geometry.move_annotations(&mut sample);
            assert_eq!(sample, expected, "{geometry:?}");
        }
    }

    #[test]
    fn a_turned_ellipse_needs_less_room_than_a_turned_box() {
        let (sin, cos) = (libm::sin(0.5), libm::cos(0.5));
        let mut geometry = Geometry::affine([cos, sin, 0.0, -sin, cos, 0.0], Size::new(3, 2));
        let width = |geometry: &Geometry| {
            let mut sample = marked();
            geometry.move_marks(&mut sample);
            sample.boxes[0].x_max - sample.boxes[0].x_min
        };
        let corners = width(&geometry);
        geometry.hull = Hull::Ellipse;
        let ellipse = width(&geometry);
        assert!((corners - (sin + cos)).abs() < 1e-12, "{corners}");
        // A circle turns to a circle.
        assert!((ellipse - 1.0).abs() < 1e-3, "{ellipse}");
    }

    #[test]
    fn points_on_the_horizon_stay_numbers() {
        let map = Map::Projective([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0, 1.0]);
        let geometry = Geometry { map, size: Size::new(3, 2), hull: Hull::Corners };
        assert!((-3..4).all(|x| geometry.point(f64::from(x), 1.0).0.is_finite()));
    }
}
