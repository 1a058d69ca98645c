//! The inverse transform of blocks to fewer pixels, for images decoded at a half, a quarter or an eighth of their size: those of libjpeg
//! (`jidctred.c`), to the bit. In plain loops, which the compiler makes vectors of.

use super::idct::{CONSTANT_BITS, KEPT_BITS, fixed, flat};

/// Transforms a block, of which `last` is the last coefficient that is not zero in the order of the file, or one behind it, to `side` rows
/// of `side` pixels: 4, 2 or 1.
#[inline(always)]
pub(super) fn transform(
    side: usize,
    block: &[i16; 64],
    last: usize,
    factors: &[i32; 64],
    to: &mut [u8],
    stride: usize,
) {
    match (side, last) {
        (1, _) => flat(block[0], factors[0], 1, to, stride),
        (2, 0) => flat(block[0], factors[0], 2, to, stride),
        (4, 0) => flat(block[0], factors[0], 4, to, stride),
        (4, 1..=9) => pixels::<4, 4>(block, factors, to, stride),
        (4, _) => pixels::<4, 8>(block, factors, to, stride),
        (_, 1..=9) => pixels::<2, 4>(block, factors, to, stride),
        _ => pixels::<2, 8>(block, factors, to, stride),
    }
}

/// `TO` (4 or 2) rows of as many pixels, of a block of which only the first `SIDE` (4 or 8) rows and columns have coefficients that are
/// not zero. Loops, and no closures, which the compiler is free not to inline: then they have no vectors.
#[inline(always)]
fn pixels<const TO: usize, const SIDE: usize>(block: &[i16; 64], factors: &[i32; 64], to: &mut [u8], stride: usize) {
    let mut rows = [[0; 8]; 8];
    for (row, values) in rows.iter_mut().enumerate().take(SIDE) {
        for (column, value) in values.iter_mut().enumerate() {
            *value = i32::from(block[8 * row + column]).wrapping_mul(factors[8 * row + column]);
        }
    }
    // Each pass leaves the sums larger by this many bits.
    let grown = CONSTANT_BITS + if TO == 4 { 1 } else { 2 };
    let mut columns = [[0; TO]; 8];
    for (row, values) in pass::<TO, SIDE, 8>(&rows).iter().enumerate() {
        for (column, value) in columns.iter_mut().zip(values) {
            column[row] = descaled(*value, grown - KEPT_BITS);
        }
    }
    let columns = pass::<TO, SIDE, TO>(&columns);
    for (row, pixels) in to.chunks_mut(stride).take(TO).enumerate() {
        for (pixel, column) in pixels[..TO].iter_mut().zip(&columns) {
            *pixel = (descaled(column[row], grown + KEPT_BITS + 3) + 128).clamp(0, 255) as u8;
        }
    }
}

#[inline(always)]
fn descaled(x: i32, bits: i32) -> i32 {
    x.wrapping_add(1 << (bits - 1)) >> bits
}

/// One dimension of `LANES` rows or columns at a time, to `TO` values each. Those from the `SIDE`th on are zero, and not looked at.
#[inline(always)]
fn pass<const TO: usize, const SIDE: usize, const LANES: usize>(s: &[[i32; LANES]; 8]) -> [[i32; LANES]; TO] {
    let mut made = [[0; LANES]; TO];
    for lane in 0..LANES {
        let mut x = [0_i32; 8];
        for at in 0..SIDE {
            x[at] = s[at][lane];
        }
        let [x0, x1, x2, x3, _, x5, x6, x7] = x;
        let odd = [x1, x3, x5, x7];
        if TO == 2 {
            let (even, odd) = (x0 << (CONSTANT_BITS + 2), weighted(odd, TWO));
            (made[0][lane], made[TO - 1][lane]) = (even.wrapping_add(odd), even.wrapping_sub(odd));
        } else {
            let even = x0 << (CONSTANT_BITS + 1);
            let other = weighted([x2, x6, 0, 0], FOUR_EVEN);
            let (outer, inner) = (weighted(odd, FOUR_OUTER), weighted(odd, FOUR_INNER));
            let (high, low) = (even.wrapping_add(other), even.wrapping_sub(other));
            (made[0][lane], made[TO - 1][lane]) = (high.wrapping_add(outer), high.wrapping_sub(outer));
            (made[1][lane], made[TO - 2][lane]) = (low.wrapping_add(inner), low.wrapping_sub(inner));
        }
    }
    made
}

/// Of the coefficients 1, 3, 5 and 7, for two pixels.
const TWO: [i32; 4] = [fixed(3.624_509_785), fixed(-1.272_758_580), fixed(0.850_430_095), fixed(-0.720_959_822)];

/// Of 2 and 6, for four pixels; and of 1, 3, 5 and 7, for the outer and the inner ones.
const FOUR_EVEN: [i32; 4] = [fixed(1.847_759_065), fixed(-0.765_366_865), 0, 0];
const FOUR_OUTER: [i32; 4] = [fixed(2.562_915_447), fixed(0.899_976_223), fixed(-0.601_344_887), fixed(-0.509_795_579)];
const FOUR_INNER: [i32; 4] = [fixed(1.061_594_337), fixed(-2.172_734_803), fixed(1.451_774_981), fixed(-0.211_164_243)];

#[inline(always)]
fn weighted([a, b, c, d]: [i32; 4], [w, x, y, z]: [i32; 4]) -> i32 {
    let first = a.wrapping_mul(w).wrapping_add(b.wrapping_mul(x));
    first.wrapping_add(c.wrapping_mul(y)).wrapping_add(d.wrapping_mul(z))
}
