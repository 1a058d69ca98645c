//! Progressive files: the coefficients of the whole image are gathered over all scans, and then transformed where they are wanted.

use super::frame::{Frame, Scan, Scanned, Tables, Walk};
use super::huffman::{Bits, ROWS_FIRST, Table};
use super::sequential::Data;
use super::{Part, Scale};
use crate::decode::jpeg::MAX_SCANS;
use crate::simd::Kernel;

/// The coefficients of a component, block by block, in the order of the file.
pub(super) struct Component {
    blocks: Vec<[i16; 64]>,
    /// Blocks of a row of blocks, padding of the last MCU included.
    stride: usize,
    /// Blocks that a scan of this component alone has, across and down.
    own: [usize; 2],
    /// Blocks of an MCU, across and down.
    sampling: [usize; 2],
    /// Of each coefficient, in the order of the file, the low bits that are still to come; none before it was first sent.
    missing: [Option<u32>; 64],
}

impl Component {
    /// The coefficients of a block in rows, and the place of the last that is not zero.
    #[inline(always)]
    pub(super) fn block(&self, column: usize, row: usize) -> ([i16; 64], usize) {
        let block = &self.blocks[row * self.stride + column];
        let last = 63 - (places(block) | 1).leading_zeros() as usize;
        let mut rows = [0; 64];
        for (value, at) in block[..=last].iter().zip(&ROWS_FIRST) {
            rows[usize::from(*at)] = *value;
        }
        (rows, last)
    }
}

/// Rows of MCUs that are read of each scan: no more than the window needs, if it need not be known whether the rest is sound.
fn rows(part: &Part, checked: bool) -> usize {
    if checked { part.all[1] } else { part.rows[1] }
}

/// Bytes that the coefficients of a file take.
pub(super) fn bytes(frame: &Frame, part: &Part, checked: bool) -> u64 {
    (part.all[0] * rows(part, checked) * frame.blocks() * size_of::<[i16; 64]>()) as u64
}

/// A progressive file.
pub(super) struct File<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) frame: &'a Frame,
    pub(super) part: Part,
    pub(super) scale: Scale,
    /// Whether damage behind the window must be found, too.
    pub(super) checked: bool,
}

impl File<'_> {
    /// Reads all scans, of which `scan` is the first. None if one is not sound or has restarts, or something was not sent to the last bit.
    pub(super) fn read(
        &self,
        walk: &mut Walk<'_>,
        tables: &mut Tables,
        mut scan: Scan,
        data: &mut Data,
    ) -> Option<Vec<Component>> {
        let mut components = self.components();
        let rows = rows(&self.part, self.checked);
        for _ in 0..MAX_SCANS {
            if walk.interval() > 0 {
                return None;
            }
            data.fill(self.bytes.get(scan.data..)?, self.part.all[0] * self.part.all[1], 0)?;
            note(&scan, &mut components)?;
            if self.checked || self.uses(&scan) {
                let (bits, length, columns) = (data.bits(), data.length(), self.part.all[0]);
                Reading { bits, length, scan: &scan, tables, mcus: [columns, rows], components: &mut components }
                    .dispatch()?;
            }
            walk.skip_to(scan.data + data.stop());
            match walk.next_scan(tables)? {
                Some(next) => scan = next,
                None => {
                    let is_whole =
                        components.iter().all(|component| component.missing.iter().all(|bits| *bits == Some(0)));
                    return is_whole.then_some(components);
                }
            }
        }
        None
    }

    /// Whether a scan has what the pixels are made of: blocks that become one pixel are made of their first coefficient alone.
    fn uses(&self, scan: &Scan) -> bool {
        scan.band[0] == 0 || scan.components.iter().any(|scanned| self.scale.side(scanned.place) > 1)
    }

    /// Of which nothing was read.
    fn components(&self) -> Vec<Component> {
        let File { frame, part, checked, .. } = self;
        let rows = rows(part, *checked);
        let component = |place: usize| {
            let sampling = frame.sampling(place);
            let stride = part.all[0] * sampling[0];
            // Of the pixels that there are, not of whole MCUs.
            let own = |side: u32, at: usize| (side as usize * sampling[at]).div_ceil(frame.luma[at]).div_ceil(8);
            Component {
                blocks: vec![[0; 64]; stride * rows * sampling[1]],
                stride,
                own: [own(frame.size.width, 0), own(frame.size.height, 1).min(rows * sampling[1])],
                sampling,
                missing: [None; 64],
            }
        };
        (0..frame.components.len()).map(component).collect()
    }
}

