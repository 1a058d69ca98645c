use feedline_proto::v1::{AutoContrastMethod, ContrastMethod, SaturationMethod, SharpnessMethod};

use super::chain::{Name, Step};
use crate::augment::colour::{auto_contrast, brightness, contrast, equalize, invert, posterize, saturation, solarize};
use crate::augment::filter::adjust_sharpness;
use crate::augment::op::{Refusal, Scratch};
use crate::image::{Depth, Form, Image, Size};
use crate::sample::{Mask, Sample};

/// Affine maps.
mod warp;

/// The Gaussian, made of boxes.
mod blur;

/// The functions of Pillow that timm's policies call, on images of 8 bits.
pub(super) struct Pillow {
    fill: [u8; 3],
    fill_mask: u8,
}

impl Pillow {
    /// As the fields of these names say it.
    pub(super) fn new(fill: &[f64], fill_mask: u32, input: Form) -> Result<Self, Refusal> {
        if input.depth != Depth::U8 {
            return Err(Refusal::new("", "applied to floats", "an image of 8 bits: put it before `to_float`"));
        }
        let refused = |expected: &str| Err(Refusal::new("fill", format!("{fill:?}"), expected));
        let Ok(fill) = <[f64; 3]>::try_from(fill) else { return refused("three numbers") };
        if input.channels == 1 && fill != [fill[0]; 3] {
            return refused("three equal numbers, since the images are of one channel");
        }
        if fill.iter().any(|x| x.trunc() != *x || !(0.0..=255.0).contains(x)) {
            return refused("whole numbers from 0 to 255");
        }
        let fill_mask = fill_mask.try_into();
        let fill_mask = fill_mask.map_err(|_| Refusal::new("fill_mask", "above 255", "a class from 0 to 255"))?;
        Ok(Pillow { fill: fill.map(|x| x as u8), fill_mask })
    }

    pub(super) fn apply<'a>(&self, step: &Step, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let amount = step.amount();
        match step.op {
            Name::Identity => image,
            Name::ShearX | Name::ShearY | Name::TranslateX | Name::TranslateY | Name::Rotate => {
                match Pillow::backward(step, image.size()) {
                    Some(map) => warp::warped(image, &map, (step.filter, self.fill), scratch),
                    None => image,
                }
            }
            Name::Brightness => brightness::multiplied(image, amount, FULL, scratch),
            Name::Color => saturation::adjusted(image, amount, (SaturationMethod::Pillow, FULL), scratch),
            Name::Contrast => contrast::adjusted(image, amount, (ContrastMethod::Pillow, FULL), scratch),
            Name::Sharpness => adjust_sharpness::adjusted(image, amount, (SharpnessMethod::Pillow, FULL), scratch),
            Name::Posterize => posterize::posterized(image, step.whole(0, 8).into(), FULL, scratch),
            Name::Solarize => solarize::solarized(image, amount, FULL, scratch),
            Name::SolarizeAdd => solarize::brightened_below(image, step.whole(0, 255)),
            Name::AutoContrast => auto_contrast::stretched(image, (AutoContrastMethod::Pillow, FULL), scratch),
            Name::Equalize => equalize::equalized(image, FULL, scratch),
            Name::Invert => invert::inverted(image, FULL, scratch),
            Name::GaussianBlur => blur::blurred(image, amount, scratch),
        }
    }

    /// Moves the masks of `sample` by the nearest pixel.
    pub(super) fn masks(&self, step: &Step, sample: &mut Sample<'_>) {
        let Some(map) = Pillow::backward(step, sample.image.size()) else { return };
        for mask in &mut sample.masks {
            let (size, mut classes) = (mask.size, Vec::with_capacity(mask.classes.len()));
            for row in 0..size.height {
                for column in 0..size.width {
                    let (x, y) = warp::source(&map, column, row);
                    let inside = x >= 0.0 && y >= 0.0 && x < f64::from(size.width) && y < f64::from(size.height);
                    let class = || mask.classes[y as usize * size.width as usize + x as usize];
                    classes.push(if inside { class() } else { self.fill_mask });
                }
            }
            *mask = Mask { size, classes };
        }
    }

    /// From points of the image that goes out to those of the one that came in, in continuous coordinates. None for ops that move
    /// nothing.
    pub(super) fn backward(step: &Step, size: Size) -> Option<[f64; 6]> {
        let amount = step.amount();
        match step.op {
            Name::ShearX => Some([1.0, amount, 0.0, 0.0, 1.0, 0.0]),
            Name::ShearY => Some([1.0, 0.0, 0.0, amount, 1.0, 0.0]),
            Name::TranslateX => Some([1.0, 0.0, amount, 0.0, 1.0, 0.0]),
            Name::TranslateY => Some([1.0, 0.0, 0.0, 0.0, 1.0, amount]),
            Name::Rotate => {
                let turn = -amount.rem_euclid(360.0).to_radians();
                let rounded = |x: f64| (x * 1e15).round_ties_even() / 1e15;
                let (sin, cos) = (rounded(libm::sin(turn)), rounded(libm::cos(turn)));
                let (x, y) = (f64::from(size.width) / 2.0, f64::from(size.height) / 2.0);
                let (c, f) = (cos * -x + sin * -y + 0.0 + x, -sin * -x + cos * -y + 0.0 + y);
                Some([cos, sin, c, -sin, cos, f])
            }
            _ => None,
        }
    }
}

/// The value of full brightness.
const FULL: f32 = 255.0;
