//! Gray as the place along the axis of the largest variance of an image's colours, from the lowest to the highest: albumentations'
//! `to_gray_pca`.

use super::principal::Moments;
use crate::simd::Kernel;

/// How far along the axis a colour is: 0 at the lowest of the image, 1 at the highest.
#[derive(Clone, Copy)]
pub(super) struct Along {
    axis: [f64; 3],
    lowest: f64,
    scale: f64,
}

impl Along {
    pub(super) fn of_bytes(pixels: &[[u8; 3]]) -> Self {
        Along::new(Moments::of_bytes(pixels), pixels)
    }

    pub(super) fn of_floats(pixels: &[[f32; 3]]) -> Self {
        Along::new(Moments::of_floats(pixels.as_flattened()), pixels)
    }

    fn new<T: Copy + Into<f64>>(moments: Option<Moments>, pixels: &[[T; 3]]) -> Self {
        let axis = moments.map_or([0.0; 3], |moments| moments.largest_axis());
        let (lowest, highest) = Ends { axis, pixels }.dispatch();
        let range = highest - lowest;
        if range > f64::EPSILON && range.is_finite() {
            Along { axis, lowest, scale: 1.0 / range }
        } else {
            // One place, or values that are no numbers: all of it is the lowest.
            Along { axis: [0.0; 3], lowest: 0.0, scale: 0.0 }
        }
    }

    #[inline(always)]
    pub(super) fn of<T: Into<f64>>(&self, pixel: [T; 3]) -> f64 {
        (place(self.axis, pixel) - self.lowest) * self.scale
    }
}

/// The least and the greatest place of the image's colours, in any order: both are exact.
struct Ends<'a, T> {
    axis: [f64; 3],
    pixels: &'a [[T; 3]],
}

impl<T: Copy + Into<f64>> Kernel for Ends<'_, T> {
    type Output = (f64, f64);

    #[inline(always)]
    fn run(self) -> (f64, f64) {
        let (mut least, mut most) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
        let (lanes, rest) = self.pixels.as_chunks::<LANES>();
        for pixels in lanes {
            for lane in 0..LANES {
                let x = place(self.axis, pixels[lane]);
                least[lane] = if x < least[lane] { x } else { least[lane] };
                most[lane] = if x > most[lane] { x } else { most[lane] };
            }
        }
        for pixel in rest {
            let x = place(self.axis, *pixel);
            least[0] = if x < least[0] { x } else { least[0] };
            most[0] = if x > most[0] { x } else { most[0] };
        }
        (least.into_iter().fold(f64::INFINITY, f64::min), most.into_iter().fold(f64::NEG_INFINITY, f64::max))
    }
}

const LANES: usize = 8;

#[inline(always)]
fn place<T: Into<f64>>(axis: [f64; 3], [r, g, b]: [T; 3]) -> f64 {
    r.into() * axis[0] + g.into() * axis[1] + b.into() * axis[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_axis_are_zero_and_one() {
        let pixels: Vec<[u8; 3]> = (0..41_u8).map(|i| [i * 6, i * 5, 255 - i]).collect();
        let along = Along::of_bytes(&pixels);
        let places: Vec<f64> = pixels.iter().map(|pixel| along.of(*pixel)).collect();
        assert!(places.is_sorted() && places[0] == 0.0 && (places[40] - 1.0).abs() < 1e-12, "{places:?}");
    }

    #[test]
    fn one_colour_is_black() {
        assert_eq!(Along::of_bytes(&[[9, 8, 7]; 20]).of([9_u8, 8, 7]), 0.0);
        assert_eq!(Along::of_bytes(&[[9, 8, 7]]).of([9_u8, 8, 7]), 0.0);
        assert_eq!(Along::of_floats(&[[0.1, 0.7, 0.3]; 20]).of([0.1_f32, 0.7, 0.3]), 0.0);
        assert_eq!(Along::of_floats(&[]).of([0.1_f32, 0.7, 0.3]), 0.0);
        assert!(!Along::of_floats(&[[f32::INFINITY, 0.0, 0.0], [0.0; 3]]).of([0.0_f32; 3]).is_infinite());
    }
}
