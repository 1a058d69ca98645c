use crate::image::{Image, Size, Window};
use crate::sample::{BoundingBox, Keypoint, Mask, Rules, Sample};

/// What is marked on the image of a row: what travels beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Marks {
    /// Size of the image.
    pub size: Size,
    /// Boxes in pixels.
    pub boxes: Vec<BoundingBox>,
    /// Keypoints in pixels.
    pub keypoints: Vec<Keypoint>,
    /// Masks of the image's size.
    pub masks: Vec<Mask>,
}

impl Marks {
    /// Takes the annotations out of a sample, and leaves its image.
    pub fn take(sample: &mut Sample<'_>) -> Self {
        Marks {
            size: sample.image.size(),
            boxes: std::mem::take(&mut sample.boxes),
            keypoints: std::mem::take(&mut sample.keypoints),
            masks: std::mem::take(&mut sample.masks),
        }
    }

    /// Marks of an image that is blended of two: all boxes and keypoints of both. A blend has no mask: those of the row stay.
    #[must_use]
    pub fn blended(&self, partner: &Marks) -> Self {
        Marks {
            boxes: [&self.boxes[..], &partner.boxes[..]].concat(),
            keypoints: [&self.keypoints[..], &partner.keypoints[..]].concat(),
            ..self.clone()
        }
    }

    /// Marks of an image into which `window` of the partner is pasted.
    ///
    /// - A box of the row shrinks to what the window leaves of it, where the window cuts off a whole side, and goes if less than
    ///   `min_visibility` of it is left; a box of the partner is cut to the window. Both must keep the other rules too.
    /// - Keypoints of the row under the window are out of the image, with what the rules say of that; those of the partner in the
    ///   window come, and its others do not.
    /// - Masks are pasted as the image is.
    #[must_use]
    pub fn pasted(&self, partner: &Marks, window: Window, rules: &Rules) -> Self {
        let (x, y) = (f64::from(window.x), f64::from(window.y));
        let edges = [x, y, x + f64::from(window.size.width), y + f64::from(window.size.height)];
        let own = self.boxes.iter().filter_map(|own| {
            let hidden = own.clipped(edges).area().max(0.0);
            let (before, left) = (own.area(), uncovered(own, edges));
            let visible = (before - hidden) / before >= rules.boxes.min_visibility;
            (visible && rules.boxes.keeps(&left, before)).then_some(left)
        });
        let pasted = partner.boxes.iter().filter_map(|own| {
            let left = own.clipped(edges);
            rules.boxes.keeps(&left, own.area()).then_some(left)
        });
        let boxes = own.chain(pasted).collect();
        // A keypoint is at the centre of its pixel.
        let under = |point: &Keypoint| {
            let (x, y) = (point.x + 0.5, point.y + 0.5);
            x >= edges[0] && y >= edges[1] && x < edges[2] && y < edges[3]
        };
        let own = self.keypoints.iter().filter_map(|point| match under(point) {
            false => Some(*point),
            true if rules.keypoints.remove_invisible => None,
            true => Some(Keypoint { visibility: 0.0, ..*point }),
        });
        let keypoints = own.chain(partner.keypoints.iter().filter(|point| under(point)).copied()).collect();
        let masks =
            self.masks.iter().zip(&partner.masks).map(|(own, partner)| pasted_mask(own, partner, window)).collect();
        Marks { size: self.size, boxes, keypoints, masks }
    }
}

/// The hull of what a window leaves of a box.
fn uncovered(own: &BoundingBox, [x1, y1, x2, y2]: [f64; 4]) -> BoundingBox {
    let mut left = *own;
    if y1 <= own.y_min && y2 >= own.y_max {
        if x1 <= own.x_min {
            left.x_min = own.x_min.max(x2);
        }
        if x2 >= own.x_max {
            left.x_max = own.x_max.min(x1);
        }
    }
    if x1 <= own.x_min && x2 >= own.x_max {
        if y1 <= own.y_min {
            left.y_min = own.y_min.max(y2);
        }
        if y2 >= own.y_max {
            left.y_max = own.y_max.min(y1);
        }
    }
    left
}

