use feedline_proto::v1;

use super::pointwise::{clamp, cut, map, map_floats};
use super::principal::Principal;
use super::{full_scale, mean};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;
use crate::simd::Kernel;

/// Moves colours along the principal axes of the image's own.
struct FancyPca {
    alpha: f64,
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Moves every colour along the principal axes of the image's colours, by its distance from the mean, the variance and a drawn
factor: `albumentations.FancyPCA`, up to the signs of the axes, which its eigenvectors leave open; here the largest component of an
axis is positive. 8 bits: within 1, hardly ever; floats within 1e-5. One pixel stays as it is.",
    targets: Targets::Image,
    example: "fancy_pca = { alpha = 5, p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::FancyPca, input: Form) -> Result<Built, Refusal> {
    let op = FancyPca { alpha: message.alpha.unwrap_or(0.1), full: full_scale(input)? };
    Built::maybe(op, message.p, input, input)
}

impl Op for FancyPca {
    /// A factor for each axis, from the one of the largest variance down; of one channel the first.
    type Params = [f64; 3];
    const NAME: &'static str = "fancy_pca";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> [f64; 3] {
        [0; 3].map(|_| rng.normal() * self.alpha)
    }

    fn apply<'a>(&self, alphas: &[f64; 3], mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        let (full, alphas) = (self.full, alphas.map(|alpha| f64::from(alpha as f32)));
        let channels = image.channels();
        match image.values_mut() {
            ValuesMut::U8(values) if channels == 3 => {
                let pixels = values.as_chunks_mut::<3>().0;
                if let Some(principal) = Principal::of_bytes(pixels) {
                    Bytes { pixels, affine: Affine::new(&principal, alphas, full) }.dispatch();
                }
            }
            ValuesMut::F32(values) if channels == 3 => {
                if let Some(principal) = Principal::of_floats(values) {
                    let affine = Affine::new(&principal, alphas, full);
                    Floats { pixels: values.as_chunks_mut().0, affine, full }.dispatch();
                }
            }
            ValuesMut::U8(values) => {
                let mean = mean::of_bytes(values, 1, 0);
                let square: u64 = values.iter().map(|x| u64::from(*x) * u64::from(*x)).sum();
                let variance = square as f64 / values.len() as f64 - mean * mean;
                let (scale, offset) = line(mean, variance, alphas[0], full);
                map(values, |x| x * scale + offset + 0.5);
            }
            ValuesMut::F32(values) => {
                let mean = mean::of_floats(values, 1, |pixel| pixel[0]);
                let middle = mean as f32;
                let variance = mean::of_floats(values, 1, |pixel| (pixel[0] - middle) * (pixel[0] - middle));
                let (scale, offset) = line(mean, variance, alphas[0], full);
                map_floats(values, |x| clamp(x * scale + offset, full));
            }
        }
        image
    }
}

/// What one channel is multiplied by, and what is added.
fn line(mean: f64, variance: f64, alpha: f64, full: f32) -> (f32, f32) {
    let added = alpha * variance.max(0.0).sqrt() / f64::from(full);
    ((1.0 + added) as f32, (-added * mean) as f32)
}

/// Every colour times a matrix, plus a vector.
#[derive(Clone, Copy)]
struct Affine {
    matrix: [[f32; 3]; 3],
    offset: [f32; 3],
}

impl Affine {
    /// The formula is for a full scale of 1, so the variances are divided by its square.
    fn new(principal: &Principal, alphas: [f64; 3], full: f32) -> Self {
        let full = f64::from(full);
        let (mut matrix, mut offset) = ([[0.0; 3]; 3], [0.0; 3]);
        for row in 0..3 {
            let mut added = 0.0;
            for column in 0..3 {
                let of_axis = alphas[column] * (principal.variances[column] / (full * full));
                let moved = principal.axes[column][row] * of_axis;
                added += moved * principal.mean[column];
                matrix[row][column] = (if row == column { 1.0 + moved } else { moved }) as f32;
            }
            offset[row] = -added as f32;
        }
        Affine { matrix, offset }
    }

    #[inline(always)]
    fn of(&self, [r, g, b]: [f32; 3], row: usize) -> f32 {
        let [x, y, z] = self.matrix[row];
        r * x + g * y + b * z + self.offset[row]
    }
}

struct Bytes<'a> {
    pixels: &'a mut [[u8; 3]],
    affine: Affine,
}

impl Kernel for Bytes<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for pixel in self.pixels {
            let rgb = pixel.map(f32::from);
            *pixel = [0, 1, 2].map(|row| cut(self.affine.of(rgb, row) + 0.5));
        }
    }
}

struct Floats<'a> {
    pixels: &'a mut [[f32; 3]],
    affine: Affine,
    full: f32,
}

impl Kernel for Floats<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for pixel in self.pixels {
            *pixel = [0, 1, 2].map(|row| clamp(self.affine.of(*pixel, row), self.full));
        }
    }
}
