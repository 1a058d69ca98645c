use super::{BoundingBox, Geometry, Keypoint};
use crate::image::Size;

/// What becomes of boxes and keypoints when ops move them: some leave the image in part or whole, or become too small to learn
/// from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    /// Of boxes.
    pub boxes: BoxRules,
    /// Of keypoints.
    pub keypoints: KeypointRules,
}

/// Which boxes stay. After every op a box is clipped to the image; it stays if enough is left: albumentations' `BboxParams`
/// (`filter_bboxes`, with `check_each_transform`), computed with 64 bits where albumentations has 32.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BoxRules {
    /// Least area, in square pixels.
    pub min_area: f64,
    /// Least share of its area, before it was clipped after the last op, that is inside of the image.
    pub min_visibility: f64,
    /// Least width, in pixels.
    pub min_width: f64,
    /// Least height, in pixels.
    pub min_height: f64,
    /// Whether boxes that reach beyond their image in the dataset are clipped in place of being refused.
    pub clip: bool,
}

/// What becomes of keypoints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeypointRules {
    /// Whether a keypoint out of the image is removed. Otherwise it stays, with visibility 0.
    pub remove_invisible: bool,
    /// Ids that trade places when the image is mirrored, such as left and right eye. No id is in two pairs.
    pub flip_pairs: Vec<(u32, u32)>,
}

/// How far a box may reach beyond its image in the dataset, as a share of the image's side, and count as inside: rounding of
/// files that keep six digits. It is clipped.
pub const EDGE: f64 = 1e-4;

/// albumentations' tolerance, in pixels and square pixels.
const EPSILON: f64 = 1e-7;

impl BoxRules {
    /// Clips boxes to an image of `size`, and removes those of which too little is left.
    pub fn filter(&self, boxes: &mut Vec<BoundingBox>, size: Size) {
        boxes.retain_mut(|own| {
            let before = own.area();
            *own = own.clipped([0.0, 0.0, f64::from(size.width), f64::from(size.height)]);
            self.keeps(own, before)
        });
    }

    /// Whether a box stays of which `left` is left, and which had the area `before`.
    pub fn keeps(&self, left: &BoundingBox, before: f64) -> bool {
        // Written so that a box that is no number does not stay.
        before >= EPSILON
            && left.x_max > left.x_min
            && left.y_max > left.y_min
            && left.area() >= self.min_area - EPSILON
            && left.area() / (before + EPSILON) >= self.min_visibility
            && left.x_max - left.x_min >= self.min_width - EPSILON
            && left.y_max - left.y_min >= self.min_height - EPSILON
    }

    /// Whether a box lies inside of an image of `size`, but for [`EDGE`].
    pub fn is_inside(corners: [f64; 4], size: Size) -> bool {
        let (w, h) = (f64::from(size.width), f64::from(size.height));
        let [x_min, y_min, x_max, y_max] = corners;
        x_min >= -EDGE * w && y_min >= -EDGE * h && x_max <= w + EDGE * w && y_max <= h + EDGE * h
    }
}

impl KeypointRules {
    /// Marks or removes the points that are out of an image of `size`. What an op has cut off does not come back.
    pub fn filter(&self, points: &mut Vec<Keypoint>, size: Size) {
        let inside = |point: &Keypoint| {
            point.x >= 0.0 && point.y >= 0.0 && point.x < f64::from(size.width) && point.y < f64::from(size.height)
        };
        if self.remove_invisible {
            points.retain(inside);
        } else {
            points.iter_mut().filter(|point| !inside(point)).for_each(|point| point.visibility = 0.0);
        }
    }

    /// Makes left of right: ids of pairs are swapped, and places too, so that a point is found where its id always is. Of several
    /// instances in one image the first left one trades with the first right one; places stay if there are more of one.
    pub fn mirror(&self, points: &mut [Keypoint]) {
        for (left, right) in &self.flip_pairs {
            let places = |id: u32| -> Vec<usize> { (0..points.len()).filter(|at| points[*at].id == id).collect() };
            let (lefts, rights) = (places(*left), places(*right));
            lefts.iter().for_each(|at| points[*at].id = *right);
            rights.iter().for_each(|at| points[*at].id = *left);
            if lefts.len() == rights.len() {
                lefts.into_iter().zip(rights).for_each(|(a, b)| points.swap(a, b));
            }
        }
    }
}

