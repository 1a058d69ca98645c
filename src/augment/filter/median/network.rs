use crate::simd::Kernel;

/// One row of medians of `N` x `N`, 3 or 5.
pub(super) struct Network<'a, const N: usize> {
    /// The padded rows around it.
    pub(super) rows: [&'a [u8]; N],
    pub(super) channels: usize,
    /// As long as the rows together: their columns, sorted.
    pub(super) sorted: &'a mut [u8],
    pub(super) out: &'a mut [u8],
}

impl<const N: usize> Kernel for Network<'_, N>
where
    [u8; N]: Column<N>,
{
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Network { rows, channels, sorted, out } = self;
        let stride = rows[0].len();
        for at in chunks(stride) {
            let made = sorted_columns(rows, at, stride);
            for (row, lanes) in made.iter().enumerate() {
                let length = LANES.min(stride);
                sorted[row * stride + at..row * stride + at + length].copy_from_slice(&lanes[..length]);
            }
        }
        let mut columns = rows;
        for (row, column) in columns.iter_mut().enumerate() {
            *column = &sorted[row * stride..(row + 1) * stride];
        }
        let length = LANES.min(out.len());
        for at in chunks(out.len()) {
            let made = medians(columns, channels, at, length);
            out[at..at + length].copy_from_slice(&made[..length]);
        }
    }
}

/// Values of a column of the square.
pub(super) trait Column<const N: usize> {
    /// Sorted. Must be `#[inline(always)]`.
    fn sorted(self) -> [u8; N];

    /// The median of a square whose columns are sorted, by its rows. Must be `#[inline(always)]`.
    fn median(square: [[u8; N]; N]) -> u8;
}

impl Column<3> for [u8; 3] {
    #[inline(always)]
    fn sorted(self) -> [u8; 3] {
        sort3(self)
    }

    #[inline(always)]
    fn median([low, middle, high]: [[u8; 3]; 3]) -> u8 {
        // The greatest of the smallest, the middle one of the middle ones and the smallest of the greatest are what can be the
        // middle of all.
        let low = low[0].max(low[1]).max(low[2]);
        let high = high[0].min(high[1]).min(high[2]);
        sort3([low, sort3(middle)[1], high])[1]
    }
}

impl Column<5> for [u8; 5] {
    #[inline(always)]
    fn sorted(self) -> [u8; 5] {
        sort5(self)
    }

    #[inline(always)]
    fn median([a, b, c, d, e]: [[u8; 5]; 5]) -> u8 {
        // With columns and rows sorted, the value at row r and column c (from 1) is not below rc - 1 others and not above
        // (6 - r)(6 - c) - 1 others. Where either is more than 12 it is not the middle one needed: of the 12 that are left out,
        // as many are low as high, and the median of the 13 others is that of all. What is not used of the sorted rows is not
        // computed.
        let (a, b, c, d, e) = (sort5(a), sort5(b), sort5(c), sort5(d), sort5(e));
        median13([a[3], a[4], b[2], b[3], b[4], c[1], c[2], c[3], d[0], d[1], d[2], e[0], e[1]])
    }
}

/// Values at once. The loops over them have a network in them that stays in registers, and become vectors.
const LANES: usize = 64;

/// The places of chunks that cover `0..length`; the last one overlaps the one before, or is shorter if it is the only one.
#[inline(always)]
fn chunks(length: usize) -> impl Iterator<Item = usize> {
    let last = length.saturating_sub(LANES);
    (0..length.div_ceil(LANES)).map(move |chunk| (chunk * LANES).min(last))
}

#[inline(always)]
fn sorted_columns<const N: usize>(rows: [&[u8]; N], at: usize, stride: usize) -> [[u8; LANES]; N]
where
    [u8; N]: Column<N>,
{
    let mut own = [[0; LANES]; N];
    let mut from = [&[0; LANES]; N];
    for ((from, own), row) in from.iter_mut().zip(&mut own).zip(rows) {
        *from = chunk(row, at, stride.min(LANES), own);
    }
    let mut made = [[0; LANES]; N];
    for lane in 0..LANES {
        let mut column = [0; N];
        for row in 0..N {
            column[row] = from[row][lane];
        }
        let column = column.sorted();
        for row in 0..N {
            made[row][lane] = column[row];
        }
    }
    made
}

