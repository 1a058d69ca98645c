use feedline_proto::v1;

use super::motion::{Fields, Method, Motion, Mover};
use super::range;
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// Scales, shears, turns and moves.
struct Affine {
    mover: Mover,
    scale: [Scale; 2],
    keep_ratio: bool,
    balanced_scale: bool,
    translate: [Translate; 2],
    rotate: [f64; 2],
    shear: [[f64; 2]; 2],
}

type Scale = [f64; 2];

enum Translate {
    /// A fraction of the side.
    Fraction([f64; 2]),
    /// Whole pixels.
    Pixels([i64; 2]),
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Scales, shears, turns and moves, about the middle of the image.

| method | equals | 8 bits | floats |
|---|---|---|---|
| albumentations, nearest or bilinear | `albumentations.Affine` without `fit_output`, OpenCV 4.11 | 0 | 1e-6 |
| albumentations, bicubic | the same | 1 | 2e-6 |
| torchvision | `RandomAffine` | 1 | 1e-4 |

Albumentations scales, turns counter-clockwise, shears, then moves, and draws a factor for each side; a share of 1e-3 of the values
may be farther off, where a place lies on the line between two. Torchvision turns clockwise, has one factor, and mixes the fill
in twice at the edge, as it does. Boxes are hulls, keypoints are the middles of pixels in both methods (torchvision takes them for
points of the plane, half a pixel aside). Albumentations makes mirrored copies of boxes and keypoints beyond mirrored edges; we do not.",
    targets: Targets::All,
    example: "affine = { scale = [0.8, 1.1], translate_x = [-0.1, 0.1], rotate = [-30, 30], shear_x = [-10, 10], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::Affine, input: Form) -> Result<Built, Refusal> {
    let fields = Fields {
        method: message.method,
        filter: message.filter,
        border: message.border,
        fill: &message.fill,
        fill_mask: message.fill_mask,
        rotate_method: message.rotate_method,
    };
    let mover = Mover::new(&fields, input)?;
    let scale = range("scale", &message.scale)?;
    let scale_y = if message.scale_y.is_empty() { scale } else { range("scale_y", &message.scale_y)? };
    let one_factor = if mover.method() == Method::Torchvision { "method torchvision" } else { "keep_ratio" };
    let keep_ratio = message.keep_ratio || mover.method() == Method::Torchvision;
    if keep_ratio && scale != scale_y {
        return Err(Refusal::new("scale_y", format!("{scale_y:?}"), format!("nothing beside {one_factor}")));
    }
    let op = Affine {
        mover,
        scale: [scale, scale_y],
        keep_ratio,
        balanced_scale: message.balanced_scale,
        translate: [
            translate("translate_x", &message.translate_x, "translate_px_x", &message.translate_px_x)?,
            translate("translate_y", &message.translate_y, "translate_px_y", &message.translate_px_y)?,
        ],
        rotate: range("rotate", &message.rotate)?,
        shear: [range("shear_x", &message.shear_x)?, range("shear_y", &message.shear_y)?],
    };
    Built::maybe(op, message.p, input, input)
}

fn translate(name: &str, fraction: &[f64], px_name: &str, pixels: &[f64]) -> Result<Translate, Refusal> {
    let fraction = range(name, fraction)?;
    if pixels.is_empty() {
        return Ok(Translate::Fraction(fraction));
    }
    let pixels = range(px_name, pixels)?;
    if fraction != [0.0, 0.0] {
        return Err(Refusal::new(px_name, format!("{pixels:?}"), format!("nothing beside {name}")));
    }
    if pixels.iter().any(|x| x.trunc() != *x) {
        return Err(Refusal::new(px_name, format!("{pixels:?}"), "whole numbers"));
    }
    Ok(Translate::Pixels(pixels.map(|x| x as i64)))
}

impl Translate {
    fn draw(&self, rng: &mut Rng, side: u32, method: Method) -> f64 {
        match self {
            Translate::Fraction(fraction) => {
                let pixels = rng.uniform(*fraction) * f64::from(side);
                if method == Method::Torchvision { pixels.round_ties_even() } else { pixels.trunc() }
            }
            Translate::Pixels([low, high]) => (low + rng.below(high.abs_diff(*low) + 1) as i64) as f64,
        }
    }
}

impl Affine {
    fn draw_scale(&self, rng: &mut Rng, [low, high]: Scale) -> f64 {
        if !self.balanced_scale {
            return rng.uniform([low, high]);
        }
        match (low < 1.0, high > 1.0) {
            (true, true) if rng.chance(0.5) => rng.uniform([low, 1.0]),
            (true, false) => rng.uniform([low, 1.0]),
            (_, true) => rng.uniform([1.0, high]),
            (false, false) => 1.0,
        }
    }
}

impl Op for Affine {
    type Params = Motion;
    const NAME: &'static str = "affine";

    fn draw(&self, rng: &mut Rng, sample: &Sample<'_>) -> Motion {
        let size = sample.image.size();
        let x = self.translate[0].draw(rng, size.width, self.mover.method());
        let translate = [x, self.translate[1].draw(rng, size.height, self.mover.method())];
        let shear = self.shear.map(|shear| rng.uniform(shear));
        let scale_x = self.draw_scale(rng, self.scale[0]);
        let scale_y = if self.keep_ratio { scale_x } else { self.draw_scale(rng, self.scale[1]) };
        Motion { translate, shear, scale: [scale_x, scale_y], rotate: rng.uniform(self.rotate) }
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
