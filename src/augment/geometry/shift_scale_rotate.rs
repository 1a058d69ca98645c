use feedline_proto::v1;

use super::motion::{Fields, Motion, Mover};
use super::range;
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// Moves, scales and turns.
struct ShiftScaleRotate {
    mover: Mover,
    shift: [[f64; 2]; 2],
    scale: [f64; 2],
    rotate: [f64; 2],
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Moves, scales and turns, about the middle of the image: `albumentations.ShiftScaleRotate`, which draws a factor for each side.
Within the tolerances of `affine`, of which it is a shorter spelling: `affine` with `translate_x`, `translate_y`, `rotate`, and 1 added
to `scale`.",
    targets: Targets::All,
    example: "shift_scale_rotate = { p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::ShiftScaleRotate, input: Form) -> Result<Built, Refusal> {
    let fields = Fields {
        method: v1::WarpMethod::Albumentations.into(),
        filter: message.filter,
        border: message.border,
        fill: &message.fill,
        fill_mask: message.fill_mask,
        rotate_method: message.rotate_method,
    };
    let op = ShiftScaleRotate {
        mover: Mover::new(&fields, input)?,
        shift: [range("shift_x", &message.shift_x)?, range("shift_y", &message.shift_y)?],
        scale: range("scale", &message.scale)?.map(|x| 1.0 + x),
        rotate: range("rotate", &message.rotate)?,
    };
    Built::maybe(op, message.p, input, input)
}

impl Op for ShiftScaleRotate {
    type Params = Motion;
    const NAME: &'static str = "shift_scale_rotate";

    fn draw(&self, rng: &mut Rng, sample: &Sample<'_>) -> Motion {
        let size = sample.image.size();
        let x = (rng.uniform(self.shift[0]) * f64::from(size.width)).trunc();
        let translate = [x, (rng.uniform(self.shift[1]) * f64::from(size.height)).trunc()];
        let scale_x = rng.uniform(self.scale);
        let scale = [scale_x, rng.uniform(self.scale)];
        Motion { translate, shear: [0.0; 2], scale, rotate: rng.uniform(self.rotate) }
    }

    fn apply<'a>(&self, motion: &Motion, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        self.mover.apply(motion, image, scratch)
    }

    fn geometry(&self, motion: &Motion, size: Size) -> Option<Geometry> {
        Some(self.mover.geometry(motion, size))
    }

    fn annotate(&self, motion: &Motion, sample: &mut Sample<'_>) {
        self.mover.annotate(motion, sample);
    }
}
