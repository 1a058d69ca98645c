use feedline_proto::v1;

use super::motion::{Fields, Method, Motion, Mover};
use super::range;
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// Turns around the middle.
struct Rotate {
    mover: Mover,
    degrees: [f64; 2],
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Turns around the middle, counter-clockwise; the size stays: `albumentations.Rotate` without `crop_border`, torchvision's
`RandomRotation` without `expand`. Within the tolerances of `affine`.",
    targets: Targets::All,
    example: "rotate = { degrees = [-45, 45], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::Rotate, input: Form) -> Result<Built, Refusal> {
    let fields = Fields {
        method: message.method,
        filter: message.filter,
        border: message.border,
        fill: &message.fill,
        fill_mask: message.fill_mask,
        rotate_method: message.rotate_method,
    };
    let op = Rotate { mover: Mover::new(&fields, input)?, degrees: range("degrees", &message.degrees)? };
    Built::maybe(op, message.p, input, input)
}

impl Rotate {
    fn motion(&self, degrees: f64) -> Motion {
        // An affine turn of torchvision's is clockwise, its rotation is not.
        let rotate = if self.mover.method() == Method::Torchvision { -degrees } else { degrees };
        Motion { translate: [0.0; 2], shear: [0.0; 2], scale: [1.0; 2], rotate }
    }
}

impl Op for Rotate {
    /// Degrees.
    type Params = f64;
    const NAME: &'static str = "rotate";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> f64 {
        rng.uniform(self.degrees)
    }

    fn apply<'a>(&self, degrees: &f64, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        self.mover.apply(&self.motion(*degrees), image, scratch)
    }

    fn geometry(&self, degrees: &f64, size: Size) -> Option<Geometry> {
        Some(self.mover.geometry(&self.motion(*degrees), size))
    }

    fn annotate(&self, degrees: &f64, sample: &mut Sample<'_>) {
        self.mover.annotate(&self.motion(*degrees), sample);
    }
}
