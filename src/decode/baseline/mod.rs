//! The fast way for JPEG files of the usual kind: baseline, 8 bits, one scan, no restarts. It decodes a window as cheaply as can be: blocks
//! outside of it are read and not transformed. Whatever is not of that kind, or not sound to the last bit, is left to the complete
//! decoder, which finds the words for what is wrong.

use libjpeg_turbo_rs::simd::{self, SimdRoutines};

use self::frame::{Component, Frame, Tables};
use self::huffman::{Bits, PADDING};
#[cfg(target_arch = "x86_64")]
use self::idct::Avx2;
use self::idct::{Portable, Transform};
use self::rows::{Colours, Plane, Rows};
use super::Limits;
use crate::image::{Size, Window};

mod frame;
mod huffman;
mod idct;
mod rows;

/// A decoder, with what it keeps from one file to the next.
pub(super) struct Baseline {
    routines: SimdRoutines,
    tables: Tables,
    /// Entropy-coded data without stuffed bytes.
    data: Vec<u8>,
    planes: Vec<Plane>,
    colours: Colours,
}

impl Default for Baseline {
    fn default() -> Self {
        let routines = simd::detect();
        Baseline {
            routines,
            tables: Tables::default(),
            data: Vec::new(),
            planes: Vec::new(),
            colours: Colours::default(),
        }
    }
}

/// What of a file is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// The pixels, within the image.
    pub(super) window: Window,
    /// Whether damage behind the window must be found, too; if not, reading ends with the window.
    pub(super) checked: bool,
}

impl Baseline {
    /// Decodes a window of a JPEG file to RGB, to the bit as the complete decoder does, at every level of vector instructions. (Where
    /// damage has left all codes whole, coefficients may be larger than any encoder makes them. What overflows then is garbage in every
    /// decoder, here the same on every machine.)
    ///
    /// None if the file is of another kind or size, damaged, or needs more memory than allowed; `pixels` then has any content.
    pub(super) fn decode(
        &mut self,
        limits: &Limits,
        bytes: &[u8],
        size: Size,
        wanted: Wanted,
        pixels: &mut Vec<u8>,
    ) -> Option<()> {
        let frame = self.tables.frame(bytes)?;
        if frame.size != size {
            return None;
        }
        let length = unstuffed(bytes.get(frame.data..)?, &mut self.data)?;
        let part = Part::new(&frame, wanted.window);
        let need = part.plane_bytes(&frame) + wanted.window.size.area() * 3 + self.data.len() as u64;
        if need > limits.max_alloc {
            return None;
        }
        super::resize(pixels, wanted.window.size, 3, limits).ok()?;
        self.planes.resize_with(frame.components.len(), Plane::default);
        for (place, plane) in self.planes.iter_mut().enumerate() {
            let [across, down] = if place == 0 { frame.luma } else { [1, 1] };
            plane.stride = (part.columns[1] - part.columns[0]) * across * 8;
            plane.first = [part.columns[0] * across * 8, part.rows[0] * down * 8];
            let length = plane.stride * (part.rows[1] - part.rows[0]) * down * 8;
            plane.pixels.try_reserve(length.saturating_sub(plane.pixels.len())).ok()?;
            plane.pixels.resize(length, 0);
        }
        let rows = Rows {
            image: frame.size,
            window: wanted.window,
            luma: frame.luma,
            routines: &self.routines,
            colours: &mut self.colours,
            rgb: pixels,
            next: wanted.window.y as usize,
        };
        let tables = &self.tables;
        let scan = Scan { frame: &frame, tables, part, checked: wanted.checked, bits: Bits::new(&self.data), length };
        scan.read(&mut self.planes, rows)
    }
}

/// Takes the zeros out that stand behind each 0xff of entropy-coded data, up to the end of the image, and puts padding behind. Returns the
/// number of bytes of data. None if another marker ends it, or none.
fn unstuffed(from: &[u8], to: &mut Vec<u8>) -> Option<usize> {
    to.clear();
    to.reserve(from.len() + PADDING);
    let mut rest = from;
    loop {
        let stop = memchr::memchr(0xff, rest)?;
        match rest.get(stop + 1)? {
            0 => to.extend_from_slice(&rest[..=stop]),
            0xd9 => {
                to.extend_from_slice(&rest[..stop]);
                let length = to.len();
                to.resize(length + PADDING, 0);
                return Some(length);
            }
            _ => return None,
        }
        rest = &rest[stop + 2..];
    }
}

/// The MCUs that a window needs, of all there are.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// From and to.
    columns: [usize; 2],
    rows: [usize; 2],
    /// How many there are, across and down.
    all: [usize; 2],
}

impl Part {
    fn new(frame: &Frame, window: Window) -> Part {
        let range = |first: u32, length: u32, whole: u32, blocks: usize| {
            let (first, end, whole) = (first as usize, (first + length) as usize, whole as usize);
            // A colour of half the resolution is mixed with the ones beside it.
            let margin = if blocks == 2 { 2 } else { 0 };
            let (side, end) = (8 * blocks, (end + margin).min(whole));
            ([first.saturating_sub(margin) / side, end.div_ceil(side)], whole.div_ceil(side))
        };
        let (columns, across) = range(window.x, window.size.width, frame.size.width, frame.luma[0]);
        let (rows, down) = range(window.y, window.size.height, frame.size.height, frame.luma[1]);
        Part { columns, rows, all: [across, down] }
    }

