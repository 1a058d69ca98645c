//! Baseline files: one scan, each MCU read once, and transformed at once where it is wanted.

use super::frame::Frame;
use super::huffman::{Bits, PADDING, Table};
use super::idct::{self, Transform};
use super::rows::{Plane, Rows};
use super::{Part, Scale, Work, reduced, transform};

/// The entropy-coded data of a scan, without stuffed bytes and restart markers, with padding behind.
#[derive(Default)]
pub(super) struct Data {
    bytes: Vec<u8>,
    /// MCUs of each part up to a restart, but for the last one.
    interval: usize,
    /// Where each part up to a restart ends, the last one before the padding.
    ends: Vec<usize>,
    /// Where the marker behind the scan is, from the scan's beginning on.
    stop: usize,
}

impl Data {
    /// Takes the data of `mcus` MCUs, with a restart after each `interval` of them if that is not 0, at the beginning of `from`, up to the
    /// next marker. None if there is no such marker, or restarts are not as many or not numbered as they should be.
    pub(super) fn fill(&mut self, from: &[u8], mcus: usize, interval: usize) -> Option<()> {
        let Data { bytes: to, ends, .. } = self;
        self.interval = if interval == 0 { mcus } else { interval };
        let parts = mcus.div_ceil(self.interval);
        to.clear();
        to.reserve(from.len() + PADDING);
        ends.clear();
        let mut at = 0;
        loop {
            let stop = at + memchr::memchr(0xff, &from[at..])?;
            match from.get(stop + 1)? {
                0 => to.extend_from_slice(&from[at..=stop]),
                0xff => return None,
                restart @ 0xd0..=0xd7 => {
                    if ends.len() + 1 == parts || usize::from(restart & 7) != ends.len() % 8 {
                        return None;
                    }
                    to.extend_from_slice(&from[at..stop]);
                    ends.push(to.len());
                }
                _ => {
                    to.extend_from_slice(&from[at..stop]);
                    ends.push(to.len());
                    to.resize(to.len() + PADDING, 0);
                    self.stop = stop;
                    return (ends.len() == parts).then_some(());
                }
            }
            at = stop + 2;
        }
    }

    pub(super) fn stop(&self) -> usize {
        self.stop
    }

    /// Reads it from the beginning.
    pub(super) fn bits(&self) -> Bits<'_> {
        Bits::at(&self.bytes, 0)
    }

    /// Bytes without padding.
    pub(super) fn length(&self) -> usize {
        self.ends.last().copied().unwrap_or_default()
    }
}

/// A component of a baseline file.
pub(super) struct Component<'a> {
    /// In rows.
    pub(super) factors: [i32; 64],
    pub(super) dc: &'a Table,
    pub(super) ac: &'a Table,
}

/// The scan of a baseline file, to be read once.
pub(super) struct Scan<'a> {
    frame: &'a Frame,
    components: Vec<Component<'a>>,
    part: Part,
    scale: Scale,
    checked: bool,
    data: &'a Data,
    bits: Bits<'a>,
    /// First coefficients of the blocks read last.
    predicted: [i16; 3],
    /// MCUs up to the next restart.
    left: usize,
    /// Restarts passed.
    passed: usize,
    /// Where the part ends that is being read.
    end: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(
        frame: &'a Frame,
        components: Vec<Component<'a>>,
        (part, scale): (Part, Scale),
        checked: bool,
        data: &'a Data,
    ) -> Scan<'a> {
        let (bits, left, end) = (data.bits(), data.interval, data.ends[0]);
        Scan { frame, components, part, scale, checked, data, bits, predicted: [0; 3], left, passed: 0, end }
    }
}

impl Work for Scan<'_> {
    #[inline(always)]
    fn run<T: Transform, const REDUCED: bool>(mut self, planes: &mut [Plane], mut rows: Rows<'_>) -> Option<()> {
        let Part { columns, rows: wanted, all } = self.part;
        for row in 0..all[1] {
            let is_wanted = (wanted[0]..wanted[1]).contains(&row);
            if !is_wanted {
                if row >= wanted[1] && !self.checked {
                    break;
                }
                self.skip(all[0])?;
                continue;
            }
            self.skip(columns[0])?;
            for column in columns[0]..columns[1] {
                self.mcu::<T, REDUCED>([column, row], planes)?;
            }
            self.skip(all[0] - columns[1])?;
            rows.make_until(self.part.rows_made(row, self.frame, &self.scale), planes);
        }
        Some(())
    }
}

impl Scan<'_> {
    /// Reads an MCU and transforms it.
    #[inline(always)]
    fn mcu<T: Transform, const REDUCED: bool>(
        &mut self,
        [column, row]: [usize; 2],
        planes: &mut [Plane],
    ) -> Option<()> {
        if self.left == 0 {
            self.restart()?;
        }
        self.left -= 1;
        for (place, Component { factors, dc, ac }) in self.components.iter().enumerate() {
            let [across, down] = self.frame.sampling(place);
            let side = if REDUCED { self.scale.side(place) } else { 8 };
            let plane = &mut planes[place];
            let (left, top) = (column * across * side - plane.first[0], row * down * side - plane.first[1]);
            for y in 0..down {
                for x in 0..across {
                    let mut block = [0; 64];
                    let last;
                    let predicted = &mut self.predicted[place];
                    let to = &mut plane.pixels[(top + side * y) * plane.stride + left + side * x..];
                    if REDUCED && side == 1 {
                        (_, self.bits) = self.bits.block::<false>(dc, ac, predicted, &mut block)?;
                        idct::flat(*predicted, factors[0], 1, to, plane.stride);
                        continue;
                    }
                    (last, self.bits) = self.bits.block::<true>(dc, ac, predicted, &mut block)?;
                    if REDUCED && side < 8 {
                        reduced::transform(side, &block, last, factors, to, plane.stride);
                    } else {
                        transform::<T>(&block, last, factors, to, plane.stride);
                    }
                }
            }
        }
        self.is_within()
    }

    /// Reads MCUs that are not wanted, or jumps over those up to a restart if it need not be known whether they are sound.
    #[inline(always)]
    fn skip(&mut self, mut mcus: usize) -> Option<()> {
        while mcus > 0 {
            if self.left == 0 {
                self.restart()?;
            }
            let run = mcus.min(self.left);
            if run == self.left && !self.checked && self.end < self.data.length() {
                self.bits = Bits::at(&self.data.bytes, self.end);
            } else {
                for _ in 0..run {
                    self.skip_one()?;
                }
            }
            self.left -= run;
            mcus -= run;
        }
        Some(())
    }

    #[inline(always)]
    fn skip_one(&mut self) -> Option<()> {
        for (place, Component { dc, ac, .. }) in self.components.iter().enumerate() {
            let [across, down] = self.frame.sampling(place);
            for _ in 0..across * down {
                (_, self.bits) = self.bits.block::<false>(dc, ac, &mut self.predicted[place], &mut [0; 64])?;
            }
        }
        self.is_within()
    }

    /// Nothing, if more was read than there is.
    #[inline(always)]
    fn is_within(&self) -> Option<()> {
        (self.bits.position() <= 8 * self.end).then_some(())
    }

    /// Begins anew behind a restart. None if there are bytes before it that nobody has read.
    #[cold]
    fn restart(&mut self) -> Option<()> {
        if self.bits.position() + 7 < 8 * self.end {
            return None;
        }
        self.passed += 1;
        self.bits = Bits::at(&self.data.bytes, self.end);
        self.end = *self.data.ends.get(self.passed)?;
        self.predicted = [0; 3];
        self.left = self.data.interval;
        Some(())
    }
}
