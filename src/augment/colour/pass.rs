//! One pass over the pixels of an 8-bit RGB image that applies several steps of torchvision's formulas at once, and can add up
//! the gray of what it makes. Between steps values are whole numbers from 0 to 255, kept in registers as floats.

use super::lanes::{LaneKernel, Lanes, Plain};
use super::table::Table;
use crate::simd::Level;

/// One step, by torchvision's formulas in 32-bit floats, result clamped to 0 to 255 and its fraction cut off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// `scale * x + offset`.
    Line { scale: f32, offset: f32 },
    /// `ratio * x + rest * gray`.
    Blend { ratio: f32, rest: f32 },
}

impl Step {
    /// `rgb_to_grayscale` to three channels: nothing of the colour and all of the gray, which is exact.
    pub(super) const GRAY: Step = Step::Blend { ratio: 0.0, rest: 1.0 };

    /// `adjust_brightness`.
    pub(super) fn brightness(factor: f64) -> Self {
        Step::Line { scale: bounded(factor) as f32, offset: 0.0 }
    }

    /// `adjust_contrast` around `mean`.
    pub(super) fn contrast(factor: f64, mean: f32) -> Self {
        let factor = bounded(factor);
        Step::Line { scale: factor as f32, offset: (1.0 - factor) as f32 * mean }
    }

    fn has_offset(&self) -> bool {
        matches!(self, Step::Line { offset, .. } if *offset != 0.0)
    }

    /// `adjust_saturation`.
    pub(super) fn saturation(factor: f64) -> Self {
        let factor = bounded(factor);
        Step::Blend { ratio: factor as f32, rest: (1.0 - factor) as f32 }
    }
}

/// A factor within the contract's bounds, so that no product leaves the range of 32-bit integers. A record that is replayed
/// may hold any number.
fn bounded(factor: f64) -> f64 {
    if factor.is_nan() { 0.0 } else { factor.clamp(0.0, 1000.0) }
}

/// torchvision's gray of 8 bits: `floor(0.2989 r + 0.587 g + 0.114 b)`, computed without error. torchvision itself rounds in
/// 32-bit floats, so that a few of the 2^24 colours whose gray is a whole number come out one lower there: 3 on processors that
/// fuse multiplications with additions, 20 on others.
pub(super) fn gray(r: u8, g: u8, b: u8) -> u8 {
    ((2989 * u32::from(r) + 5870 * u32::from(g) + 1140 * u32::from(b)) / 10_000) as u8
}

/// Applies `steps`, of any number and kind, to RGB `pixels`; returns the sum of the
/// resulting [`gray`] of all pixels.
pub(super) fn apply_summing(pixels: &mut [u8], steps: &[Step]) -> u64 {
    run(Level::current(), pixels, steps, true)
}

/// Applies `steps`, of any number and kind, to RGB `pixels`.
pub(super) fn apply(pixels: &mut [u8], steps: &[Step]) {
    run(Level::current(), pixels, steps, false);
}

/// The mean of which `sum` is the sum over an image of `values` values, as the nearest 32-bit float.
pub(super) fn mean(sum: u64, values: usize) -> f32 {
    (sum as f64 / (values / 3) as f64) as f32
}

fn run(level: Level, pixels: &mut [u8], mut steps: &[Step], sum: bool) -> u64 {
    let level = level.min(Level::detected());
    loop {
        let mut shape = Shape::of(steps);
        if level == Level::Avx512 {
            // 64 values are looked up at once, so lines of any number, as one table, take a fraction of the time of one line.
            let lines;
            (lines, steps) = steps.split_at(lines_of(steps));
            if let Some(table) = table_of(lines) {
                table.apply_at(level, pixels);
            }
            shape = Shape { before: 0, blend: !steps.is_empty(), after: 0 };
        }
        let (now, later) = steps.split_at(shape.steps());
        let total = one_pass(level, pixels, now, shape, sum && later.is_empty());
        if later.is_empty() {
            return total;
        }
        steps = later;
    }
}

/// How many of `steps` are lines, before the first that is not.
fn lines_of(steps: &[Step]) -> usize {
    steps.iter().take_while(|step| matches!(step, Step::Line { .. })).count()
}

/// Lines one after the other as one table; none of none.
fn table_of(lines: &[Step]) -> Option<Table> {
    lines.iter().fold(None, |table: Option<Table>, step| match *step {
        Step::Line { scale, offset } => {
            let line = |x: f32| x * scale + offset;
            Some(table.map_or_else(|| Table::of(line), |table| table.then(line)))
        }
        Step::Blend { .. } => table,
    })
}