impl Geometry {
    /// Whether it makes left of right: the turn from the x axis to the y axis is the other way round, in the middle of an image
    /// of `size`.
    pub fn mirrors(&self, size: Size) -> bool {
        let (x, y) = (f64::from(size.width) / 2.0, f64::from(size.height) / 2.0);
        let ((x0, y0), (x1, y1), (x2, y2)) = (self.point(x, y), self.point(x + 1.0, y), self.point(x, y + 1.0));
        (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0) < 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(100, 50);

    fn kept(rules: BoxRules, corners: [f64; 4]) -> Option<[f64; 4]> {
        let mut boxes = vec![BoundingBox::with_corners(corners, 3)];
        rules.filter(&mut boxes, SIZE);
        boxes.first().map(BoundingBox::corners)
    }

    #[test]
    fn boxes_are_clipped_and_go_when_too_little_is_left() {
        let none = BoxRules::default();
        assert_eq!(kept(none, [-10.0, 10.0, 30.0, 60.0]), Some([0.0, 10.0, 30.0, 50.0]));
        assert_eq!(kept(none, [-10.0, 10.0, 0.0, 20.0]), None, "touching the edge is out");
        assert_eq!(kept(none, [10.0, 10.0, 10.0, 20.0]), None);
        assert_eq!(kept(none, [f64::NAN, 10.0, 20.0, 20.0]), None);
        assert_eq!(kept(none, [0.0, 0.0, f64::INFINITY, 20.0]), Some([0.0, 0.0, 100.0, 20.0]));
        let half = [-10.0, 0.0, 10.0, 10.0];
        let rules = [
            (BoxRules { min_visibility: 0.49, ..none }, true),
            (BoxRules { min_visibility: 0.51, ..none }, false),
            (BoxRules { min_area: 100.0, ..none }, true),
            (BoxRules { min_area: 101.0, ..none }, false),
            (BoxRules { min_width: 10.0, min_height: 10.0, ..none }, true),
            (BoxRules { min_width: 10.5, ..none }, false),
            (BoxRules { min_height: 10.5, ..none }, false),
        ];
        for (rules, stays) in rules {
            assert_eq!(kept(rules, half).is_some(), stays, "{rules:?}");
        }
    }

    #[test]
    fn rounding_at_the_edge_is_inside() {
        assert!(BoxRules::is_inside([-0.005, 0.0, 100.009, 50.004], SIZE));
        for beyond in [[-0.02, 0.0, 9.0, 9.0], [0.0, 0.0, 9.0, 50.01], [f64::NAN, 0.0, 9.0, 9.0]] {
            assert!(!BoxRules::is_inside(beyond, SIZE), "{beyond:?}");
        }
    }

    #[test]
    fn keypoints_out_of_the_image_are_marked_or_removed() {
        let points = [(0.0, 0.0), (99.9, 49.9), (100.0, 0.0), (-0.1, 3.0)].map(|(x, y)| Keypoint::new(x, y));
        let mut marked = points.to_vec();
        KeypointRules::default().filter(&mut marked, SIZE);
        assert_eq!(marked.iter().map(|point| point.visibility).collect::<Vec<_>>(), [2.0, 2.0, 0.0, 0.0]);
        let mut removed = points.to_vec();
        KeypointRules { remove_invisible: true, ..Default::default() }.filter(&mut removed, SIZE);
        assert_eq!(removed, points[..2]);
    }

    #[test]
    fn mirrored_pairs_trade_ids_and_places() {
        let rules = KeypointRules { flip_pairs: vec![(1, 2)], ..Default::default() };
        let point = |x: f64, id| Keypoint { id, ..Keypoint::new(x, 0.0) };
        // Two persons: nose, left eye, right eye.
        let mut points =
            vec![point(50.0, 0), point(60.0, 1), point(40.0, 2), point(5.0, 0), point(6.0, 1), point(4.0, 2)];
        rules.mirror(&mut points);
        let found: Vec<_> = points.iter().map(|point| (point.x, point.id)).collect();
        assert_eq!(found, [(50.0, 0), (40.0, 1), (60.0, 2), (5.0, 0), (4.0, 1), (6.0, 2)]);
        let mut alone = vec![point(60.0, 1)];
        rules.mirror(&mut alone);
        assert_eq!((alone[0].x, alone[0].id), (60.0, 2), "the one that is left is another one now");
    }

    #[test]
    fn only_maps_that_make_left_of_right_mirror() {
        let turned = |turns| Geometry::quarter_turns(turns, SIZE);
        assert!(Geometry::mirror_x(SIZE).mirrors(SIZE) && Geometry::mirror_y(SIZE).mirrors(SIZE));
        assert!((0..4).all(|turns| !turned(turns).mirrors(SIZE)));
        assert!(!Geometry::crop(-3, 5, SIZE).mirrors(SIZE));
    }
}
