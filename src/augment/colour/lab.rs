//! OpenCV's LAB of 8 bits, in whole numbers.

use std::sync::OnceLock;

use super::pointwise::cut_whole;
use crate::simd::Kernel;
#[cfg(test)]
use crate::simd::Level;

/// RGB to LAB, or to its lightness alone.
pub(super) struct Lightness {
    tables: &'static Forth,
}

/// Tables of the way to LAB.
struct Forth {
    /// Linear light of each value, in 2040ths.
    linear: [u16; 256],
    /// The cube root, below a threshold a line, of 2040ths, in 32768ths.
    root: [u16; ROOTS],
}

/// Tables of the way back.
struct Back {
    /// Luminance and its cube root of each lightness, in 16384ths.
    luminance: [(i32, i32); 256],
    /// The value of linear light in 4096ths.
    value: [u8; VALUES],
}

/// A power of two beyond the index of white, which is 2040.
const ROOTS: usize = 4096;
/// Steps of linear light: a power of two.
const VALUES: usize = 4096;
/// Weights of red, green and blue in X, Y and Z of the white of D65, in 4096ths.
const TO_XYZ: [[i32; 3]; 3] = [[1777, 1541, 778], [871, 2929, 296], [73, 448, 3575]];
/// Weights of X, Y and Z in red, green and blue, in 4096ths.
const TO_RGB: [[i32; 3]; 3] = [[12615, -6296, -2223], [-3773, 7684, 185], [217, -836, 4715]];
/// One of the fractions on the way back.
const ONE: i32 = 1 << 14;

impl Lightness {
    /// Its tables are made once in a process.
    pub(super) fn new() -> Self {
        static TABLES: OnceLock<Forth> = OnceLock::new();
        Lightness { tables: TABLES.get_or_init(Forth::new) }
    }

    /// The lightness.
    #[inline(always)]
    pub(super) fn of(&self, pixel: [u8; 3]) -> u8 {
        self.lightness(self.root(self.linear(pixel), 1))
    }

    /// Makes lightness, a and b of every pixel.
    pub(super) fn apply(&self, pixels: &mut [[u8; 3]]) {
        ToLab { lab: self, pixels }.dispatch();
    }

    /// As [`Lightness::apply`], at `level` or at the highest that the processor has if that is lower.
    #[cfg(test)]
    fn apply_at(&self, level: Level, pixels: &mut [[u8; 3]]) {
        ToLab { lab: self, pixels }.run_at(level);
    }

    #[inline(always)]
    fn linear(&self, pixel: [u8; 3]) -> [i32; 3] {
        pixel.map(|x| i32::from(self.tables.linear[usize::from(x)]))
    }

    #[inline(always)]
    fn root(&self, [r, g, b]: [i32; 3], row: usize) -> i32 {
        self.root_at(root_index(r, g, b, row))
    }

    /// The index is 2040 at most; the mask spares a check that may panic.
    #[inline(always)]
    fn root_at(&self, index: i32) -> i32 {
        i32::from(self.tables.root[index as usize & (ROOTS - 1)])
    }

    #[inline(always)]
    fn lightness(&self, root: i32) -> u8 {
        cut_whole((296 * root - 1_336_934 + (1 << 14)) >> 15)
    }
}

/// Where the root of X, Y or Z stands.
#[inline(always)]
fn root_index(r: i32, g: i32, b: i32, row: usize) -> i32 {
    let [x, y, z] = TO_XYZ[row];
    (r * x + g * y + b * z + (1 << 11)) >> 12
}

/// Pixels done at a time: looked up one by one, computed in vectors between.
const GROUP: usize = 32;

struct ToLab<'a> {
    lab: &'a Lightness,
    pixels: &'a mut [[u8; 3]],
}

impl Kernel for ToLab<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for group in self.pixels.chunks_mut(GROUP) {
            let (mut r, mut g, mut b) = ([0; GROUP], [0; GROUP], [0; GROUP]);
            for (i, pixel) in group.iter().enumerate() {
                [r[i], g[i], b[i]] = self.lab.linear(*pixel);
            }
            let mut roots = [[0; GROUP]; 3];
            for (row, roots) in roots.iter_mut().enumerate() {
                for i in 0..GROUP {
                    roots[i] = root_index(r[i], g[i], b[i], row);
                }
                roots.iter_mut().for_each(|root| *root = self.lab.root_at(*root));
            }
            let ([x, y, z], mut lab) = (roots, [[0; GROUP]; 3]);
            for i in 0..GROUP {
                lab[0][i] = self.lab.lightness(y[i]);
                lab[1][i] = cut_whole((500 * (x[i] - y[i]) + (128 << 15) + (1 << 14)) >> 15);
                lab[2][i] = cut_whole((200 * (y[i] - z[i]) + (128 << 15) + (1 << 14)) >> 15);
            }
            for (i, pixel) in group.iter_mut().enumerate() {
                *pixel = [lab[0][i], lab[1][i], lab[2][i]];
            }
        }
    }
}

impl Forth {
    fn new() -> Self {
        Forth {
            linear: std::array::from_fn(|x| {
                let x = x as f64 / 255.0;
                let linear = if x <= 0.04045 { x / 12.92 } else { libm::pow((x + 0.055) / 1.055, 2.4) };
                (linear * 2040.0).round_ties_even() as u16
            }),
            // Rounded to 32-bit floats first, as OpenCV does: two of the entries then lie half a step from the next.
            root: std::array::from_fn(|x| {
                let x = x as f64 / 2040.0;
                let root = if x < 216.0 / 24389.0 { x * 841.0 / 108.0 + 16.0 / 116.0 } else { libm::cbrt(x) };
                (root as f32 * 32768.0).round_ties_even() as u16
            }),
        }
    }
}

