//! Planes of brightness and colour to rows of RGB: libjpeg's smooth upsampling (`jdsample.c`) and its conversion (`jdcolor.c`), to the bit.

use libjpeg_turbo_rs::simd::SimdRoutines;

use super::Scale;
use crate::image::{Size, Window};

/// A part of the plane of a component: whole MCUs.
#[derive(Default)]
pub(super) struct Plane {
    pub(super) pixels: Vec<u8>,
    pub(super) stride: usize,
    /// Column and row of the first pixel within the whole plane.
    pub(super) first: [usize; 2],
}

impl Plane {
    #[inline(always)]
    fn row(&self, row: usize) -> &[u8] {
        let start = (row - self.first[1]) * self.stride;
        &self.pixels[start..start + self.stride]
    }
}

/// Rows of colour at the resolution of brightness, and what making them takes.
#[derive(Default)]
pub(super) struct Colours {
    rows: [Vec<u8>; 2],
    sums: Vec<u16>,
}

/// Where the pixels of a window come from, and how far its rows are.
pub(super) struct Rows<'a> {
    pub(super) image: Size,
    pub(super) window: Window,
    pub(super) scale: Scale,
    pub(super) routines: &'a SimdRoutines,
    pub(super) colours: &'a mut Colours,
    pub(super) rgb: &'a mut [u8],
    /// The next row of the image to be made; it and the window are those of the reduced image.
    pub(super) next: usize,
}

impl Rows<'_> {
    /// Makes the rows of the window above row `end` of the image that are still to be made; the planes must have what they need.
    #[inline(always)]
    pub(super) fn make_until(&mut self, end: usize, planes: &[Plane]) {
        let (x, width) = (self.window.x as usize, self.window.size.width as usize);
        let end = end.min((self.window.y + self.window.size.height) as usize);
        for row in self.next..end {
            let at = (row - self.window.y as usize) * 3 * width;
            let to = &mut self.rgb[at..at + 3 * width];
            let luma = &planes[0].row(row)[x - planes[0].first[0]..][..width];
            let [_, blue, red] = planes else {
                for (pixel, value) in to.as_chunks_mut::<3>().0.iter_mut().zip(luma) {
                    *pixel = [*value; 3];
                }
                continue;
            };
            if self.scale.ratio[0] == 1 {
                let [blue, red] = [blue, red].map(|plane| &plane.row(row)[x - plane.first[0]..][..width]);
                self.routines.ycbcr_to_rgb_row(luma, blue, red, to, width);
                continue;
            }
            let Colours { rows, sums } = &mut *self.colours;
            let (halved, columns) = (self.scale.ratio[1] == 2, (x / 2, (x + width).div_ceil(2)));
            for (colours, plane) in rows.iter_mut().zip([blue, red]) {
                if self.scale.is_smooth() {
                    upsampled(plane, self.image, halved, row, columns, sums, colours);
                } else {
                    repeated(plane, row, columns, colours);
                }
            }
            let [blue, red] = &*rows;
            self.routines.ycbcr_to_rgb_row(luma, &blue[x % 2..], &red[x % 2..], to, width);
        }
        self.next = self.next.max(end);
    }
}

/// The columns `start..end` of a plane of half the width for one row, each twice.
fn repeated(plane: &Plane, row: usize, (start, end): (usize, usize), to: &mut Vec<u8>) {
    let colours = &plane.row(row)[start - plane.first[0]..end - plane.first[0]];
    to.clear();
    to.extend(colours.iter().flat_map(|colour| [*colour; 2]));
}

/// The columns `start..end` of a plane of half the width, and half the height if `halved`, for one row of the image `image`; two pixels
/// each, the weights those of a triangle.
#[inline(always)]
fn upsampled(
    plane: &Plane,
    image: Size,
    halved: bool,
    row: usize,
    (start, end): (usize, usize),
    sums: &mut Vec<u16>,
    to: &mut Vec<u8>,
) {
    let columns = (image.width as usize).div_ceil(2);
    let (near, other) = match (halved, row % 2) {
        (false, _) => (row, row),
        (true, 0) => (row / 2, (row / 2).saturating_sub(1)),
        (true, _) => (row / 2, (row / 2 + 1).min((image.height as usize).div_ceil(2) - 1)),
    };
    // One more column to the left and to the right; at the edges the outermost one again.
    let count = end - start;
    sums.resize(count + 2, 0);
    let from = start.saturating_sub(1) - plane.first[0];
    let until = (end + 1).min(columns) - plane.first[0];
    let shift = usize::from(start == 0);
    let (near, other) = (&plane.row(near)[from..until], &plane.row(other)[from..until]);
    let inner = &mut sums[shift..][..near.len()];
    if halved {
        for ((sum, near), other) in inner.iter_mut().zip(near).zip(other) {
            *sum = 3 * u16::from(*near) + u16::from(*other);
        }
    } else {
        for (sum, near) in inner.iter_mut().zip(near) {
            *sum = u16::from(*near);
        }
    }
    if start == 0 {
        sums[0] = sums[1];
    }
    if end == columns {
        sums[count + 1] = sums[count];
    }
    to.resize(2 * count, 0);
    // The halves that round are not equal, so that nothing becomes brighter on the whole.
    let (left_half, right_half, shift) = if halved { (8, 7, 4) } else { (1, 2, 2) };
    let (before, here, after) = (&sums[..count], &sums[1..=count], &sums[2..]);
    for (((pair, before), here), after) in to.as_chunks_mut::<2>().0.iter_mut().zip(before).zip(here).zip(after) {
        let (left, right) = ((3 * here + before + left_half) >> shift, (3 * here + after + right_half) >> shift);
        *pair = (left | right << 8).to_le_bytes();
    }
}