fn pasted_mask(own: &Mask, partner: &Mask, window: Window) -> Mask {
    let image = |mask: &Mask| Image::from_u8(mask.size, 1, mask.classes.clone());
    let mut onto = image(own);
    super::paste(&mut onto, &image(partner), window);
    Mask { size: own.size, classes: onto.as_u8().map(<[u8]>::to_vec).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{BoxRules, KeypointRules};

    const SIZE: Size = Size::new(10, 10);

    fn marks(boxes: &[[f64; 4]], label: i64) -> Marks {
        let boxes = boxes.iter().map(|corners| BoundingBox::with_corners(*corners, label)).collect();
        let mask = Mask { size: SIZE, classes: vec![label as u8; 100] };
        Marks {
            size: SIZE,
            boxes,
            keypoints: vec![Keypoint::new(2.0, 2.0), Keypoint::new(7.0, 7.0)],
            masks: vec![mask],
        }
    }

    fn window(x: u32, y: u32, width: u32, height: u32) -> Window {
        Window { x, y, size: Size::new(width, height) }
    }

    #[test]
    fn a_blend_has_the_marks_of_both() {
        let both = marks(&[[0.0, 0.0, 4.0, 4.0]], 1).blended(&marks(&[[5.0, 5.0, 9.0, 9.0]], 2));
        assert_eq!(both.boxes.iter().map(|own| own.label).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(both.keypoints.len(), 4);
    }

    #[test]
    fn a_pasted_window_cuts_boxes_of_both() {
        let own = marks(&[[0.0, 0.0, 8.0, 4.0], [5.0, 0.0, 7.0, 2.0], [0.0, 5.0, 10.0, 10.0]], 1);
        let partner = marks(&[[0.0, 0.0, 6.0, 6.0], [0.0, 8.0, 2.0, 10.0]], 2);
        let mixed = own.pasted(&partner, window(4, 0, 6, 6), &Rules::default());
        let found: Vec<_> = mixed.boxes.iter().map(|own| (own.corners(), own.label)).collect();
        let expected = [
            ([0.0, 0.0, 4.0, 4.0], 1),
            // A corner is cut off: what is left still reaches as far.
            ([0.0, 5.0, 10.0, 10.0], 1),
            ([4.0, 0.0, 6.0, 6.0], 2),
        ];
        assert_eq!(found, expected);
        let mask = &mixed.masks[0].classes;
        assert_eq!((mask[3], mask[4], mask[59], mask[69]), (1, 2, 2, 1));
    }

    #[test]
    fn what_is_too_little_goes_by_the_rules() {
        let own = marks(&[[0.0, 0.0, 8.0, 4.0]], 1);
        let rules =
            |min_visibility| Rules { boxes: BoxRules { min_visibility, ..Default::default() }, ..Default::default() };
        let none = marks(&[], 2);
        assert_eq!(own.pasted(&none, window(4, 0, 6, 6), &rules(0.49)).boxes.len(), 1);
        assert_eq!(own.pasted(&none, window(4, 0, 6, 6), &rules(0.51)).boxes.len(), 0);
        // A hole in the middle leaves the corners, but not all of the area.
        assert_eq!(own.pasted(&none, window(1, 1, 6, 2), &rules(0.7)).boxes.len(), 0);
        assert_eq!(own.pasted(&none, window(0, 0, 10, 10), &rules(0.0)).boxes.len(), 0);
    }

    #[test]
    fn keypoints_under_the_window_are_out_of_the_image() {
        let (own, partner) = (marks(&[], 1), marks(&[], 2));
        let mixed = own.pasted(&partner, window(0, 0, 3, 3), &Rules::default());
        let found: Vec<_> = mixed.keypoints.iter().map(|point| (point.x, point.visibility)).collect();
        assert_eq!(found, [(2.0, 0.0), (7.0, 2.0), (2.0, 2.0)]);
        let keypoints = KeypointRules { remove_invisible: true, ..Default::default() };
        let removed = own.pasted(&partner, window(0, 0, 3, 3), &Rules { keypoints, ..Default::default() });
        assert_eq!(removed.keypoints.len(), 2);
    }
}
