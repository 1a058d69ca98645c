use crate::image::{Image, Size};

mod geometry;

pub use geometry::{Field, Geometry, Hull, Map};

/// One image with its annotations. Spatial ops move all of them together, other ops change the image alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample<'a> {
    /// The image.
    pub image: Image<'a>,
    /// Class, an index into the dataset's classes; -1 without classes.
    pub label: i64,
    /// Bounding boxes in pixels.
    pub boxes: Vec<BoundingBox>,
    /// Class of every pixel, of the image's size.
    pub mask: Option<Mask>,
    /// Points in pixels.
    pub keypoints: Vec<Keypoint>,
}

impl<'a> Sample<'a> {
    /// An image with a class and nothing else.
    pub fn new(image: Image<'a>, label: i64) -> Self {
        Sample { image, label, boxes: Vec::new(), mask: None, keypoints: Vec::new() }
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
    /// Class.
    pub label: i64,
}

/// A point, in pixels, where the centre of the left upper pixel is (0, 0): so flipping a row of `width` maps x to
/// `width - 1 - x`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Keypoint {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

/// The class of every pixel, rows top down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    /// Width and height.
    pub size: Size,
    /// As many values as `size.area()`.
    pub classes: Vec<u8>,
}
