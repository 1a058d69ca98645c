use feedline_proto::v1;

use crate::augment::finish::Step;
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size, ValuesMut};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;
use crate::simd::Level;

/// Mirrors left and right.
struct HorizontalFlip;

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Mirrors left and right: `tf.image.flip_left_right`, `albumentations.HorizontalFlip`, torchvision's `hflip`. Exact.",
    targets: Targets::All,
    example: "horizontal_flip = { p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::HorizontalFlip, input: Form) -> Result<Built, Refusal> {
    Built::maybe(HorizontalFlip, message.p, input, input)
}

impl Op for HorizontalFlip {
    type Params = ();
    const NAME: &'static str = "horizontal_flip";
    const WAITS: bool = true;

    fn draw(&self, _: &mut Rng, _: &Sample<'_>) {}

    fn step(&self, (): &()) -> Option<Step> {
        Some(Step::Mirror)
    }

    fn apply<'a>(&self, (): &(), image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        mirrored_rows(image)
    }

    fn geometry(&self, (): &(), size: Size) -> Option<Geometry> {
        Some(Geometry::mirror_x(size))
    }
}

/// The image with left and right exchanged.
pub(super) fn mirrored_rows(image: Image<'_>) -> Image<'_> {
    mirrored_rows_at(Level::current(), image)
}

/// As [`mirrored_rows`], at `level` or at the highest that the processor has if that is lower.
fn mirrored_rows_at(level: Level, mut image: Image<'_>) -> Image<'_> {
    let (width, channels) = (image.size().width as usize, image.channels());
    match image.values_mut() {
        #[cfg(target_arch = "x86_64")]
        ValuesMut::U8(values) if channels == 3 && level.min(Level::detected()) >= Level::Avx2 => {
            // SAFETY: the processor has what the level needs.
            #[allow(unsafe_code)]
            unsafe {
                match level.min(Level::detected()) {
                    Level::Avx512 => mirror_rgb_rows_wide(values, width),
                    _ => mirror_rgb_rows(values, width),
                }
            }
        }
        ValuesMut::U8(values) => mirror_rows(values, width, channels),
        ValuesMut::F32(values) => mirror_rows(values, width, channels),
    }
    image
}

/// Five pixels at a time, which no compiler finds out: sixteen bytes are read, turned round and written; the last of them is the
/// first of the next five.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn mirror_rgb_rows(values: &mut [u8], width: usize) {
    use std::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_setr_epi8, _mm_shuffle_epi8, _mm_storeu_si128};
    const FIVE: usize = 15;
    const READ: usize = 16;
    let turned = _mm_setr_epi8(13, 14, 15, 10, 11, 12, 7, 8, 9, 4, 5, 6, 1, 2, 3, -1);
    let length = width * 3;
    // The row that is turned, behind as many bytes as are read before its first pixel at most.
    let mut source = vec![0_u8; READ + length];
    for row in values.chunks_exact_mut(length.max(1)) {
        source[READ..].copy_from_slice(row);
        let mut at = 0;
        while at + READ <= length {
            let from = &source[length - at..][..READ];
            let to = &mut row[at..at + READ];
            // SAFETY: both slices have sixteen bytes.
            #[allow(unsafe_code)]
            unsafe {
                let pixels = _mm_loadu_si128(from.as_ptr().cast::<__m128i>());
                _mm_storeu_si128(to.as_mut_ptr().cast::<__m128i>(), _mm_shuffle_epi8(pixels, turned));
            }
            at += FIVE;
        }
        let left = source[READ..][..length - at].as_chunks::<3>().0.iter().rev();
        row[at..].as_chunks_mut::<3>().0.iter_mut().zip(left).for_each(|(to, pixel)| *to = *pixel);
    }
}

/// The same, 21 pixels at a time.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn mirror_rgb_rows_wide(values: &mut [u8], width: usize) {
    use std::arch::x86_64::{_mm512_loadu_epi8, _mm512_mask_storeu_epi8, _mm512_permutexvar_epi8};
    const WRITTEN: usize = 63;
    const READ: usize = 64;
    let turned: [i8; READ] =
        std::array::from_fn(|to| if to < WRITTEN { (1 + (20 - to / 3) * 3 + to % 3) as i8 } else { 0 });
    let length = width * 3;
    let mut source = vec![0_u8; READ + length];
    // SAFETY: as many values as a vector has.
    #[allow(unsafe_code)]
    let turned = unsafe { _mm512_loadu_epi8(turned.as_ptr()) };
    for row in values.chunks_exact_mut(length.max(1)) {
        source[READ..].copy_from_slice(row);
        for (block, to) in row.chunks_mut(WRITTEN).enumerate() {
            let from = &source[length - block * WRITTEN..][..READ];
            // SAFETY: 64 bytes are read, and as many written as the block has.
            #[allow(unsafe_code)]
            unsafe {
                let pixels = _mm512_permutexvar_epi8(turned, _mm512_loadu_epi8(from.as_ptr().cast()));
                _mm512_mask_storeu_epi8(to.as_mut_ptr().cast(), u64::MAX >> (READ - to.len()), pixels);
            }
        }
    }
}

/// Each row of `width` pixels in the opposite order.
pub(in crate::augment) fn mirror_rows<T: Copy>(values: &mut [T], width: usize, channels: usize) {
    match channels {
        3 => values.chunks_exact_mut(width * 3).for_each(|row| row.as_chunks_mut::<3>().0.reverse()),
        _ => values.chunks_exact_mut(width).for_each(<[T]>::reverse),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Pixels;

    #[test]
    fn every_level_turns_every_width() {
        for width in 1..40_u32 {
            let values: Vec<u8> = (0..width * 3 * 3).map(|x| (x * 7 % 251) as u8).collect();
            let mut expected = values.clone();
            mirror_rows(&mut expected, width as usize, 3);
            for level in Level::ALL {
                let made = mirrored_rows_at(level, Image::from_u8(Size::new(width, 3), 3, values.clone()));
                assert!(matches!(made.pixels(), Pixels::U8(pixels) if pixels[..] == expected[..]), "{width} {level:?}");
            }
        }
    }
}
