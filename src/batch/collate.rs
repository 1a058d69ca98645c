use std::sync::OnceLock;

use bytemuck::Pod;
use feedline_proto::crc32c::{self, Behind};
use half::{bf16, f16};

use super::element::Element;
use super::planes::{Lookup, split};
use crate::augment::{Finish, Scratch, Tail};
use crate::image::{Image, Pixels};
use crate::simd::PastCaches;
use crate::tensor::{Dtype, Layout};

/// Writes augmented images into rows of a batch: finishes the pipeline's tail, converts to the dtype asked for, and puts the
/// axes in the order asked for, in one pass.
pub struct Writer {
    layout: Layout,
    channels: usize,
    kind: Kind,
    /// For 8 bits to planes of floats, which is what most trainings ask for.
    lookup: Option<Box<Lookup>>,
    /// Bytes of a plane of the first image, and what so many do to a checksum.
    plane: OnceLock<(usize, Behind)>,
}

/// For each dtype: what each of the 256 values of an 8-bit image becomes, per channel.
enum Kind {
    U8,
    F16(Tables<f16>),
    Bf16(Tables<bf16>),
    F32(Tables<f32>),
}

struct Tables<T> {
    /// As it is written.
    exact: Vec<[T; 256]>,
    /// As floats, for blending.
    floats: Vec<[f32; 256]>,
}

impl Writer {
    /// A writer of images of `channels` channels. `tail` is what the pipeline left undone: written as UINT8 it stays so.
    pub fn new(tail: Option<&Tail>, channels: usize, dtype: Dtype, layout: Layout) -> Self {
        let floats: Vec<[f32; 256]> = (0..channels)
            .map(|channel| tail.map_or_else(|| std::array::from_fn(|x| x as f32), |tail| *tail.table(channel)))
            .collect();
        let is_planes_of_floats = dtype == Dtype::Fp32 && layout == Layout::Nchw;
        let lookup = if is_planes_of_floats { Lookup::new(&floats) } else { None };
        let kind = match dtype {
            Dtype::Uint8 => Kind::U8,
            Dtype::Fp16 => Kind::F16(Tables::new(floats)),
            Dtype::Bf16 => Kind::Bf16(Tables::new(floats)),
            _ => Kind::F32(Tables::new(floats)),
        };
        Writer { layout, channels, kind, lookup, plane: OnceLock::new() }
    }

    /// Bytes of an image of `pixels` pixels.
    pub fn bytes(&self, pixels: u64) -> u64 {
        let size = match self.kind {
            Kind::U8 => 1,
            Kind::F16(_) | Kind::Bf16(_) => 2,
            Kind::F32(_) => 4,
        };
        pixels * self.channels as u64 * size
    }

    /// Writes one image to `out`, which has [`Writer::bytes`] of its pixels. Floats to UINT8 are rounded to nearest even and
    /// clamped.
    pub fn write(&self, image: &Image<'_>, out: &mut [u8]) {
        if let (Some(lookup), Pixels::U8(values)) = (&self.lookup, image.pixels()) {
            let out = cast::<f32>(out);
            let plane = out.len() / self.channels;
            lookup.strips(values.as_chunks().0, |channel, first, strip| {
                out[channel * plane + first..][..strip.len()].copy_from_slice(strip);
            });
            return;
        }
        match (&self.kind, image.pixels()) {
            // As they are, where the order is the same.
            (Kind::U8, Pixels::U8(values)) if self.layout == Layout::Nhwc => out.copy_from_slice(values),
            (Kind::F32(_), Pixels::F32(values)) if self.layout == Layout::Nhwc => {
                cast(out).copy_from_slice(values);
            }
            (Kind::U8, Pixels::U8(values)) if self.channels == 3 => split(values.as_chunks().0, out),
            (Kind::U8, Pixels::U8(values)) => self.fill(values, out, |_, x| x),
            (Kind::F16(t), Pixels::U8(values)) => self.fill(values, cast(out), |c, x| t.exact[c][usize::from(x)]),
            (Kind::Bf16(t), Pixels::U8(values)) => self.fill(values, cast(out), |c, x| t.exact[c][usize::from(x)]),
            (Kind::F32(t), Pixels::U8(values)) => self.fill(values, cast(out), |c, x| t.exact[c][usize::from(x)]),
            (Kind::U8, Pixels::F32(values)) => self.fill(values, out, |_, x| u8::of(x)),
            (Kind::F16(_), Pixels::F32(values)) => self.fill(values, cast(out), |_, x| f16::of(x)),
            (Kind::Bf16(_), Pixels::F32(values)) => self.fill(values, cast(out), |_, x| bf16::of(x)),
            (Kind::F32(_), Pixels::F32(values)) => self.fill(values, cast::<f32>(out), |_, x| x),
        }
    }