/// Takes down what a scan brings. None if it is not what is due.
fn note(scan: &Scan, components: &mut [Component]) -> Option<()> {
    let ([first, last], [before, after]) = (scan.band, scan.bits);
    let is_sound = match scan.components.len() {
        0 => false,
        1 => first <= last && last < 64 && (first > 0 || last == 0),
        _ => (first, last) == (0, 0),
    };
    if !is_sound || after > 13 || (before > 0 && before != after + 1) {
        return None;
    }
    for scanned in &scan.components {
        for missing in components.get_mut(scanned.place)?.missing.get_mut(first..=last)? {
            if *missing != (before > 0).then_some(before) {
                return None;
            }
            *missing = Some(after);
        }
    }
    Some(())
}

/// Reads a scan.
struct Reading<'a> {
    bits: Bits<'a>,
    /// Bytes of data, without padding.
    length: usize,
    scan: &'a Scan,
    tables: &'a Tables,
    /// How many are read, across and down.
    mcus: [usize; 2],
    components: &'a mut [Component],
}

impl Kernel for Reading<'_> {
    type Output = Option<()>;

    #[inline(always)]
    fn run(self) -> Option<()> {
        match self.scan.components[..] {
            [one] => self.alone(one),
            _ => self.together(),
        }
    }
}

impl Reading<'_> {
    /// Reads a scan of one component.
    #[inline(always)]
    fn alone(self, one: Scanned) -> Option<()> {
        let Reading { scan, tables, .. } = self;
        let component = &mut self.components[one.place];
        let [before, after] = scan.bits;
        let mut band = Band { first: scan.band[0], last: scan.band[1], low: after, left: 0 };
        let (mut bits, mut predicted) = (self.bits, 0);
        for row in 0..component.own[1] {
            for block in &mut component.blocks[row * component.stride..][..component.own[0]] {
                match (scan.band[0], before) {
                    (0, 0) => block[0] = bits.difference(tables.get(one.dc?), &mut predicted)? << after,
                    (0, _) => block[0] |= (bits.bits(1) as i16) << after,
                    (_, 0) => band.first_time(&mut bits, tables.get(one.ac?), block)?,
                    _ => band.again(&mut bits, tables.get(one.ac?), block)?,
                }
                if bits.position() > 8 * self.length {
                    return None;
                }
            }
        }
        Some(())
    }

    /// Reads a scan of the first coefficients of several components.
    #[inline(always)]
    fn together(self) -> Option<()> {
        let Reading { scan, tables, mcus: [columns, rows], .. } = self;
        let (mut bits, mut predicted) = (self.bits, [0; 3]);
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
            for scanned in &scan.components {
                let component = &mut self.components[scanned.place];
                let [across, down] = component.sampling;
                for y in 0..down {
                    let first = (row * down + y) * component.stride + column * across;
                    for block in &mut component.blocks[first..][..across] {
                        if scan.bits[0] == 0 {
                            let predicted = &mut predicted[scanned.place];
                            block[0] = bits.difference(tables.get(scanned.dc?), predicted)? << scan.bits[1];
                        } else {
                            block[0] |= (bits.bits(1) as i16) << scan.bits[1];
                        }
                    }
                }
            }
            if bits.position() > 8 * self.length {
                return None;
            }
        }
        Some(())
    }
}

/// Some coefficients of the blocks of a scan.
struct Band {
    first: usize,
    last: usize,
    /// Low bits that this scan does not bring.
    low: u32,
    /// Blocks that have nothing more in this band.
    left: u32,
}

