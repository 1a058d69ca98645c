use std::sync::Arc;

use crate::image::{Image, Size};

mod box_format;
mod geometry;
mod rules;
mod table;

pub use box_format::BoxFormat;
pub use geometry::{Field, Geometry, Hull, Lines, Map};
pub use rules::{BoxRules, EDGE, KeypointRules, Rules};
pub use table::{AnnotatedBox, AnnotationTable, Annotations};

/// One image with its annotations. Spatial ops move all of them together, other ops change the image alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample<'a> {
    /// The image.
    pub image: Image<'a>,
    /// Class, an index into the dataset's classes; -1 without classes.
    pub label: i64,
    /// Bounding boxes in pixels.
    pub boxes: Vec<BoundingBox>,
    /// Classes of every pixel, each of the image's size. Their number is the same for all samples of a split.
    pub masks: Vec<Mask>,
    /// Points in pixels.
    pub keypoints: Vec<Keypoint>,
    /// What becomes of boxes and keypoints that leave the image; nothing, if there are no rules.
    pub rules: Option<Arc<Rules>>,
}

impl<'a> Sample<'a> {
    /// An image with a class and nothing else.
    pub fn new(image: Image<'a>, label: i64) -> Self {
        Sample { image, label, boxes: Vec::new(), masks: Vec::new(), keypoints: Vec::new(), rules: None }
    }

    /// The same, with the pixels of this one as long as nothing changes them.
    pub(crate) fn borrowed(&self) -> Sample<'_> {
        let Sample { image, label, boxes, masks, keypoints, rules } = self;
        let (boxes, masks, keypoints) = (boxes.clone(), masks.clone(), keypoints.clone());
        Sample { image: image.borrowed(), label: *label, boxes, masks, keypoints, rules: rules.clone() }
    }

    /// Applies its rules after an op; `mirrored` tells whether that op made left of right.
    pub fn settle(&mut self, mirrored: bool) {
        let Some(rules) = &self.rules else { return };
        rules.boxes.filter(&mut self.boxes, self.image.size());
        if mirrored {
            rules.keypoints.mirror(&mut self.keypoints);
        }
        rules.keypoints.filter(&mut self.keypoints, self.image.size());
    }

    /// Whether nothing is marked on the image.
    pub fn is_bare(&self) -> bool {
        self.boxes.is_empty() && self.masks.is_empty() && self.keypoints.is_empty()
    }

    /// Whether it matters if an op mirrors the image.
    pub fn has_sides(&self) -> bool {
        !self.keypoints.is_empty() && self.rules.as_ref().is_some_and(|rules| !rules.keypoints.flip_pairs.is_empty())
    }
}

/// A box from `(x_min, y_min)` to `(x_max, y_max)`, in pixels, where the left upper corner of the image is (0, 0) and the right
/// lower one (width, height): Pascal VOC's convention as torchvision's XYXY.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoundingBox {
    /// Left edge.
    pub x_min: f64,
    /// Upper edge.
    pub y_min: f64,
    /// Right edge.
    pub x_max: f64,
    /// Lower edge.
    pub y_max: f64,
    /// Class, an index into the dataset's classes of boxes; -1 without one.
    pub label: i64,
}

impl BoundingBox {
    /// `[x_min, y_min, x_max, y_max]`.
    pub fn corners(&self) -> [f64; 4] {
        [self.x_min, self.y_min, self.x_max, self.y_max]
    }

    /// A box with these corners.
    pub fn with_corners([x_min, y_min, x_max, y_max]: [f64; 4], label: i64) -> Self {
        BoundingBox { x_min, y_min, x_max, y_max, label }
    }

    /// Square pixels; negative for a box that is inside out in one direction.
    pub fn area(&self) -> f64 {
        (self.x_max - self.x_min) * (self.y_max - self.y_min)
    }

    /// The part of it from `(x_min, y_min)` to `(x_max, y_max)`; inside out or empty if there is none.
    #[must_use]
    pub fn clipped(&self, [x_min, y_min, x_max, y_max]: [f64; 4]) -> Self {
        BoundingBox {
            x_min: self.x_min.max(x_min).min(x_max),
            y_min: self.y_min.max(y_min).min(y_max),
            x_max: self.x_max.max(x_min).min(x_max),
            y_max: self.y_max.max(y_min).min(y_max),
            label: self.label,
        }
    }
}

/// A point, in pixels, where the centre of the left upper pixel is (0, 0): so flipping a row of `width` maps x to
/// `width - 1 - x`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Keypoint {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
    /// Which point it is, such as the left eye: an index into the dataset's names of keypoints.
    pub id: u32,
    /// As in COCO: 0 not labelled or out of the image, 1 labelled but hidden, 2 visible.
    pub visibility: f32,
}

impl Keypoint {
    /// A visible point of id 0.
    pub fn new(x: f64, y: f64) -> Self {
        Keypoint { x, y, id: 0, visibility: VISIBLE }
    }
}

/// Visibility of a keypoint that nothing is said of.
pub const VISIBLE: f32 = 2.0;

/// The class of every pixel, rows top down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    /// Width and height.
    pub size: Size,
    /// As many values as `size.area()`.
    pub classes: Vec<u8>,
}
