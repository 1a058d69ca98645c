use super::Filter;
use crate::augment::geometry::crop::Beyond;
use crate::augment::op::Scratch;
use crate::image::{Image, Pixels, Size};
use crate::simd::Kernel;

/// Where pixels come from as torch computes it: in 32-bit floats, in coordinates from -1 to 1 across the image.
pub(in crate::augment::geometry) enum Grid<'g> {
    /// `x' = a x + b y + c` and `y' = d x + e y + f`, in pixels from the middle of the image.
    Affine([f64; 6]),
    /// Coefficients of `perspective`: the last of nine is 1. In continuous coordinates.
    Perspective([f64; 8]),
    /// What is added to the column and row of every pixel, in halves of the image's sides.
    Displacement(&'g [f32], &'g [f32]),
}

/// The image with its pixels mixed as `grid_sample` does it. It keeps its size.
pub(super) fn warped<'a>(
    image: Image<'a>,
    grid: &Grid<'_>,
    (filter, beyond, once): (Filter, &Beyond, bool),
    scratch: &mut Scratch,
) -> Image<'a> {
    let (size, channels) = (image.size(), image.channels());
    let how = How { nearest: filter == Filter::Nearest, once };
    let length = size.area() as usize * channels;
    let made = match image.pixels() {
        Pixels::U8(values) => {
            let mut out = scratch.bytes(length);
            match channels {
                3 => Fill::new(values.as_chunks::<3>().0, out.as_chunks_mut::<3>().0, (size, grid), beyond, how)
                    .dispatch(),
                _ => Fill::new(values.as_chunks::<1>().0, out.as_chunks_mut::<1>().0, (size, grid), beyond, how)
                    .dispatch(),
            }
            Image::from_u8(size, channels, out)
        }
        Pixels::F32(values) => {
            let mut out = scratch.floats(length);
            match channels {
                3 => Fill::new(values.as_chunks::<3>().0, out.as_chunks_mut::<3>().0, (size, grid), beyond, how)
                    .dispatch(),
                _ => Fill::new(values.as_chunks::<1>().0, out.as_chunks_mut::<1>().0, (size, grid), beyond, how)
                    .dispatch(),
            }
            Image::from_f32(size, channels, out)
        }
    };
    scratch.recycle(image);
    made
}

/// How pixels are computed.
#[derive(Clone, Copy)]
struct How {
    nearest: bool,
    /// Without a fill: what is beyond the edge counts as black, once.
    once: bool,
}

struct Fill<'f, T, const C: usize> {
    pixels: &'f [[T; C]],
    out: &'f mut [[T; C]],
    size: Size,
    grid: &'f Grid<'f>,
    fill: [f32; C],
    how: How,
    x: Vec<f32>,
    y: Vec<f32>,
}

impl<'f, T: Float, const C: usize> Fill<'f, T, C> {
    fn new(
        pixels: &'f [[T; C]],
        out: &'f mut [[T; C]],
        (size, grid): (Size, &'f Grid<'f>),
        beyond: &Beyond,
        how: How,
    ) -> Self {
        let fill = std::array::from_fn(|channel| beyond.fill[channel.min(2)] as f32);
        let zeros = vec![0.0; size.width as usize];
        Fill { pixels, out, size, grid, fill, how, x: zeros.clone(), y: zeros }
    }

    /// The pixel at a place, and its weight: 0 beyond the edge.
    #[inline(always)]
    fn at(pixels: &[[T; C]], size: Size, x: f32, y: f32) -> Option<[T; C]> {
        let inside = x >= 0.0 && y >= 0.0 && x < size.width as f32 && y < size.height as f32;
        inside.then(|| pixels[y as usize * size.width as usize + x as usize])
    }
}

