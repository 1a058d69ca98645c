//! The fast way for JPEG files of the usual kinds: baseline in one scan, or progressive without restarts; 8 bits. It decodes a window as cheaply
//! as can be: blocks outside of it are read and not transformed. Whatever is not of that kind, or not sound to the last bit, is left to the complete
//! decoder, which finds the words for what is wrong.

use libjpeg_turbo_rs::simd::{self, SimdRoutines};

use self::frame::{Frame, Tables, Walk};
#[cfg(target_arch = "x86_64")]
use self::idct::Avx2;
use self::idct::{Portable, Transform};
use self::rows::{Colours, Plane, Rows};
use self::sequential::Data;
use super::Limits;
use crate::image::{Size, Window};
#[cfg(target_arch = "x86_64")]
use crate::simd::Level;

mod frame;
mod huffman;
mod idct;
mod progressive;
mod rows;
mod sequential;

/// A decoder, with what it keeps from one file to the next.
pub(super) struct Baseline {
    routines: SimdRoutines,
    tables: Tables,
    data: Data,
    planes: Vec<Plane>,
    colours: Colours,
}

impl Default for Baseline {
    fn default() -> Self {
        let routines = simd::detect();
        Baseline {
            routines,
            tables: Tables::default(),
            data: Data::default(),
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
        let gathered = if frame.is_progressive { progressive::bytes(&frame, &part, wanted.checked) } else { 0 };
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
            let file = progressive::File { bytes, frame: &frame, part, checked: wanted.checked };
            let components = file.read(&mut walk, tables, scan, data)?;
            return run(Gathered { components, factors, frame: &frame, part }, &mut self.planes, rows);
        }
        data.fill(bytes.get(scan.data..)?, part.all[0] * part.all[1], walk.interval())?;
        let in_order = scan.components.iter().map(|scanned| scanned.place).eq(0..frame.components.len());
        let is_only = in_order
            && scan.band == [0, 63]
            && scan.bits == [0, 0]
            && bytes.get(scan.data + data.stop() + 1) == Some(&0xd9);
        let components = scan.components.iter().zip(factors).map(|(scanned, factors)| {
            Some(sequential::Component { factors, dc: tables.get(scanned.dc?), ac: tables.get(scanned.ac?) })
        });
        let components: Vec<_> = is_only.then(|| components.collect::<Option<_>>())??;
        run(sequential::Scan::new(&frame, components, part, wanted.checked, data), &mut self.planes, rows)
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

impl std::fmt::Debug for Baseline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Baseline").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