#[inline(always)]
fn medians<const N: usize>(columns: [&[u8]; N], channels: usize, at: usize, length: usize) -> [u8; LANES]
where
    [u8; N]: Column<N>,
{
    let mut own = [[[0; LANES]; N]; N];
    let mut from = [[&[0; LANES]; N]; N];
    for ((from, own), row) in from.iter_mut().zip(&mut own).zip(columns) {
        for (column, (from, own)) in from.iter_mut().zip(own).enumerate() {
            *from = chunk(row, at + column * channels, length, own);
        }
    }
    let mut made = [0; LANES];
    for lane in 0..LANES {
        let mut square = [[0; N]; N];
        for row in 0..N {
            for column in 0..N {
                square[row][column] = from[row][column][lane];
            }
        }
        made[lane] = <[u8; N]>::median(square);
    }
    made
}

/// The values of a row from `at` on; where there are less than a chunk, `length` of them, copied to `own`.
#[inline(always)]
fn chunk<'a>(row: &'a [u8], at: usize, length: usize, own: &'a mut [u8; LANES]) -> &'a [u8; LANES] {
    match row[at..].first_chunk() {
        Some(chunk) => chunk,
        None => {
            own[..length].copy_from_slice(&row[at..at + length]);
            own
        }
    }
}

/// Puts the smaller one of two first.
#[inline(always)]
fn order<const N: usize>(values: &mut [u8; N], a: usize, b: usize) {
    (values[a], values[b]) = (values[a].min(values[b]), values[a].max(values[b]));
}

#[inline(always)]
fn sort3(mut v: [u8; 3]) -> [u8; 3] {
    order(&mut v, 0, 1);
    order(&mut v, 1, 2);
    order(&mut v, 0, 1);
    v
}

#[inline(always)]
fn sort5(mut v: [u8; 5]) -> [u8; 5] {
    order(&mut v, 0, 1);
    order(&mut v, 3, 4);
    order(&mut v, 2, 4);
    order(&mut v, 2, 3);
    order(&mut v, 0, 3);
    order(&mut v, 0, 2);
    order(&mut v, 1, 4);
    order(&mut v, 1, 3);
    order(&mut v, 1, 2);
    v
}

/// The median of 13, by forgetting: of the first 8 neither the smallest nor the greatest can be it; so of what remains and the
/// next one, and so on.
#[inline(always)]
fn median13(v: [u8; 13]) -> u8 {
    let mut kept = [v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]];
    // The smaller ones of pairs to the left, the greater ones to the right; then the smallest first, the greatest last.
    order(&mut kept, 0, 4);
    order(&mut kept, 1, 5);
    order(&mut kept, 2, 6);
    order(&mut kept, 3, 7);
    order(&mut kept, 0, 1);
    order(&mut kept, 2, 3);
    order(&mut kept, 0, 2);
    order(&mut kept, 4, 5);
    order(&mut kept, 6, 7);
    order(&mut kept, 5, 7);
    let mut kept = [kept[1], kept[2], kept[3], kept[4], kept[5], kept[6], v[8]];
    order(&mut kept, 0, 3);
    order(&mut kept, 1, 4);
    order(&mut kept, 2, 5);
    order(&mut kept, 0, 1);
    order(&mut kept, 0, 2);
    order(&mut kept, 0, 6);
    order(&mut kept, 3, 6);
    order(&mut kept, 4, 6);
    order(&mut kept, 5, 6);
    let mut kept = [kept[1], kept[2], kept[3], kept[4], kept[5], v[9]];
    order(&mut kept, 0, 3);
    order(&mut kept, 1, 4);
    order(&mut kept, 2, 5);
    order(&mut kept, 0, 1);
    order(&mut kept, 0, 2);
    order(&mut kept, 3, 5);
    order(&mut kept, 4, 5);
    let mut kept = [kept[1], kept[2], kept[3], kept[4], v[10]];
    order(&mut kept, 0, 2);
    order(&mut kept, 1, 3);
    order(&mut kept, 0, 1);
    order(&mut kept, 0, 4);
    order(&mut kept, 2, 4);
    order(&mut kept, 3, 4);
    let mut kept = [kept[1], kept[2], kept[3], v[11]];
    order(&mut kept, 0, 2);
    order(&mut kept, 1, 3);
    order(&mut kept, 0, 1);
    order(&mut kept, 2, 3);
    sort3([kept[1], kept[2], v[12]])[1]
}
