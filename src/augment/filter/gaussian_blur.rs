use feedline_proto::v1::{self, GaussianBlurMethod};
use serde::{Deserialize, Serialize};

use super::{range, separable};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Depth, Form, Image};
use crate::sample::Sample;
use crate::seed::Rng;

/// Blurs with a Gaussian.
struct GaussianBlur {
    /// 0: by sigma.
    kernel_size: u32,
    sigma: [f64; 2],
    method: GaussianBlurMethod,
    /// Values of floats that are beyond are clamped.
    limit: Option<f32>,
}

/// Recorded so that a record says all that was applied.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Kernel {
    /// Odd, in pixels.
    size: u32,
    /// In pixels.
    sigma: f64,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Blurs with a Gaussian, rows then columns in 32-bit floats.

- torchvision: `gaussian_blur` of a tensor, which sums the whole square at once. 8 bits: a value whose exact result is close to a
  half may differ by 1; floats within 2e-6 of the full scale. An image smaller than half the kernel is mirrored again where
  torchvision refuses.
- albumentations: `GaussianBlur` (OpenCV's `sepFilter2D`, which fuses multiplications with additions). The same tolerances; floats
  are clamped to the full scale.",
    targets: Targets::Image,
    example: "gaussian_blur = { sigma = [1.0, 3.0], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::GaussianBlur, input: Form) -> Result<Built, Refusal> {
    let v1::GaussianBlur { kernel_size, sigma, p, .. } = message;
    if *kernel_size > 0 && kernel_size % 2 == 0 {
        return Err(Refusal::new("kernel_size", kernel_size, "an odd number, or 0"));
    }
    let method = match message.method() {
        GaussianBlurMethod::Unspecified => GaussianBlurMethod::Torchvision,
        method => method,
    };
    let limit = match (method, input.depth) {
        (GaussianBlurMethod::Albumentations, Depth::F32 { full }) => full,
        _ => None,
    };
    let op = GaussianBlur { kernel_size: *kernel_size, sigma: range("sigma", sigma)?, method, limit };
    Built::maybe(op, *p, input, input)
}

impl Op for GaussianBlur {
    type Params = Kernel;
    const NAME: &'static str = "gaussian_blur";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> Kernel {
        let sigma = rng.uniform(self.sigma);
        let size = if self.kernel_size == 0 { (sigma * 3.5).floor() as u32 * 2 + 1 } else { self.kernel_size };
        Kernel { size, sigma }
    }

    fn apply<'a>(&self, kernel: &Kernel, mut image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let radius = ((kernel.size / 2) as usize).min(separable::MOST_WEIGHTS - 1);
        if radius == 0 {
            return image;
        }
        let weights = weights(kernel.sigma, radius, self.method);
        separable::convolve(&mut image, &weights, 1.0, self.limit, scratch);
        image
    }
}

/// Half of the kernel, the middle first.
fn weights(sigma: f64, radius: usize, method: GaussianBlurMethod) -> Vec<f32> {
    let sigma = if sigma > 0.0 { sigma } else { f64::MIN_POSITIVE };
    if method == GaussianBlurMethod::Albumentations {
        let tops: Vec<f64> = (0..=radius)
            .map(|x| {
                let x = x as f64 / sigma;
                libm::exp(-0.5 * (x * x))
            })
            .collect();
        let sum = tops[0] + 2.0 * tops[1..].iter().sum::<f64>();
        return tops.iter().map(|top| (top / sum) as f32).collect();
    }
    // Places in units of the square root of 2, which puts the half away.
    let sigma = sigma as f32;
    let limit = radius as f32 / std::f32::consts::SQRT_2;
    let step = limit / radius as f32;
    let tops: Vec<f32> = (0..=radius)
        .map(|x| {
            // Not 0 / 0 where a tiny sigma has become 0.
            let x = if x == 0 { 0.0 } else { (x as f32 * step) / sigma };
            libm::expf(-(x * x))
        })
        .collect();
    let sum = tops[0] + 2.0 * tops[1..].iter().sum::<f32>();
    tops.iter().map(|top| top / sum).collect()
}
