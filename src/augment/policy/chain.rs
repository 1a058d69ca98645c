use serde::{Deserialize, Serialize};

use super::pillow::Pillow;
use super::tensor::Tensor;
use crate::augment::op::Scratch;
use crate::image::{Image, Size};
use crate::sample::{Geometry, Sample};

/// An op of a chain as it was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Step {
    /// Which.
    pub(super) op: Name,
    /// How much, in what the function of that name of torchvision (or, for timm, of Pillow) takes; see [`Name`]. 0 for ops that take
    /// nothing.
    #[serde(default)]
    pub(super) magnitude: f64,
    /// How Pillow computes moved pixels; bilinear if it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) filter: Option<Filter>,
}

/// An op, and what its magnitude is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Name {
    Identity,
    /// Columns by row. timm: what a column is away, its sign turned.
    ShearX,
    /// Rows by column. timm: as `ShearX`.
    ShearY,
    /// Pixels to the right. timm: to the left.
    TranslateX,
    /// Pixels down. timm: up.
    TranslateY,
    /// Degrees, counter-clockwise.
    Rotate,
    /// Factor minus 1. timm: factor.
    Brightness,
    /// Factor of the saturation minus 1. timm: factor.
    Color,
    /// Factor minus 1. timm: factor.
    Contrast,
    /// Factor minus 1. timm: factor.
    Sharpness,
    /// Bits that are kept.
    Posterize,
    /// Threshold, as a fraction of the full scale. timm: as a value.
    Solarize,
    /// What is added to values below 128.
    SolarizeAdd,
    AutoContrast,
    Equalize,
    Invert,
    /// Radius in pixels.
    GaussianBlur,
}

/// How Pillow computes pixels between pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Filter {
    /// Linear in both directions.
    Bilinear,
    /// Cubic (a = -1) in both directions.
    Bicubic,
}

impl Step {
    /// An op and how much of it.
    pub(super) fn new(op: Name, magnitude: f64) -> Self {
        Step { op, magnitude, filter: None }
    }

    /// Its magnitude within bounds that no draw reaches: records come from users.
    pub(super) fn amount(&self) -> f64 {
        if self.magnitude.is_finite() { self.magnitude.clamp(-MOST, MOST) } else { 0.0 }
    }

    /// Its magnitude as a whole number of `least` to `most`.
    pub(super) fn whole(&self, least: u8, most: u8) -> u8 {
        self.amount().clamp(least.into(), most.into()) as u8
    }
}

/// Greatest magnitude: more than the pixels of any side.
const MOST: f64 = 65_536.0;

/// Whose ops a chain is made of.
pub(super) enum Kernels {
    Tensor(Tensor),
    Pillow(Pillow),
}

impl Kernels {
    /// Applies the steps of a chain in order.
    pub(super) fn apply<'a>(&self, chain: &[Step], image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        chain.iter().fold(image, |image, step| match self {
            Kernels::Tensor(tensor) => tensor.apply(step, image, scratch),
            Kernels::Pillow(pillow) => pillow.apply(step, image, scratch),
        })
    }

    /// How a chain moves an image of `size`; none if it moves nothing.
    pub(super) fn geometry(&self, chain: &[Step], size: Size) -> Option<Geometry> {
        let steps = chain.iter().filter_map(|step| self.backward(step, size));
        // A pixel of the last image comes from the image before it, and that one's from the one before: the last map first.
        let backward = steps.reduce(|first, then| composed(&first, &then))?;
        inverse(&backward).map(|forward| Geometry::affine(forward, size))
    }

    /// Moves boxes and keypoints at once and the masks step by step, as the image: what has left it does not come back.
    pub(super) fn annotate(&self, chain: &[Step], sample: &mut Sample<'_>) {
        let size = sample.image.size();
        let Some(geometry) = self.geometry(chain, size) else { return };
        geometry.move_marks(sample);
        if sample.masks.is_empty() {
            return;
        }
        for step in chain {
            match self {
                Kernels::Tensor(tensor) => tensor.masks(step, sample),
                Kernels::Pillow(pillow) => pillow.masks(step, sample),
            }
        }
    }

    /// From points of the image that goes out to those of the one that came in, in continuous coordinates.
    fn backward(&self, step: &Step, size: Size) -> Option<[f64; 6]> {
        match self {
            Kernels::Tensor(_) => {
                let [a, b, c, d, e, f] = Tensor::inverse(step, size)?;
                let (x, y) = (f64::from(size.width) / 2.0, f64::from(size.height) / 2.0);
                Some([a, b, c + x - a * x - b * y, d, e, f + y - d * x - e * y])
            }
            Kernels::Pillow(_) => Pillow::backward(step, size),
        }
    }
}

/// First `then`, then `first`: maps from an image to the one before it.
fn composed(first: &[f64; 6], then: &[f64; 6]) -> [f64; 6] {
    let [a, b, c, d, e, f] = *first;
    let [g, h, i, j, k, l] = *then;
    [a * g + b * j, a * h + b * k, a * i + b * l + c, d * g + e * j, d * h + e * k, d * i + e * l + f]
}

/// None if there is no inverse that numbers can hold.
fn inverse(&[a, b, c, d, e, f]: &[f64; 6]) -> Option<[f64; 6]> {
    let determinant = a * e - b * d;
    let inverse = [e, -b, b * f - c * e, -d, a, c * d - a * f].map(|x| x / determinant);
    inverse.iter().all(|x| x.is_finite()).then_some(inverse)
}
