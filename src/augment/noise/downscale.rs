use feedline_proto::v1;

use super::{full_scale, range, through_bytes};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image};
use crate::sample::Sample;
use crate::seed::Rng;

/// Shrinks and enlarges again.
struct Downscale {
    scale: [f64; 2],
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Shrinks and enlarges again, each by the nearest pixel: `albumentations.Downscale` with its default interpolation. Exact. Nothing
becomes smaller than one pixel, where OpenCV refuses.",
    targets: Targets::Image,
    example: "downscale = { scale = [0.1, 0.3], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::Downscale, input: Form) -> Result<Built, Refusal> {
    let op = Downscale { scale: range("scale", &message.scale)?, full: full_scale(input)? };
    Built::maybe(op, message.p, input, input)
}

impl Op for Downscale {
    /// Size in between, as a fraction.
    type Params = f64;
    const NAME: &'static str = "downscale";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> f64 {
        rng.uniform(self.scale)
    }

    fn apply<'a>(&self, scale: &f64, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        through_bytes(image, self.full, scratch, |image, scratch| {
            let (size, channels) = (image.size(), image.channels());
            let Some(values) = image.as_u8() else { return image };
            let width = size.width as usize * channels;
            let (columns, rows) = (sources(size.width, *scale), sources(size.height, *scale));
            let mut made = scratch.bytes(values.len());
            let mut last: Option<(usize, usize)> = None;
            for (y, row) in rows.into_iter().enumerate() {
                let start = y * width;
                match last {
                    Some((source, at)) if source == row => made.copy_within(at..at + width, start),
                    _ => {
                        let (from, to) = (&values[row * width..(row + 1) * width], &mut made[start..start + width]);
                        take(from, to, &columns, channels);
                    }
                }
                last = Some((row, start));
            }
            scratch.recycle(image);
            Image::from_u8(size, channels, made)
        })
    }
}

/// The pixels of a row at `columns`.
fn take(from: &[u8], to: &mut [u8], columns: &[usize], channels: usize) {
    if channels == 3 {
        let pixels = from.as_chunks::<3>().0;
        to.as_chunks_mut::<3>().0.iter_mut().zip(columns).for_each(|(to, column)| *to = pixels[*column]);
    } else {
        to.iter_mut().zip(columns).for_each(|(to, column)| *to = from[*column]);
    }
}

/// Which pixel of a side each one becomes, by way of the smaller side.
fn sources(side: u32, scale: f64) -> Vec<usize> {
    let scale = if scale > 0.0 && scale <= 1.0 { scale } else { 1.0 };
    let length = f64::from(side);
    let small = (length * scale).round_ties_even().max(1.0);
    let nearest = |place: f64, step: f64, length: f64| (place * step).floor().min(length - 1.0);
    let (up, down) = (1.0 / (length / small), 1.0 / scale);
    (0..side).map(|place| nearest(nearest(f64::from(place), up, small), down, length) as usize).collect()
}
