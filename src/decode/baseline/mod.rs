//! The fast way for JPEG files of the usual kinds: baseline in one scan, or progressive; 8 bits, no restarts. It decodes a window as cheaply
//! as can be: blocks outside of it are read and not transformed. Whatever is not of that kind, or not sound to the last bit, is left to the complete
//! decoder, which finds the words for what is wrong.

use libjpeg_turbo_rs::simd::{self, SimdRoutines};

use self::frame::{Frame, Tables, Walk};
use self::huffman::{Bits, PADDING, Table};
#[cfg(target_arch = "x86_64")]
use self::idct::Avx2;
use self::idct::{Portable, Transform};
use self::rows::{Colours, Plane, Rows};
use super::Limits;
use crate::image::{Size, Window};
#[cfg(target_arch = "x86_64")]
use crate::simd::Level;

mod frame;
mod huffman;
mod idct;
mod progressive;
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
        self.tables.tidy();
        let mut walk = Walk::new(bytes);
        let scan = walk.next_scan(&mut self.tables)??;
        let frame = walk.frame()?;
        if frame.size != size {
            return None;
        }
        let part = Part::new(&frame, wanted.window);
        let gathered = if frame.is_progressive { progressive::bytes(&frame, &part) } else { 0 };
        let planes = part.plane_bytes(&frame);
        if planes + gathered + wanted.window.size.area() * 3 + bytes.len() as u64 > limits.max_alloc {
            return None;
        }
        super::resize(pixels, wanted.window.size, 3, limits).ok()?;
        self.planes.resize_with(frame.components.len(), Plane::default);
        for (place, plane) in self.planes.iter_mut().enumerate() {
            let [across, down] = frame.sampling(place);
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
        let factors: Option<Vec<_>> =
            frame.components.iter().map(|[_, number]| walk.factors(*number).copied()).collect();
        let (factors, tables, data) = (factors?, &mut self.tables, &mut self.data);
        if frame.is_progressive {
            let components = progressive::read(bytes, &frame, &part, &mut walk, tables, scan, data)?;
            return run(Gathered { components, factors, frame: &frame, part }, &mut self.planes, rows);
        }
        let (length, end) = unstuffed(bytes.get(scan.data..)?, data)?;
        let in_order = scan.components.iter().map(|scanned| scanned.place).eq(0..frame.components.len());
        let is_only =
            in_order && scan.band == [0, 63] && scan.bits == [0, 0] && bytes.get(scan.data + end + 1) == Some(&0xd9);
        let components = scan.components.iter().zip(factors).map(|(scanned, factors)| {
            Some(Component { factors, dc: tables.get(scanned.dc?), ac: tables.get(scanned.ac?) })
        });
        let components: Vec<_> = is_only.then(|| components.collect::<Option<_>>())??;
        let bits = Bits::new(data);
        run(Scan { frame: &frame, components, part, checked: wanted.checked, bits, length }, &mut self.planes, rows)
    }
}