    /// As [`Writer::write`], of an image at which `finish` is left undone. Returns the CRC32C of what was written, behind bytes of which
    /// `before` is that.
    pub fn write_unfinished(
        &self,
        image: &Image<'_>,
        finish: &Finish,
        scratch: &mut Scratch,
        before: u32,
        out: &mut [u8],
    ) -> u32 {
        if !finish.makes_floats(image) {
            if let (Some(lookup), Pixels::U8(values)) = (&self.lookup, image.pixels()) {
                return self.write_planes(lookup, values.as_chunks().0, before, out);
            }
            self.write(image, out);
            return crc32c::append(before, out);
        }
        match &self.kind {
            // The largest rows that there are, which nobody reads soon.
            Kind::F32(_) if self.is_by_pixels() => {
                let (past_caches, mut crc, mut done) = (PastCaches::new(), before, 0);
                finish.strips(image, scratch, |strip| {
                    let bytes = bytemuck::cast_slice(strip);
                    crc = crc32c::append(crc, bytes);
                    past_caches.copy(bytes, &mut out[done..done + bytes.len()]);
                    done += bytes.len();
                });
                return crc;
            }
            Kind::U8 => self.write_strips(image, finish, scratch, out),
            Kind::F16(_) => self.write_strips(image, finish, scratch, cast::<f16>(out)),
            Kind::Bf16(_) => self.write_strips(image, finish, scratch, cast::<bf16>(out)),
            Kind::F32(_) => self.write_strips(image, finish, scratch, cast::<f32>(out)),
        }
        crc32c::append(before, out)
    }

    /// Looks `pixels` up as [`Writer::write`] does, and writes past the caches what nobody reads soon.
    fn write_planes(&self, lookup: &Lookup, pixels: &[[u8; 3]], before: u32, out: &mut [u8]) -> u32 {
        let (past_caches, plane) = (PastCaches::new(), out.len() / self.channels);
        let mut crcs = [before, 0, 0];
        lookup.strips(pixels, |channel, first, strip| {
            let bytes = bytemuck::cast_slice(strip);
            crcs[channel] = crc32c::append(crcs[channel], bytes);
            past_caches.copy(bytes, &mut out[channel * plane + first * size_of::<f32>()..][..bytes.len()]);
        });
        // Rows have one size, as a rule.
        let (length, behind) = self.plane.get_or_init(|| (plane, Behind::new(plane)));
        let of_another = if *length == plane { None } else { Some(Behind::new(plane)) };
        let behind = of_another.as_ref().unwrap_or(behind);
        behind.combined(behind.combined(crcs[0], crcs[1]), crcs[2])
    }

    fn write_strips<T: Element>(&self, image: &Image<'_>, finish: &Finish, scratch: &mut Scratch, out: &mut [T]) {
        let plane = out.len() / self.channels;
        let mut done = 0;
        finish.strips(image, scratch, |strip| {
            if self.is_by_pixels() {
                out[done..].iter_mut().zip(strip).for_each(|(out, x)| *out = T::of(*x));
            } else {
                let (pixels, from) = (strip.as_chunks::<3>().0, done / 3);
                for (channel, plane) in out.chunks_exact_mut(plane).enumerate() {
                    plane[from..].iter_mut().zip(pixels).for_each(|(out, pixel)| *out = T::of(pixel[channel]));
                }
            }
            done += strip.len();
        });
    }

    /// Whether the values of a pixel stay together.
    fn is_by_pixels(&self) -> bool {
        self.layout == Layout::Nhwc || self.channels == 1
    }

