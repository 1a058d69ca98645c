//! The parts of a colour jitter as albumentations has them, by OpenCV.

#![allow(unsafe_code)]

use super::color_jitter::Change;
use super::hsv::HsvTables;
use super::hue_saturation_value::turned;
use super::lanes::Lanes;
use super::pointwise::{clamp, map_floats};
use super::table::Table;
use super::whole::{self, Formula, quotient};
use super::{grayscale, hsv_floats, mean};
use crate::image::{Image, ValuesMut};
use crate::simd::Kernel;

/// Applies `changes`, in order, to an image whose full scale is `full`.
pub(super) fn apply(image: &mut Image<'_>, changes: impl Iterator<Item = Change>, full: f32) {
    let channels = image.channels();
    match image.values_mut() {
        ValuesMut::U8(values) => bytes(values, channels, changes),
        ValuesMut::F32(values) => floats(values, channels, changes, full),
    }
}

/// Brightness and contrast are tables, which wait and become one until a part needs the values.
fn bytes(values: &mut [u8], channels: usize, changes: impl Iterator<Item = Change>) {
    let mut waiting: Option<Table> = None;
    for change in changes {
        match change {
            Change::Brightness(factor) => {
                let factor = bounded(factor) as f32;
                waiting = Some(waiting.take().unwrap_or_else(Table::identity).then(|x| x * factor));
            }
            Change::Contrast(factor) => {
                if let Some(table) = waiting.take() {
                    table.apply(values);
                }
                let mean = match channels {
                    3 => GraySum { pixels: values.as_chunks().0 }.dispatch() as f64 / (values.len() / 3) as f64,
                    _ => mean::of_bytes(values, 1, 0),
                };
                waiting = Some(contrast(bounded(factor), mean));
            }
            Change::Saturation(_) | Change::Hue(_) if channels != 3 => {}
            Change::Saturation(factor) => {
                if let Some(table) = waiting.take() {
                    table.apply(values);
                }
                let factor = bounded(factor);
                let blend = Blend { ratio: factor as f32, rest: (1.0 - factor) as f32 };
                whole::apply(values.as_chunks_mut().0, blend);
            }
            // Where it turns nothing it leaves out the way to HSV and back, which rounds.
            Change::Hue(0.0) => {}
            Change::Hue(delta) => {
                // The first table that the pixels meet there is that of the hue, so what waits comes before.
                if let Some(table) = waiting.take() {
                    table.apply(values);
                }
                let [saturation, value] = [(); 2].map(|()| Table::identity());
                HsvTables { hue: turned(180.0 * delta), saturation, value }.apply(values, 3);
            }
        }
    }
    if let Some(table) = waiting {
        table.apply(values);
    }
}

/// Around `mean`; the mean itself, rounded, where nothing is left of the contrast.
fn contrast(factor: f64, mean: f64) -> Table {
    if factor == 0.0 {
        return Table::new([(mean + 0.5) as u8; 256]);
    }
    let (ratio, offset) = (factor as f32, (mean * (1.0 - factor)) as f32);
    Table::of(|x| x * ratio + offset)
}

/// A factor within the contract's bounds: a record that is replayed may hold any number.
fn bounded(factor: f64) -> f64 {
    if factor.is_nan() { 0.0 } else { factor.clamp(0.0, 1000.0) }
}

/// Sum of OpenCV's gray of all pixels.
struct GraySum<'a> {
    pixels: &'a [[u8; 3]],
}

impl Kernel for GraySum<'_> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        // A sum of so many bytes stays within 32 bits.
        let blocks = self.pixels.chunks(1 << 16);
        blocks.map(|block| u64::from(block.iter().map(|pixel| u32::from(grayscale::opencv(*pixel))).sum::<u32>())).sum()
    }
}

/// `ratio` of the colour and `rest` of the gray, rounded to even.
#[derive(Clone, Copy)]
struct Blend {
    ratio: f32,
    rest: f32,
}

/// Added to a float of less than 2^22 and taken away again, it leaves the nearest whole number, the even one of two. Factors are
/// 1000 at most, so no sum is 2^20.
const ROUND: f32 = 12_582_912.0;

impl Formula for Blend {
    #[inline(always)]
    unsafe fn of<L: Lanes>(self, [r, g, b]: [L; 3]) -> [L; 3] {
        let [x, y, z] = grayscale::OPENCV;
        // SAFETY: what the caller says; the sum is positive.
        unsafe {
            let gray = quotient(L::splat(16384.0), [(r, x), (g, y), (b, z)], 32768.0).cut();
            let (ratio, gray) = (L::splat(self.ratio), gray.times(L::splat(self.rest)));
            let (up, down) = (L::splat(ROUND), L::splat(-ROUND));
            [
                r.times(ratio).plus(gray).plus(up).plus(down),
                g.times(ratio).plus(gray).plus(up).plus(down),
                b.times(ratio).plus(gray).plus(up).plus(down),
            ]
        }
    }
}

fn floats(values: &mut [f32], channels: usize, changes: impl Iterator<Item = Change>, full: f32) {
    for change in changes {
        match change {
            Change::Brightness(factor) => {
                let factor = factor as f32;
                map_floats(values, |x| clamp(x * factor, full));
            }
            Change::Contrast(factor) => {
                let mean = match channels {
                    3 => mean::of_floats(values, 3, |pixel| gray([pixel[0], pixel[1], pixel[2]])),
                    _ => mean::of_floats(values, 1, |pixel| pixel[0]),
                };
                // A product and a sum of 64 bits, of factors of 32.
                let offset = f64::from(mean as f32 * (1.0 - factor) as f32);
                let ratio = f64::from(factor as f32);
                map_floats(values, |x| clamp((f64::from(x) * ratio + offset) as f32, full));
            }
            Change::Saturation(_) | Change::Hue(_) if channels != 3 => {}
            Change::Saturation(factor) => {
                let (ratio, rest) = (factor as f32, (1.0 - factor) as f32);
                BlendFloats { pixels: values.as_chunks_mut().0, ratio, rest, full }.dispatch();
            }
            Change::Hue(0.0) => {}
            Change::Hue(delta) => hsv_floats::turn(values, delta, full),
        }
    }
}

#[inline(always)]
fn gray([r, g, b]: [f32; 3]) -> f32 {
    r * 0.299 + g * 0.587 + b * 0.114
}

struct BlendFloats<'a> {
    pixels: &'a mut [[f32; 3]],
    ratio: f32,
    rest: f32,
    full: f32,
}

impl Kernel for BlendFloats<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for pixel in self.pixels {
            let gray = gray(*pixel) * self.rest;
            *pixel = pixel.map(|x| clamp(x * self.ratio + gray, self.full));
        }
    }
}
