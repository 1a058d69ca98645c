//! Ops that are defined on 8 bits, on images of floats: to 8 bits, and back.

use super::pointwise::cut;
use crate::augment::op::Scratch;
use crate::image::{Image, Size};
use crate::simd::Kernel;

/// How floats become 8 bits and 8 bits floats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Conversion {
    /// Times 255, rounded to even, clamped; divided by 255. A NaN is 0.
    Albumentations,
    /// Times 256 - 0.001, cut off, clamped; times the nearest float to 1/255: torchvision's `to_dtype`.
    Torchvision,
}

/// Changes floats from 0 to `full` by what `change` makes of them as 8 bits.
pub(super) fn by_bytes(
    values: &mut [f32],
    full: f32,
    conversion: Conversion,
    scratch: &mut Scratch,
    change: impl FnOnce(&mut [u8]),
) {
    let mut bytes = scratch.bytes(values.len());
    let (scale, offset) = match conversion {
        Conversion::Albumentations => (255.0 / full, ROUND),
        Conversion::Torchvision => (255.999 / full, 0.0),
    };
    ToBytes { values, bytes: &mut bytes, scale, offset }.dispatch();
    change(&mut bytes);
    let floats: [f32; 256] = std::array::from_fn(|x| match conversion {
        Conversion::Albumentations => x as f32 / 255.0 * full,
        // Whole numbers from 0 to 255 stay what they are.
        Conversion::Torchvision if full == 255.0 => x as f32,
        Conversion::Torchvision => x as f32 * (1.0 / 255.0) * full,
    });
    values.iter_mut().zip(&bytes).for_each(|(value, byte)| *value = floats[usize::from(*byte)]);
    // Its size is of no matter: only the memory is kept.
    let size = Size::new(bytes.len().try_into().unwrap_or(0), 1);
    if size.area() == bytes.len() as u64 {
        scratch.recycle(Image::from_u8(size, 1, bytes));
    }
}

/// Added to a float below 2^22 and taken away again, it leaves the nearest whole number, the even one of two.
const ROUND: f32 = 12_582_912.0;

struct ToBytes<'a> {
    values: &'a [f32],
    bytes: &'a mut [u8],
    scale: f32,
    /// [`ROUND`], or 0 where fractions are cut off.
    offset: f32,
}

impl Kernel for ToBytes<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let most = 256.0;
        for (byte, value) in self.bytes.iter_mut().zip(self.values) {
            let scaled = *value * self.scale;
            // Clamped first, since the sum must stay below 2^24.
            let scaled = if scaled > 0.0 { scaled } else { 0.0 };
            let scaled = if scaled < most { scaled } else { most };
            *byte = cut((scaled + self.offset) - self.offset);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_pass_through_and_others_are_rounded_or_cut_off() {
        let mut scratch = Scratch::default();
        for conversion in [Conversion::Albumentations, Conversion::Torchvision] {
            let mut values: Vec<f32> = (0_u8..=255).map(f32::from).collect();
            let expected = values.clone();
            by_bytes(&mut values, 255.0, conversion, &mut scratch, |_| {});
            assert_eq!(values, expected, "{conversion:?}");
        }
        let mut found = Vec::new();
        let mut values = [-1.0, f32::NAN, 0.5 / 255.0, 1.5 / 255.0, 1.0, 7.0, f32::INFINITY];
        by_bytes(&mut values, 1.0, Conversion::Albumentations, &mut scratch, |bytes| found = bytes.to_vec());
        assert_eq!(found, [0, 0, 0, 2, 255, 255, 255]);
        let mut values = [-1.0, f32::NAN, 0.9 / 255.0, 1.9 / 255.0, 1.0, 7.0, f32::INFINITY];
        by_bytes(&mut values, 1.0, Conversion::Torchvision, &mut scratch, |bytes| found = bytes.to_vec());
        assert_eq!(found, [0, 0, 0, 1, 255, 255, 255]);
    }
}