    /// Writes `weight * a + (1 - weight) * b` of two images of one size and type, computed in 32-bit floats after the tail;
    /// with UINT8, where the tail stays undone, of the 8-bit values, rounded to nearest even.
    pub fn write_blend(&self, a: &Image<'_>, b: &Image<'_>, weight: f32, out: &mut [u8]) {
        let rest = 1.0 - weight;
        let blend = move |a: f32, b: f32| a * weight + b * rest;
        match (a.pixels(), b.pixels()) {
            (Pixels::U8(a), Pixels::U8(b)) => match &self.kind {
                Kind::U8 => self.fill_two(a, b, out, |_, a, b| u8::of(blend(f32::from(a), f32::from(b)))),
                Kind::F16(t) => self.fill_two(a, b, cast(out), |c, a, b| f16::of(blend(t.float(c, a), t.float(c, b)))),
                Kind::Bf16(t) => {
                    self.fill_two(a, b, cast(out), |c, a, b| bf16::of(blend(t.float(c, a), t.float(c, b))))
                }
                Kind::F32(t) => self.fill_two(a, b, cast(out), |c, a, b| blend(t.float(c, a), t.float(c, b))),
            },
            (Pixels::F32(a), Pixels::F32(b)) => match &self.kind {
                Kind::U8 => self.fill_two(a, b, out, |_, a, b| u8::of(blend(a, b))),
                Kind::F16(_) => self.fill_two(a, b, cast(out), |_, a, b| f16::of(blend(a, b))),
                Kind::Bf16(_) => self.fill_two(a, b, cast(out), |_, a, b| bf16::of(blend(a, b))),
                Kind::F32(_) => self.fill_two(a, b, cast::<f32>(out), |_, a, b| blend(a, b)),
            },
            // One pipeline makes images of one type; written without a blend rather than wrongly.
            _ => self.write(a, out),
        }
    }

    fn fill<S: Copy, T: Copy>(&self, values: &[S], out: &mut [T], of: impl Fn(usize, S) -> T) {
        match self.channels {
            3 => fill_pixels(values.as_chunks::<3>().0.iter().copied(), out, self.layout, of),
            _ => out.iter_mut().zip(values).for_each(|(out, x)| *out = of(0, *x)),
        }
    }

    fn fill_two<S: Copy, T: Copy>(&self, a: &[S], b: &[S], out: &mut [T], of: impl Fn(usize, S, S) -> T) {
        match self.channels {
            3 => {
                let pairs = a.as_chunks::<3>().0.iter().zip(b.as_chunks::<3>().0);
                let pixels = pairs.map(|(a, b)| [(a[0], b[0]), (a[1], b[1]), (a[2], b[2])]);
                fill_pixels(pixels, out, self.layout, |c, (a, b)| of(c, a, b));
            }
            _ => out.iter_mut().zip(a.iter().zip(b)).for_each(|(out, (a, b))| *out = of(0, *a, *b)),
        }
    }
}

impl<T: Element> Tables<T> {
    fn new(floats: Vec<[f32; 256]>) -> Self {
        Tables { exact: floats.iter().map(|table| table.map(T::of)).collect(), floats }
    }
}

impl<T> Tables<T> {
    fn float(&self, channel: usize, x: u8) -> f32 {
        self.floats[channel][usize::from(x)]
    }
}

/// Three-channel pixels into `out`, plane by plane or pixel by pixel.
#[inline(always)]
fn fill_pixels<S, T: Copy>(
    pixels: impl Iterator<Item = [S; 3]>,
    out: &mut [T],
    layout: Layout,
    of: impl Fn(usize, S) -> T,
) {
    if layout == Layout::Nhwc {
        for (out, [a, b, c]) in out.as_chunks_mut::<3>().0.iter_mut().zip(pixels) {
            *out = [of(0, a), of(1, b), of(2, c)];
        }
    } else {
        let plane = out.len() / 3;
        let (first, rest) = out.split_at_mut(plane);
        let (second, third) = rest.split_at_mut(plane);
        for ((([a, b, c], x), y), z) in pixels.zip(first).zip(second).zip(third) {
            (*x, *y, *z) = (of(0, a), of(1, b), of(2, c));
        }
    }
}

