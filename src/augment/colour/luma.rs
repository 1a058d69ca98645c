//! The luma of OpenCV's 8-bit YCrCb, changed by itself.

#![allow(unsafe_code)]

use super::histogram::{self, Counts};
use super::lanes::Lanes;
use super::table::Table;
use super::whole::{self, Formula, quotient};

/// Changes the luma of RGB by the table that `table` makes of its histogram.
pub(super) fn change(values: &mut [u8], table: impl FnOnce(&Counts) -> Table) {
    let pixels = values.as_chunks_mut::<3>().0;
    whole::apply(pixels, Forth);
    let counts = histogram::of_first(pixels);
    let table = table(&counts);
    pixels.iter_mut().for_each(|[y, _, _]| *y = table.value(*y));
    whole::apply(pixels, Back);
}

/// One of the weights' fractions of 14 bits. No sum below exceeds 8 million.
const ONE: f32 = 16384.0;

/// RGB to Y, Cr, Cb.
#[derive(Clone, Copy)]
struct Forth;

impl Formula for Forth {
    #[inline(always)]
    unsafe fn of<L: Lanes>(self, [r, g, b]: [L; 3]) -> [L; 3] {
        // SAFETY: what the caller says; the luma's sum is positive.
        unsafe {
            let y = quotient(L::splat(ONE * 0.5), [(r, 4899.0), (g, 9617.0), (b, 1868.0)], ONE).cut();
            let middle = L::splat(ONE * 128.5);
            let cr = quotient(middle, [(r, 11682.0), (y, -11682.0)], ONE);
            let cb = quotient(middle, [(b, 9241.0), (y, -9241.0)], ONE);
            [y, cr, cb]
        }
    }
}

/// Y, Cr, Cb to RGB. What the middle of Cr and Cb, 128, takes away is in the number to start from.
#[derive(Clone, Copy)]
struct Back;

impl Formula for Back {
    #[inline(always)]
    unsafe fn of<L: Lanes>(self, [y, cr, cb]: [L; 3]) -> [L; 3] {
        let half = ONE * 0.5;
        // SAFETY: what the caller says.
        unsafe {
            let r = quotient(L::splat(half - 128.0 * 22987.0), [(y, ONE), (cr, 22987.0)], ONE);
            let start = L::splat(half + 128.0 * (5636.0 + 11698.0));
            let g = quotient(start, [(y, ONE), (cb, -5636.0), (cr, -11698.0)], ONE);
            let b = quotient(L::splat(half - 128.0 * 29049.0), [(y, ONE), (cb, 29049.0)], ONE);
            [r, g, b]
        }
    }
}