/// LAB to RGB.
pub(super) struct Colour {
    tables: &'static Back,
}

impl Colour {
    /// Its tables are made once in a process.
    pub(super) fn new() -> Self {
        static TABLES: OnceLock<Back> = OnceLock::new();
        Colour { tables: TABLES.get_or_init(Back::new) }
    }

    /// Makes red, green and blue of the lightness, a and b of every pixel.
    pub(super) fn apply(&self, pixels: &mut [[u8; 3]]) {
        ToRgb { tables: self.tables, pixels }.dispatch();
    }

    /// As [`Colour::apply`], at `level` or at the highest that the processor has if that is lower.
    #[cfg(test)]
    fn apply_at(&self, level: Level, pixels: &mut [[u8; 3]]) {
        ToRgb { tables: self.tables, pixels }.run_at(level);
    }
}

struct ToRgb<'a> {
    tables: &'a Back,
    pixels: &'a mut [[u8; 3]],
}

impl Kernel for ToRgb<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for group in self.pixels.chunks_mut(GROUP) {
            let (mut y, mut root, mut a, mut b) = ([0; GROUP], [0; GROUP], [0; GROUP], [0; GROUP]);
            for (i, pixel) in group.iter().enumerate() {
                (y[i], root[i]) = self.tables.luminance[usize::from(pixel[0])];
                (a[i], b[i]) = (i32::from(pixel[1]), i32::from(pixel[2]));
            }
            let mut linear = [[0_i32; GROUP]; 3];
            for i in 0..GROUP {
                // Divided by 500 and by 200, by way of rounded products.
                let a = ((5 * a[i] * 53687 + (1 << 7)) >> 13) - 128 * ONE / 500;
                let b = ((b[i] * 41943 + (1 << 4)) >> 9) - 128 * ONE / 200 + 1;
                let (x, z) = (cube(root[i] + a), cube(root[i] - b));
                for (row, [of_x, of_y, of_z]) in TO_RGB.into_iter().enumerate() {
                    let sum = of_x * x + of_y * y[i] + of_z * z + (1 << 13);
                    linear[row][i] = (sum >> 14).clamp(0, VALUES as i32 - 1);
                }
            }
            for (i, pixel) in group.iter_mut().enumerate() {
                // The mask spares a check that may panic.
                *pixel = [0, 1, 2].map(|row| self.tables.value[linear[row][i] as usize & (VALUES - 1)]);
            }
        }
    }
}

/// The cube of `x`, in 16384ths, below a threshold a line. `x` is from -8145 to 28719.
#[inline(always)]
fn cube(x: i32) -> i32 {
    let line = x * 108 / 841 - ONE * 16 / 116 * 108 / 841;
    // Of negative numbers the product is not asked for, and no larger.
    let cube = x * x / ONE * x / ONE;
    if x <= 3390 { line } else { cube }
}

impl Back {
    fn new() -> Self {
        let one = f64::from(ONE);
        let luminance = |x: usize| {
            let x = x as f64;
            if x <= 20.0 {
                let y = x * one * 180.0 / f64::from(17 * 29 * 29 * 29);
                let root = one * (16.0 / 116.0 + x * 5.0 / f64::from(3 * 17 * 29));
                return (y, root);
            }
            let root = x * 100.0 * one / (255.0 * 116.0) + 16.0 * one / 116.0;
            (root * root * root / (one * one), root)
        };
        Back {
            luminance: std::array::from_fn(|x| {
                let (y, root) = luminance(x);
                (y.round_ties_even() as i32, root.round_ties_even() as i32)
            }),
            value: std::array::from_fn(|x| {
                let x = x as f64 / 4096.0;
                let value = if x <= 0.003_130_8 { x * 12.92 } else { libm::pow(x, 1.0 / 2.4) * 1.055 - 0.055 };
                (value * 255.0).round_ties_even() as u8
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_white_and_red_are_where_opencv_has_them() {
        let forth = Lightness::new();
        let mut pixels = [[0; 3], [255; 3], [255, 0, 0]];
        let lightness = pixels.map(|pixel| forth.of(pixel));
        forth.apply(&mut pixels);
        assert_eq!(pixels, [[0, 128, 128], [255, 128, 128], [136, 208, 195]]);
        assert_eq!(lightness, pixels.map(|pixel| pixel[0]));
        Colour::new().apply(&mut pixels);
        assert_eq!(pixels, [[0; 3], [255; 3], [255, 2, 1]]);
    }

    #[test]
    fn every_level_gives_the_same_bits_of_any_bytes() {
        let pixels: Vec<[u8; 3]> =
            (0..5001_u32).map(|i| [(i * 7) as u8, (i * i / 13) as u8, (i * 31 / 5) as u8]).collect();
        let made = |level| {
            let (mut forth, mut back) = (pixels.clone(), pixels.clone());
            Lightness::new().apply_at(level, &mut forth);
            Colour::new().apply_at(level, &mut back);
            (forth, back)
        };
        Level::ALL.into_iter().for_each(|level| assert_eq!(made(level), made(Level::Baseline), "{level:?}"));
    }
}
