use crate::augment::op::Scratch;
use crate::augment::policy::chain::Filter;
use crate::image::{Image, Pixels, Size};
use crate::simd::{Kernel, Level};

/// The image whose pixels come from where `map` says, in continuous coordinates: Pillow's `Image.transform` in 64-bit floats.
pub(super) fn warped<'a>(
    image: Image<'a>,
    map: &[f64; 6],
    (filter, fill): (Option<Filter>, [u8; 3]),
    scratch: &mut Scratch,
) -> Image<'a> {
    let (size, channels) = (image.size(), image.channels());
    let Pixels::U8(values) = image.pixels() else { return image };
    let mut out = scratch.bytes(values.len());
    let bicubic = filter == Some(Filter::Bicubic);
    // Four lanes of 64 bits are all that a pixel has; of wider ones the compiler makes slower code.
    let level = Level::current().min(Level::Avx2);
    match channels {
        3 => Warp { pixels: values.as_chunks().0, out: out.as_chunks_mut().0, size, map, fill, bicubic }.run_at(level),
        _ => {
            let fill = [fill[0]];
            Warp { pixels: values.as_chunks().0, out: out.as_chunks_mut().0, size, map, fill, bicubic }.run_at(level);
        }
    }
    scratch.recycle(image);
    Image::from_u8(size, channels, out)
}

/// Where the centre of a pixel comes from.
#[inline(always)]
pub(super) fn source(&[a, b, c, d, e, f]: &[f64; 6], column: u32, row: u32) -> (f64, f64) {
    let (x, y) = (f64::from(column) + 0.5, f64::from(row) + 0.5);
    (a * x + b * y + c, d * x + e * y + f)
}

struct Warp<'w, const C: usize> {
    /// `size.area()` pixels.
    pixels: &'w [[u8; C]],
    out: &'w mut [[u8; C]],
    size: Size,
    map: &'w [f64; 6],
    fill: [u8; C],
    bicubic: bool,
}

impl<const C: usize> Kernel for Warp<'_, C> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Warp { pixels, out, size, map, fill, bicubic } = self;
        let (width, height) = (f64::from(size.width), f64::from(size.height));
        for (row, out) in (0..size.height).zip(out.chunks_exact_mut(size.width as usize)) {
            for (column, out) in (0..size.width).zip(out) {
                let (x, y) = source(map, column, row);
                // Within the image, so the casts below are exact.
                *out = match x >= 0.0 && y >= 0.0 && x < width && y < height {
                    false => fill,
                    true if bicubic => cubic(pixels, size, x - 0.5, y - 0.5),
                    true => linear(pixels, size, x - 0.5, y - 0.5),
                };
            }
        }
    }
}

/// The square of `N` x `N` pixels that begins at a place, the outermost pixels repeated beyond the edge, in four lanes of which those
/// beyond the channels hold anything.
#[inline(always)]
fn square<const C: usize, const N: usize>(pixels: &[[u8; C]], size: Size, x: i32, y: i32) -> [[[i32; 4]; N]; N] {
    let (width, height) = (size.width as i32, size.height as i32);
    // A pixel more to the right, so that four values can be read of every pixel.
    if x >= 0 && y >= 0 && x + (N + 4) as i32 <= width && y + N as i32 <= height {
        let at = y as usize * width as usize + x as usize;
        return std::array::from_fn(|row| {
            let row = &pixels[at + row * width as usize..][..N + 4].as_flattened()[..N * C + 4];
            std::array::from_fn(|column| {
                let values = &row[column * C..][..4];
                [values[0], values[1], values[2], values[3]].map(i32::from)
            })
        });
    }
    square_beyond(pixels, size, x, y)
}

#[cold]
#[inline(never)]
fn square_beyond<const C: usize, const N: usize>(pixels: &[[u8; C]], size: Size, x: i32, y: i32) -> [[[i32; 4]; N]; N] {
    let (width, height) = (size.width as i32, size.height as i32);
    std::array::from_fn(|row| {
        let y = (y + row as i32).clamp(0, height - 1) as usize;
        std::array::from_fn(|column| {
            let pixel = pixels[y * width as usize + (x + column as i32).clamp(0, width - 1) as usize];
            std::array::from_fn(|lane| pixel[lane.min(C - 1)].into())
        })
    })
}

#[inline(always)]
fn linear<const C: usize>(pixels: &[[u8; C]], size: Size, x: f64, y: f64) -> [u8; C] {
    let (left, upper) = (x.floor(), y.floor());
    let (dx, dy) = (x - left, y - upper);
    let [above, below] = square::<C, 2>(pixels, size, left as i32, upper as i32);
    let (mut top, mut bottom) = ([0.0; 4], [0.0; 4]);
    for lane in 0..4 {
        top[lane] = f64::from(above[0][lane]) + f64::from(above[1][lane] - above[0][lane]) * dx;
        bottom[lane] = f64::from(below[0][lane]) + f64::from(below[1][lane] - below[0][lane]) * dx;
    }
    for lane in 0..4 {
        top[lane] += (bottom[lane] - top[lane]) * dy;
    }
    cut(top)
}

#[inline(always)]
fn cubic<const C: usize>(pixels: &[[u8; C]], size: Size, x: f64, y: f64) -> [u8; C] {
    let (left, upper) = (x.floor(), y.floor());
    let (dx, dy) = (x - left, y - upper);
    let rows = square::<C, 4>(pixels, size, left as i32 - 1, upper as i32 - 1);
    // Sums of a few bytes, exact in whole numbers as in floats.
    let mut along = [[0.0; 4]; 4];
    for (along, [a, b, c, d]) in along.iter_mut().zip(&rows) {
        for lane in 0..4 {
            let (a, b, c, d) = (a[lane], b[lane], c[lane], d[lane]);
            let (slope, square, cube) = (c - a, 2 * (a - b) + c - d, b - a - c + d);
            let inner = f64::from(square) + dx * f64::from(cube);
            along[lane] = f64::from(b) + dx * (f64::from(slope) + dx * inner);
        }
    }
    let mut made = [0.0; 4];
    for lane in 0..4 {
        let [a, b, c, d] = along.map(|row| row[lane]);
        let (slope, square, cube) = (-a + c, 2.0 * (a - b) + c - d, -a + b - c + d);
        made[lane] = b + dy * (slope + dy * (square + dy * cube));
    }
    cut(made)
}

/// Clamped to 0 to 255, the fraction cut off.
#[inline(always)]
#[allow(unsafe_code)]
fn cut<const C: usize>(values: [f64; 4]) -> [u8; C] {
    let mut whole = [0_i32; 4];
    for lane in 0..4 {
        let x = if values[lane] > 0.0 { values[lane] } else { 0.0 };
        let x = if x < 255.0 { x } else { 255.0 };
        // SAFETY: from 0 to 255. A checked cast does not become vectors.
        whole[lane] = unsafe { x.to_int_unchecked() };
    }
    std::array::from_fn(|c| whole[c] as u8)
}
