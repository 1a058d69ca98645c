//! OpenCV's LAB of 8 bits, in whole numbers.

use std::sync::OnceLock;

use super::pointwise::cut_whole;

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
    value: [u8; 4096],
}

/// More than the index of white, 2040, rounded up, can be.
const ROOTS: usize = 3072;
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

    /// Lightness, a and b.
    #[inline(always)]
    pub(super) fn lab(&self, pixel: [u8; 3]) -> [u8; 3] {
        let linear = self.linear(pixel);
        let [x, y, z] = [0, 1, 2].map(|row| self.root(linear, row));
        let a = (500 * (x - y) + (128 << 15) + (1 << 14)) >> 15;
        let b = (200 * (y - z) + (128 << 15) + (1 << 14)) >> 15;
        [self.lightness(y), cut_whole(a), cut_whole(b)]
    }

    #[inline(always)]
    fn linear(&self, pixel: [u8; 3]) -> [i32; 3] {
        pixel.map(|x| i32::from(self.tables.linear[usize::from(x)]))
    }

    #[inline(always)]
    fn root(&self, [r, g, b]: [i32; 3], row: usize) -> i32 {
        let [x, y, z] = TO_XYZ[row];
        let index = (r * x + g * y + b * z + (1 << 11)) >> 12;
        // Weights add up to 4096 at most, so the index is at most 2040; the minimum spares a check that may panic.
        i32::from(self.tables.root[(index as usize).min(ROOTS - 1)])
    }

    #[inline(always)]
    fn lightness(&self, root: i32) -> u8 {
        cut_whole((296 * root - 1_336_934 + (1 << 14)) >> 15)
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
            root: std::array::from_fn(|x| {
                let x = x as f64 / 2040.0;
                let root = if x < 216.0 / 24389.0 { x * 841.0 / 108.0 + 16.0 / 116.0 } else { libm::cbrt(x) };
                (root * 32768.0).round_ties_even() as u16
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

    /// Red, green and blue of lightness, a and b.
    #[inline(always)]
    pub(super) fn of(&self, [lightness, a, b]: [u8; 3]) -> [u8; 3] {
        let (y, root) = self.tables.luminance[usize::from(lightness)];
        // Divided by 500 and by 200, by way of rounded products.
        let a = ((5 * i32::from(a) * 53687 + (1 << 7)) >> 13) - 128 * ONE / 500;
        let b = ((i32::from(b) * 41943 + (1 << 4)) >> 9) - 128 * ONE / 200 + 1;
        let (x, z) = (cube(root + a), cube(root - b));
        TO_RGB.map(|[of_x, of_y, of_z]| {
            let linear = (of_x * x + of_y * y + of_z * z + (1 << 13)) >> 14;
            self.tables.value[linear.clamp(0, 4095) as usize]
        })
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
        let (forth, back) = (Lightness::new(), Colour::new());
        for (rgb, lab) in [([0; 3], [0, 128, 128]), ([255; 3], [255, 128, 128]), ([255, 0, 0], [136, 208, 195])] {
            assert_eq!(forth.lab(rgb), lab);
            assert_eq!(forth.of(rgb), lab[0]);
        }
        assert_eq!(back.of([255, 128, 128]), [255; 3]);
        // Whatever the bytes are, no index is out of range.
        for lightness in [0, 1, 100, 255] {
            for a in [0, 77, 255] {
                for b in [0, 200, 255] {
                    back.of([lightness, a, b]);
                }
            }
        }
    }
}