/// Lines before a blend, whether there is one, and lines after it: what a pass is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    before: usize,
    blend: bool,
    after: usize,
}

impl Shape {
    /// The shape of the first of `steps` that one pass can do.
    fn of(steps: &[Step]) -> Shape {
        let before = lines_of(steps).min(2);
        let blend = matches!(steps.get(before), Some(Step::Blend { .. }));
        let after = if blend && before < 2 { lines_of(&steps[before + 1..]).min(1) } else { 0 };
        Shape { before, blend, after }
    }

    /// How many steps it does.
    fn steps(self) -> usize {
        self.before + usize::from(self.blend) + self.after
    }
}

fn one_pass(level: Level, pixels: &mut [u8], steps: &[Step], shape: Shape, sum: bool) -> u64 {
    macro_rules! pass {
        ($before:literal, $blend:literal, $after:literal) => {
            match (sum, steps.iter().any(Step::has_offset)) {
                (true, true) => Pass::<$before, $blend, $after, true, true>::new(pixels, steps).run_at(level),
                (true, false) => Pass::<$before, $blend, $after, true, false>::new(pixels, steps).run_at(level),
                (false, true) => Pass::<$before, $blend, $after, false, true>::new(pixels, steps).run_at(level),
                (false, false) => Pass::<$before, $blend, $after, false, false>::new(pixels, steps).run_at(level),
            }
        };
    }
    match (shape.before, shape.blend, shape.after) {
        (0, false, _) if !sum => 0,
        (0, false, _) => pass!(0, false, 0),
        (1, false, _) => pass!(1, false, 0),
        (_, false, _) => pass!(2, false, 0),
        (0, true, 0) => pass!(0, true, 0),
        (0, true, _) => pass!(0, true, 1),
        (1, true, 0) => pass!(1, true, 0),
        (1, true, _) => pass!(1, true, 1),
        (_, true, _) => pass!(2, true, 0),
    }
}

/// A pass of one shape: `BEFORE` lines, a blend if `BLEND`, `AFTER` lines, and the sum of gray if `SUM`. Unless `OFFSET`, every
/// line is a product alone, which is never negative.
struct Pass<'a, const BEFORE: usize, const BLEND: bool, const AFTER: usize, const SUM: bool, const OFFSET: bool> {
    pixels: &'a mut [u8],
    before: [(f32, f32); BEFORE],
    blend: (f32, f32),
    after: [(f32, f32); AFTER],
}

impl<'a, const BEFORE: usize, const BLEND: bool, const AFTER: usize, const SUM: bool, const OFFSET: bool>
    Pass<'a, BEFORE, BLEND, AFTER, SUM, OFFSET>
{
    fn new(pixels: &'a mut [u8], steps: &[Step]) -> Self {
        let pair = |index: usize| match steps.get(index) {
            Some(Step::Line { scale: a, offset: b } | Step::Blend { ratio: a, rest: b }) => (*a, *b),
            None => (1.0, 0.0),
        };
        let after = BEFORE + usize::from(BLEND);
        Pass {
            pixels,
            before: std::array::from_fn(pair),
            blend: pair(BEFORE),
            after: std::array::from_fn(|index| pair(after + index)),
        }
    }

    /// Does the pixels at `at`; returns their gray if it is wanted.
    ///
    /// # Safety
    /// The processor has the features of `L`; `L::READ` bytes at `at` can be read and `3 * L::COUNT` written.
    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn group<L: Lanes>(&self, at: *mut u8) -> Option<L> {
        // SAFETY: what the caller says.
        unsafe {
            let mut rgb = L::load(at);
            for (index, line) in self.before.iter().enumerate() {
                rgb = scaled::<L, OFFSET>(rgb, *line);
                // The last step is clamped and cut off while it is stored.
                if index + 1 < BEFORE || BLEND || SUM {
                    rgb = whole::<L, OFFSET>(rgb);
                }
            }
            if BLEND {
                rgb = blended(rgb, self.blend);
                if AFTER > 0 || SUM {
                    rgb = whole::<L, true>(rgb);
                }
            }
            for line in &self.after {
                rgb = scaled::<L, OFFSET>(rgb, *line);
                if SUM {
                    rgb = whole::<L, OFFSET>(rgb);
                }
            }
            if BEFORE > 0 || BLEND || AFTER > 0 {
                L::store(rgb, at);
            }
            if SUM { Some(gray_of(rgb)) } else { None }
        }
    }
}

