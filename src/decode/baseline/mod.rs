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
use crate::image::{Excerpt, Size, Window};
#[cfg(target_arch = "x86_64")]
use crate::simd::Level;

mod frame;
mod huffman;
mod idct;
mod progressive;
mod reduced;
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
    pub(super) excerpt: Excerpt,
    /// Whether damage behind the window must be found, too; if not, reading ends with the window.
    pub(super) checked: bool,
}

impl Baseline {
    /// Decodes an excerpt of a JPEG file ([`Excerpt::pixels`]) to RGB, to the bit as the complete decoder does, at every level of vector instructions. (Where
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
        let (excerpt, window) = (wanted.excerpt, wanted.excerpt.pixels());
        let image = excerpt.reduced(frame.size);
        let scale = Scale::new(&frame, excerpt.reduction);
        if scale.ratio[0] == 2 && image.width < LEAST_MIXED {
            return None;
        }
        let part = Part::new(&frame, &scale, image, window);
        let gathered = if frame.is_progressive { progressive::bytes(&frame, &part, wanted.checked) } else { 0 };
        let planes = part.plane_bytes(&frame, &scale);
        if planes + gathered + window.size.area() * 3 + bytes.len() as u64 > limits.max_alloc {
            return None;
        }
        super::resize(pixels, window.size, 3, limits).ok()?;
        self.planes.resize_with(frame.components.len(), Plane::default);
        for (place, plane) in self.planes.iter_mut().enumerate() {
            let ([across, down], side) = (frame.sampling(place), scale.side(place));
            plane.stride = (part.columns[1] - part.columns[0]) * across * side;
            plane.first = [part.columns[0] * across * side, part.rows[0] * down * side];
            let length = plane.stride * (part.rows[1] - part.rows[0]) * down * side;
            plane.pixels.try_reserve(length.saturating_sub(plane.pixels.len())).ok()?;
            plane.pixels.resize(length, 0);
        }
        let rows = Rows {
            image,
            window,
            scale,
            routines: &self.routines,
            colours: &mut self.colours,
            rgb: pixels,
            next: window.y as usize,
        };
        let factors: Option<Vec<_>> =
            frame.components.iter().map(|[_, number]| walk.factors(*number).copied()).collect();
        let (factors, tables, data) = (factors?, &mut self.tables, &mut self.data);
        if frame.is_progressive {
            let file = progressive::File { bytes, frame: &frame, part, scale, checked: wanted.checked };
            let components = file.read(&mut walk, tables, scan, data)?;
            return run(Gathered { components, factors, frame: &frame, part, scale }, &mut self.planes, rows);
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
        run(sequential::Scan::new(&frame, components, (part, scale), wanted.checked, data), &mut self.planes, rows)
    }
}

/// Fewer columns are not mixed with the ones beside them where colours have half of the columns.
const LEAST_MIXED: u32 = 5;

/// Into how many pixels blocks are transformed.
#[derive(Clone, Copy, Debug)]
struct Scale {
    /// Rows and columns of a block of brightness, and of one of colour, once they are pixels.
    sides: [usize; 2],
    /// Pixels of brightness per pixel of colour, across and down.
    ratio: [usize; 2],
}

impl Scale {
    /// As libjpeg chooses them: where colours have half of the columns and rows, a reduced image has all that it needs.
    fn new(frame: &Frame, reduction: u32) -> Scale {
        let side = 8 / reduction as usize;
        if frame.luma == [2, 2] && side < 8 {
            return Scale { sides: [side, 2 * side], ratio: [1, 1] };
        }
        Scale { sides: [side, side], ratio: frame.luma }
    }

    /// Of a block of a component.
    #[inline(always)]
    fn side(&self, place: usize) -> usize {
        self.sides[usize::from(place > 0)]
    }

    /// Whether colours of half of the columns are mixed with the ones beside them, and not repeated.
    fn is_smooth(&self) -> bool {
        self.sides[0] > 1
    }