/// Takes the zeros out that stand behind each 0xff of entropy-coded data, up to the next marker, and puts padding behind. Returns the
/// number of bytes of data, and where the marker is. None if there is none, or one of a restart.
fn unstuffed(from: &[u8], to: &mut Vec<u8>) -> Option<(usize, usize)> {
    to.clear();
    to.reserve(from.len() + PADDING);
    let mut at = 0;
    loop {
        let stop = at + memchr::memchr(0xff, &from[at..])?;
        match from.get(stop + 1)? {
            0 => to.extend_from_slice(&from[at..=stop]),
            0xd0..=0xd7 | 0xff => return None,
            _ => {
                to.extend_from_slice(&from[at..stop]);
                let length = to.len();
                to.resize(length + PADDING, 0);
                return Some((length, stop));
            }
        }
        at = stop + 2;
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

    /// How many rows of pixels can be made when row `row` of MCUs is there: the last of them needs colours of the next row of MCUs, where
    /// those have half of the rows.
    fn rows_made(&self, row: usize, frame: &Frame) -> usize {
        let [_, down] = frame.luma;
        (row + 1) * 8 * down - usize::from(down == 2 && row + 1 < self.all[1])
    }

    fn plane_bytes(&self, frame: &Frame) -> u64 {
        let mcus = (self.columns[1] - self.columns[0]) * (self.rows[1] - self.rows[0]);
        (mcus * frame.blocks() * 64) as u64
    }
}

/// What makes rows of the planes.
trait Work {
    fn run<T: Transform>(self, planes: &mut [Plane], rows: Rows<'_>) -> Option<()>;
}

/// Runs with the best transform of the processor.
fn run(work: impl Work, planes: &mut [Plane], rows: Rows<'_>) -> Option<()> {
    #[cfg(target_arch = "x86_64")]
    if Level::current() >= Level::Avx2 {
        // SAFETY: the processor has what the level stands for.
        #[allow(unsafe_code)]
        return unsafe { run_avx2(work, planes, rows) };
    }
    work.run::<Portable>(planes, rows)
}

/// As every processor that has AVX2 can.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt")]
fn run_avx2(work: impl Work, planes: &mut [Plane], rows: Rows<'_>) -> Option<()> {
    work.run::<Avx2>(planes, rows)
}

/// Transforms a block, of which `last` is the last coefficient that is not zero, or one behind it.
#[inline(always)]
fn transform<T: Transform>(block: &[i16; 64], last: usize, factors: &[i32; 64], to: &mut [u8], stride: usize) {
    // SAFETY: whoever chose the transform knows the processor.
    #[allow(unsafe_code)]
    match last {
        0 => idct::flat(block[0], factors[0], to, stride),
        1..=9 => unsafe { T::block::<4>(block, factors, to, stride) },
        _ => unsafe { T::block::<8>(block, factors, to, stride) },
    }
}

/// The coefficients of a progressive file.
struct Gathered<'a> {
    components: Vec<progressive::Component>,
    factors: Vec<[i32; 64]>,
    frame: &'a Frame,
    part: Part,
}

impl Work for Gathered<'_> {
    #[inline(always)]
    fn run<T: Transform>(self, planes: &mut [Plane], mut rows: Rows<'_>) -> Option<()> {
        let Part { columns, .. } = self.part;
        for row in self.part.rows[0]..self.part.rows[1] {
            for (place, (component, factors)) in self.components.iter().zip(&self.factors).enumerate() {
                let [across, down] = self.frame.sampling(place);
                let plane = &mut planes[place];
                for y in row * down..(row + 1) * down {
                    let line = &mut plane.pixels[(y * 8 - plane.first[1]) * plane.stride..];
                    for x in columns[0] * across..columns[1] * across {
                        let (block, last) = component.block(x, y);
                        let to = &mut line[x * 8 - plane.first[0]..];
                        transform::<T>(&block, last, factors, to, plane.stride);
                    }
                }
            }
            rows.make_until(self.part.rows_made(row, self.frame), planes);
        }
        Some(())
    }
}

/// A component of a baseline file.
struct Component<'a> {
    /// In rows.
    factors: [i32; 64],
    dc: &'a Table,
    ac: &'a Table,
}

/// The entropy-coded data of a baseline file, to be read once.
struct Scan<'a> {
    frame: &'a Frame,
    components: Vec<Component<'a>>,
    part: Part,
    checked: bool,
    bits: Bits<'a>,
    /// Bytes of data, without padding.
    length: usize,
}

impl Work for Scan<'_> {
    #[inline(always)]
    fn run<T: Transform>(mut self, planes: &mut [Plane], mut rows: Rows<'_>) -> Option<()> {
        let Part { columns, rows: wanted, all } = self.part;
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
            rows.make_until(self.part.rows_made(row, self.frame), planes);
        }
        Some(())
    }
}

impl Scan<'_> {
    /// Reads an MCU and transforms it.
    #[inline(always)]
    fn mcu<T: Transform>(
        &mut self,
        [column, row]: [usize; 2],
        predicted: &mut [i16; 3],
        planes: &mut [Plane],
    ) -> Option<()> {
        for (place, Component { factors, dc, ac }) in self.components.iter().enumerate() {
            let [across, down] = self.frame.sampling(place);
            let plane = &mut planes[place];
            let (left, top) = (column * across * 8 - plane.first[0], row * down * 8 - plane.first[1]);
            for y in 0..down {
                for x in 0..across {
                    let mut block = [0; 64];
                    let last;
                    (last, self.bits) = self.bits.block::<true>(dc, ac, &mut predicted[place], &mut block)?;
                    let to = &mut plane.pixels[(top + 8 * y) * plane.stride + left + 8 * x..];
                    transform::<T>(&block, last, factors, to, plane.stride);
                }
            }
        }
        self.is_within()
    }

    /// Reads MCUs that are not wanted.
    #[inline(always)]
    fn skip(&mut self, mcus: usize, predicted: &mut [i16; 3]) -> Option<()> {
        for _ in 0..mcus {
            for (place, Component { dc, ac, .. }) in self.components.iter().enumerate() {
                let [across, down] = self.frame.sampling(place);
                for _ in 0..across * down {
                    (_, self.bits) = self.bits.block::<false>(dc, ac, &mut predicted[place], &mut [0; 64])?;
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

impl std::fmt::Debug for Baseline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Baseline").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