impl<const BEFORE: usize, const BLEND: bool, const AFTER: usize, const SUM: bool, const OFFSET: bool> LaneKernel
    for Pass<'_, BEFORE, BLEND, AFTER, SUM, OFFSET>
{
    type Output = u64;

    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn run<L: Lanes>(self) -> u64 {
        let len = self.pixels.len() / 3 * 3;
        let start = self.pixels.as_mut_ptr();
        // A group begins only where all that it reads lies before the end.
        let mut groups = if len < L::READ { 0 } else { (len - L::READ) / (3 * L::COUNT) + 1 };
        let (mut at, mut total) = (0, 0);
        // SAFETY: the processor has the features of `L` (the caller says so); the last group begins at `len - L::READ` at most,
        // so that all read `L::READ` bytes and write `3 * L::COUNT`, which is no more, before the end; the pixels after them
        // are done one by one.
        unsafe {
            while groups > 0 {
                let now = groups.min(EXACT_GROUPS);
                let mut sum = L::splat(0.0);
                for _ in 0..now {
                    if let Some(gray) = self.group::<L>(start.add(at)) {
                        sum = sum.plus(gray);
                    }
                    at += 3 * L::COUNT;
                }
                if SUM {
                    total += sum.total();
                }
                groups -= now;
            }
            while at < len {
                if let Some(gray) = self.group::<Plain<1>>(start.add(at)) {
                    total += gray.total();
                }
                at += 3;
            }
        }
        total
    }
}

/// So many groups that the sum in a lane stays where floats are exact: 65,536 times 255 is below 2^24.
const EXACT_GROUPS: usize = 1 << 16;

/// # Safety
/// The processor has the features of `L`.
#[inline(always)]
#[allow(unsafe_code)]
unsafe fn scaled<L: Lanes, const OFFSET: bool>([r, g, b]: [L; 3], (scale, offset): (f32, f32)) -> [L; 3] {
    // SAFETY: what the caller says.
    unsafe {
        let (scale, offset) = (L::splat(scale), L::splat(offset));
        if !OFFSET {
            return [r.times(scale), g.times(scale), b.times(scale)];
        }
        [r.times(scale).plus(offset), g.times(scale).plus(offset), b.times(scale).plus(offset)]
    }
}

/// # Safety
/// The processor has the features of `L`.
#[inline(always)]
#[allow(unsafe_code)]
unsafe fn blended<L: Lanes>([r, g, b]: [L; 3], (ratio, rest): (f32, f32)) -> [L; 3] {
    // SAFETY: what the caller says.
    unsafe {
        let (ratio, gray) = (L::splat(ratio), gray_of([r, g, b]).times(L::splat(rest)));
        [r.times(ratio).plus(gray), g.times(ratio).plus(gray), b.times(ratio).plus(gray)]
    }
}

/// # Safety
/// The processor has the features of `L`.
#[inline(always)]
#[allow(unsafe_code)]
unsafe fn whole<L: Lanes, const NEGATIVE: bool>([r, g, b]: [L; 3]) -> [L; 3] {
    // SAFETY: what the caller says.
    unsafe {
        match NEGATIVE {
            true => [r.whole(), g.whole(), b.whole()],
            false => [r.whole_of_positive(), g.whole_of_positive(), b.whole_of_positive()],
        }
    }
}

/// [`gray`] of whole numbers from 0 to 255. The weighted sum is a whole number below 2^22, so floats hold it exactly; it is
/// multiplied by the first float above 1/10,000, so that the product of a multiple of 10,000 is never below its whole number,
/// and that of the number before it never reaches it.
///
/// # Safety
/// The processor has the features of `L`.
#[inline(always)]
#[allow(unsafe_code)]
unsafe fn gray_of<L: Lanes>([r, g, b]: [L; 3]) -> L {
    // SAFETY: what the caller says.
    unsafe {
        let sum = r.times(L::splat(2989.0)).plus_whole_product(g, L::splat(5870.0));
        sum.plus_whole_product(b, L::splat(1140.0)).times(L::splat(TEN_THOUSANDTH)).cut()
    }
}

/// The first 32-bit float above 1/10,000.
const TEN_THOUSANDTH: f32 = 1.000_000_05e-4;

#[cfg(test)]
#[path = "pass_tests.rs"]
mod tests;