    fn is_reduced(&self) -> bool {
        self.sides[0] < 8
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
    /// Those of a window of the image, which has that size once it is reduced.
    fn new(frame: &Frame, scale: &Scale, image: Size, window: Window) -> Part {
        let range = |first: u32, length: u32, whole: u32, axis: usize| {
            let (first, end, whole) = (first as usize, (first + length) as usize, whole as usize);
            // A colour of half the resolution is mixed with the ones beside it.
            let margin = if scale.ratio[axis] == 2 { 2 } else { 0 };
            let (side, end) = (scale.sides[0] * frame.luma[axis], (end + margin).min(whole));
            ([first.saturating_sub(margin) / side, end.div_ceil(side)], whole.div_ceil(side))
        };
        let (columns, across) = range(window.x, window.size.width, image.width, 0);
        let (rows, down) = range(window.y, window.size.height, image.height, 1);
        Part { columns, rows, all: [across, down] }
    }

    /// How many rows of pixels can be made when row `row` of MCUs is there: the last of them needs colours of the next row of MCUs, where
    /// those have half of the rows.
    fn rows_made(&self, row: usize, frame: &Frame, scale: &Scale) -> usize {
        let (down, is_mixed) = (frame.luma[1], scale.ratio[1] == 2);
        (row + 1) * scale.sides[0] * down - usize::from(is_mixed && row + 1 < self.all[1])
    }

    fn plane_bytes(&self, frame: &Frame, scale: &Scale) -> u64 {
        let mcus = (self.columns[1] - self.columns[0]) * (self.rows[1] - self.rows[0]);
        let pixels = |place: usize| frame.sampling(place).iter().product::<usize>() * scale.side(place).pow(2);
        (mcus * (0..frame.components.len()).map(pixels).sum::<usize>()) as u64
    }
}

/// What makes rows of the planes.
trait Work {
    fn run<T: Transform, const REDUCED: bool>(self, planes: &mut [Plane], rows: Rows<'_>) -> Option<()>;
}

/// Runs with the best transform of the processor.
fn run(work: impl Work, planes: &mut [Plane], rows: Rows<'_>) -> Option<()> {
    let is_reduced = rows.scale.is_reduced();
    #[cfg(target_arch = "x86_64")]
    if Level::current() >= Level::Avx2 {
        // SAFETY: the processor has what the level stands for.
        #[allow(unsafe_code)]
        return unsafe {
            if is_reduced { run_avx2::<true>(work, planes, rows) } else { run_avx2::<false>(work, planes, rows) }
        };
    }
    if is_reduced { work.run::<Portable, true>(planes, rows) } else { work.run::<Portable, false>(planes, rows) }
}

/// As every processor that has AVX2 can.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt")]
fn run_avx2<const REDUCED: bool>(work: impl Work, planes: &mut [Plane], rows: Rows<'_>) -> Option<()> {
    work.run::<Avx2, REDUCED>(planes, rows)
}

/// Transforms a block, of which `last` is the last coefficient that is not zero, or one behind it.
#[inline(always)]
fn transform<T: Transform>(block: &[i16; 64], last: usize, factors: &[i32; 64], to: &mut [u8], stride: usize) {
    // SAFETY: whoever chose the transform knows the processor.
    #[allow(unsafe_code)]
    match last {
        0 => idct::flat(block[0], factors[0], 8, to, stride),
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
    scale: Scale,
}

impl Work for Gathered<'_> {
    #[inline(always)]
    fn run<T: Transform, const REDUCED: bool>(self, planes: &mut [Plane], mut rows: Rows<'_>) -> Option<()> {
        let Part { columns, .. } = self.part;
        for row in self.part.rows[0]..self.part.rows[1] {
            for (place, (component, factors)) in self.components.iter().zip(&self.factors).enumerate() {
                let [across, down] = self.frame.sampling(place);
                let side = if REDUCED { self.scale.side(place) } else { 8 };
                let plane = &mut planes[place];
                for y in row * down..(row + 1) * down {
                    let line = &mut plane.pixels[(y * side - plane.first[1]) * plane.stride..];
                    for x in columns[0] * across..columns[1] * across {
                        let (block, last) = component.block(x, y);
                        let to = &mut line[x * side - plane.first[0]..];
                        if REDUCED && side < 8 {
                            reduced::transform(side, &block, last, factors, to, plane.stride);
                        } else {
                            transform::<T>(&block, last, factors, to, plane.stride);
                        }
                    }
                }
            }
            rows.make_until(self.part.rows_made(row, self.frame, &self.scale), planes);
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
