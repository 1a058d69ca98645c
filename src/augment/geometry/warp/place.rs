use super::{Backward, Filter};

/// Where the pixels of a row come from: whole pixels for the nearest, 1/32 of one otherwise.
pub(super) struct Places<'b> {
    backward: &'b Backward<'b>,
    pub(super) filter: Filter,
    /// For affine maps: what a column adds, in 1/1024 of a pixel.
    steps: [Vec<i32>; 2],
    x: Vec<i32>,
    y: Vec<i32>,
}

impl<'b> Places<'b> {
    /// For rows of `width` pixels.
    pub(super) fn new(backward: &'b Backward<'b>, filter: Filter, width: u32) -> Self {
        let steps = match backward {
            Backward::Affine([a, _, _, d, _, _]) => {
                [a, d].map(|step| (0..width).map(|x| fixed(step * f64::from(x) * 1024.0)).collect())
            }
            _ => [Vec::new(), Vec::new()],
        };
        let zeros = vec![0; width as usize];
        Places { backward, filter, steps, x: zeros.clone(), y: zeros }
    }

    /// Pixels of a row.
    pub(super) fn width(&self) -> usize {
        self.x.len()
    }

    /// Columns and rows of the sources of row `row`.
    #[inline(always)]
    pub(super) fn row(&mut self, row: usize) -> (&[i32], &[i32]) {
        let y = row as f64;
        let whole = self.filter == Filter::Nearest;
        match self.backward {
            Backward::Affine([_, b, c, _, e, f]) => {
                let (half, bits) = if whole { (512, 10) } else { (16, 5) };
                let start = |step: f64, offset: f64| fixed((step * y + offset) * 1024.0) + half;
                shifted(&self.steps[0], start(*b, *c), bits, &mut self.x);
                shifted(&self.steps[1], start(*e, *f), bits, &mut self.y);
            }
            Backward::Projective([a, b, c, d, e, f, g, h, i]) => {
                let (x0, y0, w0) = (b * y + c, e * y + f, h * y + i);
                let parts = if whole { 1.0 } else { 32.0 };
                for (column, (x, y)) in (0_u32..).zip(self.x.iter_mut().zip(&mut self.y)) {
                    let column = f64::from(column);
                    let w = g * column + w0;
                    let w = if w == 0.0 { 0.0 } else { parts / w };
                    (*x, *y) = (fixed((a * column + x0) * w), fixed((d * column + y0) * w));
                }
            }
            Backward::Field(field) => {
                let (from_x, from_y) = field.row(row);
                self.x.iter_mut().zip(from_x).for_each(|(x, from)| *x = place(*from, whole));
                self.y.iter_mut().zip(from_y).for_each(|(y, from)| *y = place(*from, whole));
            }
            Backward::Bend(bend) => {
                for (column, (x, y)) in (0_u32..).zip(self.x.iter_mut().zip(&mut self.y)) {
                    let (from_x, from_y) = bend.source(column, row as u32);
                    (*x, *y) = (place(from_x, whole), place(from_y, whole));
                }
            }
            Backward::Lines(columns, rows) => {
                if row == 0 {
                    self.x.iter_mut().zip(*columns).for_each(|(x, from)| *x = place(*from, whole));
                }
                self.y.fill(place(rows.get(row).copied().unwrap_or(0.0), whole));
            }
        }
        (&self.x, &self.y)
    }
}

/// A place in whole pixels or in 1/32 of one.
#[inline(always)]
#[allow(unsafe_code)]
fn place(x: f32, whole: bool) -> i32 {
    let parts = if whole { 1.0 } else { 32.0 };
    let x = (x * parts).round_ties_even();
    let x = if x > -FAR as f32 { x } else { -FAR as f32 };
    let x = if x < FAR as f32 { x } else { FAR as f32 };
    // SAFETY: from -2^29 to 2^29, and what was no number is -2^29. A checked cast does not become vectors.
    unsafe { x.to_int_unchecked() }
}

#[inline(always)]
fn shifted(steps: &[i32], start: i32, bits: i32, out: &mut [i32]) {
    // Both are below 2^29, so that the sum is a number of 32 bits.
    out.iter_mut().zip(steps).for_each(|(out, step)| *out = (start + step) >> bits);
}

/// The nearest whole number, as far away as can be told apart.
#[inline(always)]
#[allow(unsafe_code)]
fn fixed(x: f64) -> i32 {
    let x = x.round_ties_even();
    let x = if x > -FAR { x } else { -FAR };
    let x = if x < FAR { x } else { FAR };
    // SAFETY: as in `place`.
    unsafe { x.to_int_unchecked() }
}

/// 2^29: half a million pixels in 1/1024.
const FAR: f64 = (1 << 29) as f64;
