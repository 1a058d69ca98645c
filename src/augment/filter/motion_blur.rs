use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::border::Beyond;
use super::{Sides, full_scale, odd, range, recycle};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;
use crate::simd::Kernel;

/// Mean along a line through each pixel.
struct MotionBlur {
    sides: Sides,
    angle: [f64; 2],
    direction: [f64; 2],
    allow_shifted: bool,
    full: f32,
}

/// A line in a square.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Line {
    /// Side of the square in pixels.
    side: u32,
    /// In degrees.
    angle: f64,
    /// -1 to 1.
    direction: f64,
    /// Shift in x and y, -1 to 1, in quarters of the side.
    shift: [f64; 2],
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Mean along a line through each pixel: `albumentations.MotionBlur` (OpenCV's `filter2D`). The line has the same pixels. 8 bits
are rounded; a value whose exact result is close to a half may differ by 1, since OpenCV multiplies each before it sums. Floats
within 2e-6 of the full scale.",
    targets: Targets::Image,
    example: "motion_blur = { kernel_size = [7, 15], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::MotionBlur, input: Form) -> Result<Built, Refusal> {
    let v1::MotionBlur { kernel_size, angle, direction, allow_shifted, p } = message;
    let op = MotionBlur {
        sides: Sides::new("kernel_size", kernel_size)?,
        angle: range("angle", angle)?,
        direction: range("direction", direction)?,
        allow_shifted: allow_shifted.unwrap_or(true),
        full: full_scale(input)?,
    };
    Built::maybe(op, *p, input, input)
}

impl Op for MotionBlur {
    type Params = Line;
    const NAME: &'static str = "motion_blur";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> Line {
        let side = self.sides.draw(rng);
        let angle = rng.uniform(self.angle);
        let direction = rng.uniform(self.direction);
        let mut shift = || if self.allow_shifted { rng.uniform([-1.0, 1.0]) } else { 0.0 };
        Line { side, angle, direction, shift: [shift(), shift()] }
    }

    fn apply<'a>(&self, line: &Line, mut image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let (size, channels) = (image.size(), image.channels());
        let (width, height, side) = (size.width as usize * channels, size.height as usize, odd(line.side));
        let radius = side / 2;
        let stride = width + 2 * radius * channels;
        let mut padded = scratch.floats(stride * (height + 2 * radius));
        let mut values = image.values_mut();
        for (y, row) in padded.chunks_exact_mut(stride).enumerate() {
            let from = Beyond::Reflect.index(y as i64 - radius as i64, height) * width;
            match &values {
                ValuesMut::U8(values) => {
                    Beyond::Reflect.pad(&values[from..from + width], channels, radius, row, f32::from);
                }
                ValuesMut::F32(values) => {
                    Beyond::Reflect.pad(&values[from..from + width], channels, radius, row, |x| x)
                }
            }
        }
        let offsets: Vec<usize> = line.pixels().iter().map(|(y, x)| y * stride + x * channels).collect();
        for y in 0..height {
            let (source, to) = (&padded[y * stride..], y * width..(y + 1) * width);
            match &mut values {
                ValuesMut::U8(values) => {
                    Row { source, offsets: &offsets, out: &mut values[to], full: 255.0 }.dispatch()
                }
                ValuesMut::F32(values) => {
                    Row { source, offsets: &offsets, out: &mut values[to], full: self.full }.dispatch();
                }
            }
        }
        recycle(padded, scratch);
        image
    }
}

impl Line {
    /// Its pixels in the square, row and column, each once, at least one.
    fn pixels(&self) -> Vec<(usize, usize)> {
        let side = odd(self.side);
        let (radius, last) = ((side / 2) as f64, (side - 1) as f64);
        let direction = self.direction.clamp(-1.0, 1.0);
        let angle = self.angle * (std::f64::consts::PI / 180.0);
        let (dx, dy) = (libm::cos(angle), libm::sin(angle));
        let (start, end) = (-radius * (1.0 - direction.max(0.0)), radius * (1.0 + direction.min(0.0)));
        let mut pixels: Vec<(usize, usize)> = (0..side)
            .map(|step| {
                let t = if step as f64 == last { end } else { start + step as f64 * ((end - start) / last.max(1.0)) };
                let place = |along: f64, shift: f64| {
                    // A cast makes 0 of NaN and of what is below.
                    (radius + along * t + shift * radius / 2.0).round_ties_even().clamp(0.0, last) as usize
                };
                (place(dy, self.shift[1]), place(dx, self.shift[0]))
            })
            .collect();
        pixels.sort_unstable();
        pixels.dedup();
        pixels
    }
}

/// One row, from padded ones that begin with it.
struct Row<'a, T> {
    source: &'a [f32],
    /// Where the values of the line are, from the value that is made.
    offsets: &'a [usize],
    out: &'a mut [T],
    full: f32,
}

impl<T: Mean> Kernel for Row<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Row { source, offsets, out, full } = self;
        let weight = 1.0 / offsets.len() as f32;
        let (chunks, rest) = out.as_chunks_mut::<LANES>();
        let mut at = 0;
        for chunk in chunks {
            let mut sums = [0.0; LANES];
            for offset in offsets {
                let values: &[f32; LANES] =
                    source[at + offset..].first_chunk().expect("the square lies within the padded image");
                for lane in 0..LANES {
                    sums[lane] += values[lane];
                }
            }
            for (to, sum) in chunk.iter_mut().zip(sums) {
                *to = T::of(sum * weight, full);
            }
            at += LANES;
        }
        for (to, at) in rest.iter_mut().zip(at..) {
            let sum: f32 = offsets.iter().fold(0.0, |sum, offset| sum + source[at + offset]);
            *to = T::of(sum * weight, full);
        }
    }
}

/// A value of an image.
trait Mean {
    /// Of a mean of values. Must be `#[inline(always)]`.
    fn of(x: f32, full: f32) -> Self;
}

impl Mean for u8 {
    #[inline(always)]
    #[allow(unsafe_code)]
    fn of(x: f32, _: f32) -> u8 {
        // SAFETY: a mean of values from 0 to 255. A checked cast does not become vectors.
        unsafe { x.round_ties_even().to_int_unchecked::<i32>() as u8 }
    }
}

impl Mean for f32 {
    #[inline(always)]
    fn of(x: f32, full: f32) -> f32 {
        let x = if x > 0.0 { x } else { 0.0 };
        if x < full { x } else { full }
    }
}

/// Values at once.
const LANES: usize = 32;
