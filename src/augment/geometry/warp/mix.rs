use super::Filter;
use super::cubic::Weights;
use super::place::Places;
use super::source::{Source, Value};
use crate::simd::Kernel;

/// Fills an image with pixels of another one.
pub(super) struct Fill<'f, 'b, T, const C: usize> {
    pub(super) source: Source<'f, T, C>,
    pub(super) places: &'f mut Places<'b>,
    pub(super) out: &'f mut [[T; C]],
}

impl<T: Value, const C: usize> Kernel for Fill<'_, '_, T, C> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Fill { source, places, out } = self;
        let (filter, width) = (places.filter, places.width());
        for (row, out) in out.chunks_exact_mut(width).enumerate() {
            let (x, y) = places.row(row);
            let pixels = out.iter_mut().zip(x.iter().zip(y));
            match filter {
                Filter::Nearest => pixels.for_each(|(out, (x, y))| *out = source.at(*x, *y)),
                Filter::Bilinear => {
                    for (out, (x, y)) in pixels {
                        *out = T::bilinear(&source.square(x >> 5, y >> 5), x & 31, y & 31);
                    }
                }
                Filter::Bicubic => {
                    let weights = Weights::shared();
                    for (out, (x, y)) in pixels {
                        let square = source.square((x >> 5) - 1, (y >> 5) - 1);
                        *out = T::bicubic(&square, weights, ((y & 31) * 32 + (x & 31)) as usize);
                    }
                }
            }
        }
    }
}
