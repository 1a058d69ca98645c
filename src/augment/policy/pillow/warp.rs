use crate::augment::op::Scratch;
use crate::augment::policy::chain::Filter;
use crate::augment::simd::Kernel;
use crate::image::{Image, Pixels, Size};

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
    match channels {
        3 => Warp { pixels: values.as_chunks().0, out: out.as_chunks_mut().0, size, map, fill, bicubic }.dispatch(),
        _ => {
            let fill = [fill[0]];
            Warp { pixels: values.as_chunks().0, out: out.as_chunks_mut().0, size, map, fill, bicubic }.dispatch();
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

/// The square of `N` x `N` pixels that begins at a place, the outermost pixels repeated beyond the edge.
#[inline(always)]
fn square<const C: usize, const N: usize>(pixels: &[[u8; C]], size: Size, x: i32, y: i32) -> [[[u8; C]; N]; N] {
    let (width, height) = (size.width as i32, size.height as i32);
    if x >= 0 && y >= 0 && x + N as i32 <= width && y + N as i32 <= height {
        let at = y as usize * width as usize + x as usize;
        return std::array::from_fn(|row| {
            let row = &pixels[at + row * width as usize..][..N];
            std::array::from_fn(|column| row[column])
        });
    }
    std::array::from_fn(|row| {
        let y = (y + row as i32).clamp(0, height - 1) as usize;
        std::array::from_fn(|column| pixels[y * width as usize + (x + column as i32).clamp(0, width - 1) as usize])
    })
}

#[inline(always)]
fn linear<const C: usize>(pixels: &[[u8; C]], size: Size, x: f64, y: f64) -> [u8; C] {
    let (left, upper) = (x.floor(), y.floor());
    let (dx, dy) = (x - left, y - upper);
    let [[nw, ne], [sw, se]] = square::<C, 2>(pixels, size, left as i32, upper as i32);
    let between = |a: f64, b: f64, d: f64| a + (b - a) * d;
    std::array::from_fn(|c| {
        let above = between(nw[c].into(), ne[c].into(), dx);
        let below = between(sw[c].into(), se[c].into(), dx);
        // Between 0 and 255.
        between(above, below, dy) as u8
    })
}

#[inline(always)]
fn cubic<const C: usize>(pixels: &[[u8; C]], size: Size, x: f64, y: f64) -> [u8; C] {
    let (left, upper) = (x.floor(), y.floor());
    let (dx, dy) = (x - left, y - upper);
    let rows = square::<C, 4>(pixels, size, left as i32 - 1, upper as i32 - 1);
    std::array::from_fn(|c| {
        let along = rows.map(|row| curve(row.map(|pixel| pixel[c].into()), dx));
        // A cast cuts off and saturates.
        curve(along, dy) as u8
    })
}

/// The cubic through the second and third of four values, with the slopes of a = -1 there.
#[inline(always)]
fn curve([a, b, c, d]: [f64; 4], at: f64) -> f64 {
    let slope = -a + c;
    let square = 2.0 * (a - b) + c - d;
    let cube = -a + b - c + d;
    b + at * (slope + at * (square + at * cube))
}