    fn plane_bytes(&self, frame: &Frame) -> u64 {
        let mcus = (self.columns[1] - self.columns[0]) * (self.rows[1] - self.rows[0]);
        let blocks = frame.luma[0] * frame.luma[1] + frame.components.len() - 1;
        (mcus * blocks * 64) as u64
    }
}

/// The entropy-coded data of a file, to be read once.
struct Scan<'a> {
    frame: &'a Frame,
    tables: &'a Tables,
    part: Part,
    checked: bool,
    bits: Bits<'a>,
    /// Bytes of data, without padding.
    length: usize,
}

impl Scan<'_> {
    fn read(self, planes: &mut [Plane], rows: Rows<'_>) -> Option<()> {
        #[cfg(target_arch = "x86_64")]
        if crate::simd::Level::current() >= crate::simd::Level::Avx2 {
            // SAFETY: the processor has what the level stands for.
            #[allow(unsafe_code)]
            return unsafe { read_avx2(self, planes, rows) };
        }
        self.read_with::<Portable>(planes, rows)
    }

    #[inline(always)]
    fn read_with<T: Transform>(mut self, planes: &mut [Plane], mut rows: Rows<'_>) -> Option<()> {
        let Part { columns, rows: wanted, all } = self.part;
        let [_, down] = self.frame.luma;
        let mut predicted = [0; 3];
        for row in 0..all[1] {
            let is_wanted = (wanted[0]..wanted[1]).contains(&row);
            if !is_wanted {
                if row >= wanted[1] && !self.checked {
                    break;
                }
                self.skip(all[0], &mut predicted)?;
                continue;
            }
            self.skip(columns[0], &mut predicted)?;
            for column in columns[0]..columns[1] {
                self.mcu::<T>([column, row], &mut predicted, planes)?;
            }
            self.skip(all[0] - columns[1], &mut predicted)?;
            // The last row of an MCU needs colours of the next, where those have half of the rows.
            let is_last = row + 1 == all[1];
            rows.make_until((row + 1) * 8 * down - usize::from(down == 2 && !is_last), planes);
        }
        Some(())
    }

    /// Reads an MCU and transforms it.
    #[inline(always)]
    fn mcu<T: Transform>(
        &mut self,
        [column, row]: [usize; 2],
        predicted: &mut [i16; 3],
        planes: &mut [Plane],
    ) -> Option<()> {
        for (place, Component { factors, dc, ac }) in self.frame.components.iter().enumerate() {
            let (dc, ac) = (self.tables.get(*dc), self.tables.get(*ac));
            let [across, down] = if place == 0 { self.frame.luma } else { [1, 1] };
            let plane = &mut planes[place];
            let (left, top) = (column * across * 8 - plane.first[0], row * down * 8 - plane.first[1]);
            for y in 0..down {
                for x in 0..across {
                    let mut coefficients = [0; 64];
                    let last = self.bits.block::<true>(dc, ac, &mut predicted[place], &mut coefficients)?;
                    let to = &mut plane.pixels[(top + 8 * y) * plane.stride + left + 8 * x..];
                    // SAFETY: whoever chose the transform knows the processor.
                    #[allow(unsafe_code)]
                    match last {
                        0 => idct::flat(coefficients[0], factors[0], to, plane.stride),
                        1..=9 => unsafe { T::block::<4>(&coefficients, factors, to, plane.stride) },
                        _ => unsafe { T::block::<8>(&coefficients, factors, to, plane.stride) },
                    }
                }
            }
        }
        self.is_within()
    }

    /// Reads MCUs that are not wanted.
    #[inline(always)]
    fn skip(&mut self, mcus: usize, predicted: &mut [i16; 3]) -> Option<()> {
        for _ in 0..mcus {
            for (place, Component { dc, ac, .. }) in self.frame.components.iter().enumerate() {
                let (dc, ac) = (self.tables.get(*dc), self.tables.get(*ac));
                let blocks = if place == 0 { self.frame.luma[0] * self.frame.luma[1] } else { 1 };
                for _ in 0..blocks {
                    self.bits.block::<false>(dc, ac, &mut predicted[place], &mut [0; 64])?;
                }
            }
            self.is_within()?;
        }
        Some(())
    }

    /// Nothing, if more was read than there is.
    #[inline(always)]
    fn is_within(&self) -> Option<()> {
        (self.bits.position() <= 8 * self.length).then_some(())
    }
}

/// As every processor that has AVX2 can.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt")]
fn read_avx2(scan: Scan<'_>, planes: &mut [Plane], rows: Rows<'_>) -> Option<()> {
    scan.read_with::<Avx2>(planes, rows)
}

impl std::fmt::Debug for Baseline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Baseline").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