impl<T: Float, const C: usize> Kernel for Fill<'_, T, C> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let (size, fill) = (self.size, self.fill);
        for (row, out) in self.out.chunks_exact_mut(size.width as usize).enumerate() {
            self.grid.row(row, size, &mut self.x, &mut self.y);
            for (out, (x, y)) in out.iter_mut().zip(self.x.iter().zip(&self.y)) {
                if self.how.nearest {
                    let pixel = Self::at(self.pixels, size, x.round_ties_even(), y.round_ties_even());
                    *out = pixel.unwrap_or_else(|| fill.map(T::of));
                    continue;
                }
                let (left, upper) = (x.floor(), y.floor());
                let (right, lower) = (left + 1.0, upper + 1.0);
                let (mut sums, mut inside) = ([0.0; C], 0.0);
                for (at_x, at_y, weight) in [
                    (left, upper, (right - x) * (lower - y)),
                    (right, upper, (x - left) * (lower - y)),
                    (left, lower, (right - x) * (y - upper)),
                    (right, lower, (x - left) * (y - upper)),
                ] {
                    if let Some(pixel) = Self::at(self.pixels, size, at_x, at_y) {
                        inside += weight;
                        for (sum, value) in sums.iter_mut().zip(pixel) {
                            *sum += value.float() * weight;
                        }
                    }
                }
                if self.how.once {
                    *out = sums.map(T::of);
                    continue;
                }
                // Where the fill shows in part, torch takes the part twice: the pixels are weighed already.
                *out = std::array::from_fn(|channel| T::of((sums[channel] - fill[channel]) * inside + fill[channel]));
            }
        }
    }
}

impl Grid<'_> {
    /// Columns and rows of the sources of a row of an image of `size`.
    #[inline(always)]
    fn row(&self, row: usize, size: Size, x: &mut [f32], y: &mut [f32]) {
        let (width, height) = (size.width as f32, size.height as f32);
        let places = x.iter_mut().zip(y).zip(0_u32..);
        // From -1 to 1 across the image to pixels.
        let pixels = |x: f32, y: f32| (((x + 1.0) * width - 1.0) / 2.0, ((y + 1.0) * height - 1.0) / 2.0);
        match self {
            Grid::Affine(matrix) => {
                let [a, b, c, d, e, f] = matrix.map(|x| x as f32);
                let [a, b, c] = [a, b, c].map(|x| x / (0.5 * width));
                let [d, e, f] = [d, e, f].map(|x| x / (0.5 * height));
                let from_y = (1.0 - height) * 0.5 + row as f32;
                for ((x, y), column) in places {
                    let from_x = (1.0 - width) * 0.5 + column as f32;
                    (*x, *y) = pixels(from_x * a + from_y * b + c, from_x * d + from_y * e + f);
                }
            }
            Grid::Perspective(coefficients) => {
                let [a, b, c, d, e, f, g, h] = coefficients.map(|x| x as f32);
                let [a, b, c] = [a, b, c].map(|x| x / (0.5 * width));
                let [d, e, f] = [d, e, f].map(|x| x / (0.5 * height));
                let from_y = row as f32 + 0.5;
                for ((x, y), column) in places {
                    let from_x = column as f32 + 0.5;
                    let w = from_x * g + from_y * h + 1.0;
                    let to_x = (from_x * a + from_y * b + c) / w - 1.0;
                    (*x, *y) = pixels(to_x, (from_x * d + from_y * e + f) / w - 1.0);
                }
            }
            Grid::Displacement(dx, dy) => {
                let from_y = (1.0 - height + 2.0 * row as f32) / height;
                for ((x, y), column) in places {
                    let at = row * size.width as usize + column as usize;
                    let from_x = (1.0 - width + 2.0 * column as f32) / width;
                    (*x, *y) = pixels(from_x + dx[at], from_y + dy[at]);
                }
            }
        }
    }
}

/// A value that is computed with as a float.
trait Float: Copy {
    fn float(self) -> f32;
    /// Rounded half to even where it is a whole number.
    fn of(x: f32) -> Self;
}

impl Float for u8 {
    #[inline(always)]
    fn float(self) -> f32 {
        self.into()
    }

    #[inline(always)]
    fn of(x: f32) -> Self {
        x.round_ties_even() as u8
    }
}

impl Float for f32 {
    #[inline(always)]
    fn float(self) -> f32 {
        self
    }

    #[inline(always)]
    fn of(x: f32) -> Self {
        x
    }
}