/// Rows begin at multiples of their own length, that is of the number's size, in memory that is aligned to 64.
fn cast<T: Pod>(out: &mut [u8]) -> &mut [T] {
    bytemuck::cast_slice_mut(out)
}

#[cfg(test)]
mod tests {
    use feedline_proto::v1;

    use super::*;
    use crate::augment::Pipeline;
    use crate::image::{Depth, Form, Size};
    use crate::sample::Sample;
    use crate::seed::{Key, Purpose};

    const SIZE: Size = Size::new(3, 2);

    fn ramp() -> Image<'static> {
        Image::from_u8(SIZE, 3, (0..18).map(|x| x * 14).collect::<Vec<u8>>())
    }

    fn write<T: Pod>(image: &Image<'_>, dtype: Dtype, layout: Layout) -> Vec<T> {
        let writer = Writer::new(None, 3, dtype, layout);
        let mut out = vec![T::zeroed(); 18];
        assert_eq!(writer.bytes(6), size_of::<T>() as u64 * 18);
        writer.write(image, bytemuck::cast_slice_mut(&mut out));
        out
    }

    #[test]
    fn axes_are_put_in_the_order_asked_for() {
        let image = ramp();
        let nhwc: Vec<u8> = write(&image, Dtype::Uint8, Layout::Nhwc);
        let nchw: Vec<u8> = write(&image, Dtype::Uint8, Layout::Nchw);
        assert_eq!(nhwc, image.as_u8().expect("8 bits"));
        for (pixel, channel) in (0..6).flat_map(|p| (0..3).map(move |c| (p, c))) {
            assert_eq!(nchw[channel * 6 + pixel], nhwc[pixel * 3 + channel]);
        }
    }

    #[test]
    fn every_dtype_of_8_bits_and_of_floats_agrees() {
        let bytes = ramp();
        let floats = Image::from_f32(SIZE, 3, bytes.as_u8().expect("8 bits").iter().map(|x| f32::from(*x)).collect());
        for layout in [Layout::Nhwc, Layout::Nchw] {
            let exact: Vec<f32> = write(&bytes, Dtype::Fp32, layout);
            assert_eq!(exact, write::<f32>(&floats, Dtype::Fp32, layout));
            assert_eq!(write::<u8>(&bytes, Dtype::Uint8, layout), write::<u8>(&floats, Dtype::Uint8, layout));
            let half: Vec<u16> = write(&bytes, Dtype::Fp16, layout);
            assert_eq!(half, write::<u16>(&floats, Dtype::Fp16, layout));
            assert!(
                half.iter().zip(&exact).all(|(h, x)| f16::from_bits(*h).to_f32() == *x),
                "whole numbers to 255 are exact"
            );
            let brain: Vec<u16> = write(&bytes, Dtype::Bf16, layout);
            assert_eq!(brain, write::<u16>(&floats, Dtype::Bf16, layout));
        }
    }

    #[test]
    fn an_image_that_is_finished_as_it_is_written_is_the_one_that_was_finished_before() {
        let ops = serde_json::json!({ "ops": [
            { "to_float": {} }, { "horizontal_flip": { "p": 1 } }, { "brightness": { "delta": [0.3, 0.3] } }, { "clip": {} },
            { "to_float": { "divisor": 0.004 } },
        ] });
        let ops: v1::Pipeline = serde_json::from_value(ops).expect("ops");
        for channels in [1, 3] {
            let form = Form { smallest: SIZE, largest: SIZE, channels, depth: Depth::U8 };
            let pipeline = Pipeline::build(&feedline_proto::rule::with_defaults(&ops), form).expect("ops that fit");
            let image = Image::from_u8(SIZE, channels, (0..6 * channels as u8).map(|x| x * 13).collect::<Vec<u8>>());
            let key = Key { seed: 1, epoch: 0, position: 0, view: 0, op: 0, purpose: Purpose::Op };
            let mut scratch = Scratch::default();
            let done = pipeline.run(Sample::new(image.borrowed(), 0), key, &mut scratch).image;
            let (left, finish) = pipeline.run_unfinished(Sample::new(image.borrowed(), 0), None, key, &mut scratch);
            assert!(!finish.is_nothing() && left.image != done);
            for layout in [Layout::Nhwc, Layout::Nchw] {
                for dtype in [Dtype::Uint8, Dtype::Fp16, Dtype::Bf16, Dtype::Fp32] {
                    let writer = Writer::new(None, channels, dtype, layout);
                    let (mut expected, mut found) = (vec![0_u64; 9], vec![0_u64; 9]);
                    let length = writer.bytes(6) as usize;
                    writer.write(&done, &mut bytemuck::cast_slice_mut(&mut expected)[..length]);
                    let out = &mut bytemuck::cast_slice_mut(&mut found)[..length];
                    let crc = writer.write_unfinished(&left.image, &finish, &mut scratch, 7, out);
                    assert_eq!(crc, crc32c::append(7, out), "{dtype:?}, {layout:?}, {channels} channels");
                    assert_eq!(found, expected, "{dtype:?}, {layout:?}, {channels} channels");
                }
            }
        }
    }

    #[test]
    fn planes_of_floats_are_those_of_the_table_wherever_they_are_cut() {
        let ops = [v1::op::Op::ToFloat(v1::ToFloat { divisor: Some(255.0) })].map(|op| v1::Op { op: Some(op) });
        let tail = Tail::of(&ops, 3).expect("a tail");
        // One writer for rows of several sizes.
        let writer = Writer::new(Some(&tail), 3, Dtype::Fp32, Layout::Nchw);
        for size in [Size::new(1, 1), Size::new(64, 16), Size::new(71, 53), Size::new(1, 1)] {
            let pixels = size.area() as usize;
            let image = Image::from_u8(size, 3, (0..3 * pixels).map(|x| (x * 7 + x / 256) as u8).collect::<Vec<u8>>());
            let values = image.as_u8().expect("8 bits");
            let expected: Vec<f32> =
                (0..3 * pixels).map(|at| f32::from(values[at % pixels * 3 + at / pixels]) / 255.0).collect();
            let (mut written, mut found) = (vec![0.0_f32; 3 * pixels], vec![0.0_f32; 3 * pixels]);
            writer.write(&image, bytemuck::cast_slice_mut(&mut written));
            let out = bytemuck::cast_slice_mut(&mut found);
            let crc = writer.write_unfinished(&image, &Finish::default(), &mut Scratch::default(), 7, out);
            assert_eq!(crc, crc32c::append(7, out), "{size}");
            assert!(found == expected && written == expected, "{size}");
        }
    }

    #[test]
    fn the_tail_is_finished_unless_8_bits_are_asked_for() {
        let ops = [
            v1::op::Op::ToFloat(v1::ToFloat { divisor: Some(255.0) }),
            v1::op::Op::Normalize(v1::Normalize { mean: vec![0.5, 0.25, 0.0], std: vec![0.5, 0.25, 2.0] }),
        ]
        .map(|op| v1::Op { op: Some(op) });
        let tail = Tail::of(&ops, 3).expect("a tail");
        let image = ramp();
        let mut out = vec![0.0_f32; 18];
        Writer::new(Some(&tail), 3, Dtype::Fp32, Layout::Nhwc).write(&image, bytemuck::cast_slice_mut(&mut out));
        let values = image.as_u8().expect("8 bits");
        assert_eq!(out[4], (f32::from(values[4]) / 255.0 - 0.25) / 0.25);
        let mut raw = vec![0_u8; 18];
        Writer::new(Some(&tail), 3, Dtype::Uint8, Layout::Nhwc).write(&image, &mut raw);
        assert_eq!(raw, values);
    }

    #[test]
    fn blends_weigh_both() {
        let (a, b) = (ramp(), Image::from_u8(SIZE, 3, vec![100; 18]));
        let mut out = vec![0.0_f32; 18];
        let writer = Writer::new(None, 3, Dtype::Fp32, Layout::Nhwc);
        writer.write_blend(&a, &b, 0.25, bytemuck::cast_slice_mut(&mut out));
        assert_eq!(out[2], 28.0 * 0.25 + 100.0 * 0.75);
        let mut rounded = vec![0_u8; 18];
        Writer::new(None, 3, Dtype::Uint8, Layout::Nhwc).write_blend(&a, &b, 0.25, &mut rounded);
        assert_eq!(rounded[1], 78, "14 * 0.25 + 75 = 78.5, ties to even");
    }
}
