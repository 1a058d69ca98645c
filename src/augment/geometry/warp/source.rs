use super::cubic::Weights;
use crate::augment::geometry::crop::{Beyond, Border};
use crate::image::Size;

/// The pixels of an image and what is beyond their edges.
pub(super) struct Source<'s, T, const C: usize> {
    /// `size.area()` pixels.
    pub(super) pixels: &'s [[T; C]],
    pub(super) size: Size,
    pub(super) border: Border,
    pub(super) fill: [T; C],
}

impl<'s, T: Value, const C: usize> Source<'s, T, C> {
    pub(super) fn new(pixels: &'s [[T; C]], size: Size, beyond: &Beyond) -> Self {
        assert_eq!(pixels.len() as u64, size.area(), "pixels of the image");
        let fill = std::array::from_fn(|channel| T::of(beyond.fill[channel.min(2)]));
        Source { pixels, size, border: beyond.border, fill }
    }

    /// The pixel at a place that may be beyond the edge.
    #[inline(always)]
    pub(super) fn at(&self, x: i32, y: i32) -> [T; C] {
        let Size { width, height } = self.size;
        if (x as u32) < width && (y as u32) < height {
            return self.pixels[y as usize * width as usize + x as usize];
        }
        let x = self.border.index(x.into(), width);
        match (x, self.border.index(y.into(), height)) {
            (Some(x), Some(y)) => self.pixels[y * width as usize + x],
            _ => self.fill,
        }
    }

    /// The square of `N` x `N` pixels that begins at a place.
    #[inline(always)]
    pub(super) fn square<const N: usize>(&self, x: i32, y: i32) -> [[[T; C]; N]; N] {
        let Size { width, height } = self.size;
        let most = |length: u32| length.saturating_sub(N as u32 - 1);
        if (x as u32) < most(width) && (y as u32) < most(height) {
            let at = y as usize * width as usize + x as usize;
            return std::array::from_fn(|row| {
                let row = &self.pixels[at + row * width as usize..][..N];
                std::array::from_fn(|column| row[column])
            });
        }
        self.square_beyond(x, y)
    }

    #[cold]
    #[inline(never)]
    fn square_beyond<const N: usize>(&self, x: i32, y: i32) -> [[[T; C]; N]; N] {
        let misses = |at: i32, length: u32| at <= -(N as i32) || i64::from(at) >= i64::from(length);
        if self.border == Border::Constant && (misses(x, self.size.width) || misses(y, self.size.height)) {
            return [[self.fill; N]; N];
        }
        std::array::from_fn(|row| {
            std::array::from_fn(|column| self.at(x.saturating_add(column as i32), y.saturating_add(row as i32)))
        })
    }
}

/// A value of a pixel.
pub(super) trait Value: Copy + 'static {
    /// The nearest value.
    fn of(x: f64) -> Self;

    /// Two by two pixels mixed: `a` and `b` of 32 parts are those of the right and the lower ones.
    fn bilinear<const C: usize>(square: &[[[Self; C]; 2]; 2], a: i32, b: i32) -> [Self; C];

    /// Four by four pixels mixed by weights of a place: 0 to 1023, as 32 `b` + `a`.
    fn bicubic<const C: usize>(square: &[[[Self; C]; 4]; 4], weights: &Weights, place: usize) -> [Self; C];
}

impl Value for u8 {
    fn of(x: f64) -> Self {
        x as u8
    }

    #[inline(always)]
    fn bilinear<const C: usize>(square: &[[[u8; C]; 2]; 2], a: i32, b: i32) -> [u8; C] {
        std::array::from_fn(|c| {
            let row = |row: usize| i32::from(square[row][0][c]) * (32 - a) + i32::from(square[row][1][c]) * a;
            // 18 bits at most.
            ((row(0) * (32 - b) + row(1) * b + 512) >> 10) as u8
        })
    }

    #[inline(always)]
    fn bicubic<const C: usize>(square: &[[[u8; C]; 4]; 4], weights: &Weights, place: usize) -> [u8; C] {
        let weights = &weights.whole[place];
        let mut sums = [1 << 14; C];
        for (row, weights) in square.iter().zip(weights.as_chunks::<4>().0) {
            for (pixel, weight) in row.iter().zip(weights) {
                for (sum, value) in sums.iter_mut().zip(pixel) {
                    *sum += i32::from(*value) * i32::from(*weight);
                }
            }
        }
        sums.map(|sum| (sum >> 15).clamp(0, 255) as u8)
    }
}

impl Value for f32 {
    fn of(x: f64) -> Self {
        x as f32
    }

    #[inline(always)]
    fn bilinear<const C: usize>(square: &[[[f32; C]; 2]; 2], a: i32, b: i32) -> [f32; C] {
        let (a, b) = (a as f32 / 32.0, b as f32 / 32.0);
        let weights = [(1.0 - b) * (1.0 - a), (1.0 - b) * a, b * (1.0 - a), b * a];
        std::array::from_fn(|c| {
            let [[nw, ne], [sw, se]] = square;
            nw[c] * weights[0] + ne[c] * weights[1] + sw[c] * weights[2] + se[c] * weights[3]
        })
    }

    #[inline(always)]
    fn bicubic<const C: usize>(square: &[[[f32; C]; 4]; 4], weights: &Weights, place: usize) -> [f32; C] {
        let weights = &weights.float[place];
        let mut sums = [0.0; C];
        for (row, weights) in square.iter().zip(weights.as_chunks::<4>().0) {
            for (pixel, weight) in row.iter().zip(weights) {
                for (sum, value) in sums.iter_mut().zip(pixel) {
                    *sum += *value * *weight;
                }
            }
        }
        sums
    }
}
