//! The luma of OpenCV's 8-bit YCrCb, changed by itself.

use super::histogram::{self, Counts};
use super::pointwise::cut_whole;
use super::table::Table;
use crate::augment::simd::Kernel;

/// Changes the luma of RGB by the table that `table` makes of its histogram.
pub(super) fn change(values: &mut [u8], table: impl FnOnce(&Counts) -> Table) {
    let pixels = values.as_chunks_mut::<3>().0;
    Forth { pixels }.dispatch();
    let [counts, _, _] = histogram::of_channels(pixels.as_flattened(), 3);
    let table = table(&counts);
    pixels.iter_mut().for_each(|[y, _, _]| *y = table.value(*y));
    Back { pixels }.dispatch();
}

/// Bits of the fractions of the weights.
const SHIFT: u32 = 14;
/// Half of one, to round with.
const HALF: i32 = 1 << (SHIFT - 1);

/// RGB to Y, Cr, Cb.
struct Forth<'a> {
    pixels: &'a mut [[u8; 3]],
}

impl Kernel for Forth<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for pixel in self.pixels {
            let [r, g, b] = pixel.map(i32::from);
            let y = (4899 * r + 9617 * g + 1868 * b + HALF) >> SHIFT;
            let cr = ((r - y) * 11682 + (128 << SHIFT) + HALF) >> SHIFT;
            let cb = ((b - y) * 9241 + (128 << SHIFT) + HALF) >> SHIFT;
            *pixel = [cut_whole(y), cut_whole(cr), cut_whole(cb)];
        }
    }
}

/// Y, Cr, Cb to RGB.
struct Back<'a> {
    pixels: &'a mut [[u8; 3]],
}

impl Kernel for Back<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for pixel in self.pixels {
            let [y, cr, cb] = pixel.map(i32::from);
            let (cr, cb) = (cr - 128, cb - 128);
            let r = y + ((cr * 22987 + HALF) >> SHIFT);
            let g = y + ((cb * -5636 + cr * -11698 + HALF) >> SHIFT);
            let b = y + ((cb * 29049 + HALF) >> SHIFT);
            *pixel = [cut_whole(r), cut_whole(g), cut_whole(b)];
        }
    }
}