impl Band {
    #[inline(always)]
    fn first_time(&mut self, bits: &mut Bits<'_>, table: &Table, block: &mut [i16; 64]) -> Option<()> {
        if self.left > 0 {
            self.left -= 1;
            return Some(());
        }
        let mut place = self.first;
        while place <= self.last {
            let symbol = bits.symbol(table)?;
            let (run, size) = (symbol >> 4, symbol & 15);
            if size > 0 {
                place += run as usize;
                if place > self.last {
                    return None;
                }
                block[place] = (bits.number(size) as i16) << self.low;
                place += 1;
            } else if run == 15 {
                place += 16;
            } else {
                self.left = (1 << run) - 1 + bits.bits(run);
                break;
            }
        }
        Some(())
    }

    /// One more bit of what was sent before, and what is new.
    #[inline(always)]
    fn again(&mut self, bits: &mut Bits<'_>, table: &Table, block: &mut [i16; 64]) -> Option<()> {
        let one = 1_i16 << self.low;
        // Places of the band, from the current one on, whose coefficients are not zero.
        let mut known = places(block) & (u64::MAX << self.first) & (u64::MAX >> (63 - self.last));
        let mut place = self.first;
        while self.left == 0 && place <= self.last {
            let symbol = bits.symbol(table)?;
            let (mut run, size) = ((symbol >> 4) as usize, symbol & 15);
            let new = match size {
                0 if run < 15 => {
                    self.left = (1 << run) + bits.bits(run as u32);
                    break;
                }
                0 => 0,
                1 => {
                    if bits.bits(1) == 1 {
                        one
                    } else {
                        -one
                    }
                }
                _ => return None,
            };
            // To the zero behind a run of zeros; what is not zero on the way gets its bit.
            while known != 0 {
                let next = known.trailing_zeros() as usize;
                let zeros = next - place;
                if run < zeros {
                    break;
                }
                run -= zeros;
                more(bits, &mut block[next], one);
                place = next + 1;
                known &= known - 1;
            }
            place += run;
            if new != 0 {
                if place > self.last {
                    return None;
                }
                block[place] = new;
            }
            place += 1;
        }
        if self.left > 0 {
            while known != 0 {
                more(bits, &mut block[known.trailing_zeros() as usize], one);
                known &= known - 1;
            }
            self.left -= 1;
        }
        Some(())
    }
}

/// The places of a block whose coefficients are not zero, as bits.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn places(block: &[i16; 64]) -> u64 {
    use std::arch::x86_64::{_mm_cmpeq_epi16, _mm_loadu_si128, _mm_movemask_epi8, _mm_packs_epi16, _mm_setzero_si128};
    let mut zeros = 0;
    for (part, values) in block.as_chunks::<16>().0.iter().enumerate() {
        // SAFETY: SSE2 is part of the architecture; sixteen values are two vectors.
        #[allow(unsafe_code)]
        let mask = unsafe {
            let is_zero =
                |at: usize| _mm_cmpeq_epi16(_mm_loadu_si128(values.as_ptr().add(at).cast()), _mm_setzero_si128());
            _mm_movemask_epi8(_mm_packs_epi16(is_zero(0), is_zero(8)))
        };
        zeros |= u64::from(mask as u16) << (16 * part);
    }
    !zeros
}

/// The places of a block whose coefficients are not zero, as bits.
#[cfg(not(target_arch = "x86_64"))]
fn places(block: &[i16; 64]) -> u64 {
    block.iter().enumerate().fold(0, |places, (at, value)| places | u64::from(*value != 0) << at)
}

/// The next lower bit of a coefficient that is not zero.
#[inline(always)]
fn more(bits: &mut Bits<'_>, coefficient: &mut i16, one: i16) {
    if bits.bits(1) == 1 && *coefficient & one == 0 {
        *coefficient = coefficient.wrapping_add(if *coefficient > 0 { one } else { -one });
    }
}
