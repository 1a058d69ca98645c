use super::{Mask, Sample};
use crate::image::Size;

/// How a spatial op moves points: an affine map from the image that came in to the one that goes out, in continuous
/// coordinates where (0, 0) is the left upper corner of the left upper pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Geometry {
    /// `x' = a x + b y + c` and `y' = d x + e y + f`, as `[a, b, c, d, e, f]`. Invertible.
    pub matrix: [f64; 6],
    /// Size of the image that goes out.
    pub size: Size,
}

impl Geometry {
    /// Cuts out what begins at `(x, y)`; negative where padding comes before the image.
    pub fn crop(x: i64, y: i64, size: Size) -> Self {
        Geometry { matrix: [1.0, 0.0, -(x as f64), 0.0, 1.0, -(y as f64)], size }
    }

    /// Stretches the window at `(x, y)` of size `from` to `to`.
    pub fn stretch((x, y): (u32, u32), from: Size, to: Size) -> Self {
        let (sx, sy) = (f64::from(to.width) / f64::from(from.width), f64::from(to.height) / f64::from(from.height));
        Geometry { matrix: [sx, 0.0, -f64::from(x) * sx, 0.0, sy, -f64::from(y) * sy], size: to }
    }

    /// Mirrors left and right.
    pub fn mirror_x(size: Size) -> Self {
        Geometry { matrix: [-1.0, 0.0, f64::from(size.width), 0.0, 1.0, 0.0], size }
    }

    /// Mirrors top and bottom.
    pub fn mirror_y(size: Size) -> Self {
        Geometry { matrix: [1.0, 0.0, 0.0, 0.0, -1.0, f64::from(size.height)], size }
    }

    /// Turns an image of `size` counter-clockwise by `turns` quarters.
    pub fn quarter_turns(turns: u32, size: Size) -> Self {
        let (w, h) = (f64::from(size.width), f64::from(size.height));
        match turns % 4 {
            0 => Geometry { matrix: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], size },
            1 => Geometry { matrix: [0.0, 1.0, 0.0, -1.0, 0.0, w], size: size.transposed() },
            2 => Geometry { matrix: [-1.0, 0.0, w, 0.0, -1.0, h], size },
            _ => Geometry { matrix: [0.0, -1.0, h, 1.0, 0.0, 0.0], size: size.transposed() },
        }
    }

    /// Where a point in continuous coordinates goes.
    pub fn point(&self, x: f64, y: f64) -> (f64, f64) {
        let [a, b, c, d, e, f] = self.matrix;
        (a * x + b * y + c, d * x + e * y + f)
    }

    /// Moves boxes (the hull of their corners), masks (nearest pixel; 0 beyond the edge) and keypoints of `sample`. Boxes are
    /// not clipped here.
    pub fn move_annotations(&self, sample: &mut Sample<'_>) {
        for b in &mut sample.boxes {
            let corners = [(b.x_min, b.y_min), (b.x_max, b.y_min), (b.x_min, b.y_max), (b.x_max, b.y_max)];
            let moved = corners.map(|(x, y)| self.point(x, y));
            b.x_min = moved.iter().map(|p| p.0).fold(f64::INFINITY, f64::min);
            b.x_max = moved.iter().map(|p| p.0).fold(f64::NEG_INFINITY, f64::max);
            b.y_min = moved.iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
            b.y_max = moved.iter().map(|p| p.1).fold(f64::NEG_INFINITY, f64::max);
        }
        for point in &mut sample.keypoints {
            let (x, y) = self.point(point.x + 0.5, point.y + 0.5);
            (point.x, point.y) = (x - 0.5, y - 0.5);
        }
        for mask in &mut sample.masks {
            *mask = self.moved_mask(mask);
        }
    }

    fn moved_mask(&self, mask: &Mask) -> Mask {
        let [a, b, c, d, e, f] = self.matrix;
        let determinant = a * e - b * d;
        let mut classes = Vec::with_capacity(self.size.area() as usize);
        for row in 0..self.size.height {
            for column in 0..self.size.width {
                let (x, y) = (f64::from(column) + 0.5 - c, f64::from(row) + 0.5 - f);
                let source_x = ((e * x - b * y) / determinant).floor();
                let source_y = ((a * y - d * x) / determinant).floor();
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
}
