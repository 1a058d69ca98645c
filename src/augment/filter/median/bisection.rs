use super::Padded;
use crate::simd::Kernel;

/// One row of medians: the greatest number that not more than half of the values are below, bit by bit. A square of up to 15 x 15
/// has counts of 8 bits.
pub(super) struct Bisection<'a> {
    pub(super) source: &'a Padded,
    pub(super) y: usize,
    pub(super) out: &'a mut [u8],
}

impl Kernel for Bisection<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Bisection { source, y, out } = self;
        let mut at = 0;
        while at + LANES <= out.len() {
            let found = medians(source, y, at);
            out[at..at + LANES].copy_from_slice(&found);
            at += LANES;
        }
        if at < out.len() && out.len() >= LANES {
            let at = out.len() - LANES;
            out[at..].copy_from_slice(&medians(source, y, at));
        } else {
            for (at, x) in out.iter_mut().enumerate().skip(at) {
                *x = median(source, y, at);
            }
        }
    }
}

#[inline(always)]
fn medians(source: &Padded, y: usize, at: usize) -> [u8; LANES] {
    let side = 2 * source.radius + 1;
    let half = (side * side / 2) as u8;
    let mut found = [0_u8; LANES];
    for bit in (0..8).rev() {
        let tried = found.map(|x| x | 1 << bit);
        let mut below = [0_u8; LANES];
        for row in 0..side {
            let start = (y + row) * source.stride + at;
            let row = &source.values[start..start + 2 * source.radius * source.channels + LANES];
            for column in 0..side {
                let values: &[u8; LANES] =
                    row[column * source.channels..].first_chunk().expect("the row reaches the last column's chunk");
                for lane in 0..LANES {
                    below[lane] += u8::from(values[lane] < tried[lane]);
                }
            }
        }
        for lane in 0..LANES {
            found[lane] = if below[lane] <= half { tried[lane] } else { found[lane] };
        }
    }
    found
}

fn median(source: &Padded, y: usize, at: usize) -> u8 {
    let side = 2 * source.radius + 1;
    let mut found = 0_u8;
    for bit in (0..8).rev() {
        let tried = found | 1 << bit;
        let below = |row: usize| {
            let start = (y + row) * source.stride + at;
            (0..side).filter(|column| source.values[start + column * source.channels] < tried).count()
        };
        if (0..side).map(below).sum::<usize>() <= side * side / 2 {
            found = tried;
        }
    }
    found
}

/// Values at once: more would not stay in registers.
const LANES: usize = 32;
