use crate::augment::simd::Kernel;

/// One row of medians of 3 x 3.
pub(super) struct Three<'a> {
    /// The padded rows around it.
    pub(super) rows: [&'a [u8]; 3],
    pub(super) channels: usize,
    /// As long as the rows together: their columns, sorted.
    pub(super) sorted: &'a mut [u8],
    pub(super) out: &'a mut [u8],
}

impl Kernel for Three<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let stride = self.rows[0].len();
        sort_columns(self.rows, self.sorted, sort3);
        let rows: [&[u8]; 3] = std::array::from_fn(|row| &self.sorted[row * stride..(row + 1) * stride]);
        select(rows, self.channels, self.out, |square: [[Lanes; 3]; 3]| {
            // The greatest of the smallest, the middle one of the middle ones and the smallest of the greatest are what can be
            // the middle of all.
            let [low, middle, high] = square;
            let low = max(max(low[0], low[1]), low[2]);
            let high = min(min(high[0], high[1]), high[2]);
            sort3([low, sort3(middle)[1], high])[1]
        });
    }
}

/// One row of medians of 5 x 5.
pub(super) struct Five<'a> {
    /// The padded rows around it.
    pub(super) rows: [&'a [u8]; 5],
    pub(super) channels: usize,
    /// As long as the rows together: their columns, sorted.
    pub(super) sorted: &'a mut [u8],
    pub(super) out: &'a mut [u8],
}

impl Kernel for Five<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let stride = self.rows[0].len();
        sort_columns(self.rows, self.sorted, sort5);
        let rows: [&[u8]; 5] = std::array::from_fn(|row| &self.sorted[row * stride..(row + 1) * stride]);
        select(rows, self.channels, self.out, |square: [[Lanes; 5]; 5]| {
            // With columns and rows sorted, the value at row r and column c (from 1) is not below rc - 1 others and not above
            // (6 - r)(6 - c) - 1 others. Where either is more than 12 it is not the middle one needed: of the 12 that remain
            // out, as many are low as high, and the median of the 13 others is that of all. What is not used of the sorted
            // rows is not computed.
            let s = square.map(sort5);
            median13([
                s[0][3], s[0][4], s[1][2], s[1][3], s[1][4], s[2][1], s[2][2], s[2][3], s[3][0], s[3][1], s[3][2],
                s[4][0], s[4][1],
            ])
        });
    }
}

type Lanes = [u8; LANES];
/// Values at once.
const LANES: usize = 64;

/// Sorts each column of the rows.
#[inline(always)]
fn sort_columns<const N: usize>(rows: [&[u8]; N], sorted: &mut [u8], sort: impl Fn([Lanes; N]) -> [Lanes; N]) {
    let stride = rows[0].len();
    each_chunk(stride, |at, length| {
        let columns = sort(rows.map(|row| load(row, at, length)));
        for (row, lanes) in columns.iter().enumerate() {
            store(sorted, row * stride + at, length, lanes);
        }
    });
}

/// Makes each value of `out` from the square of values that begins where it stands.
#[inline(always)]
fn select<const N: usize>(
    rows: [&[u8]; N],
    channels: usize,
    out: &mut [u8],
    median: impl Fn([[Lanes; N]; N]) -> Lanes,
) {
    each_chunk(out.len(), |at, length| {
        let square = rows.map(|row| std::array::from_fn(|column| load(row, at + column * channels, length)));
        store(out, at, length, &median(square));
    });
}

/// Calls `f` with place and length of chunks that cover `0..length`; the last one overlaps the one before, or is short if it is
/// the only one.
#[inline(always)]
fn each_chunk(length: usize, mut f: impl FnMut(usize, usize)) {
    let mut at = 0;
    while at + LANES <= length {
        f(at, LANES);
        at += LANES;
    }
    if at < length {
        if length >= LANES { f(length - LANES, LANES) } else { f(at, length - at) }
    }
}

#[inline(always)]
fn load(row: &[u8], at: usize, length: usize) -> Lanes {
    if let Some(lanes) = row[at..].first_chunk().filter(|_| length == LANES) {
        return *lanes;
    }
    let mut lanes = [0; LANES];
    lanes[..length].copy_from_slice(&row[at..at + length]);
    lanes
}

#[inline(always)]
fn store(row: &mut [u8], at: usize, length: usize, lanes: &Lanes) {
    row[at..at + length].copy_from_slice(&lanes[..length]);
}

#[inline(always)]
fn min(a: Lanes, b: Lanes) -> Lanes {
    let mut made = a;
    for lane in 0..LANES {
        made[lane] = if a[lane] < b[lane] { a[lane] } else { b[lane] };
    }
    made
}

#[inline(always)]
fn max(a: Lanes, b: Lanes) -> Lanes {
    let mut made = a;
    for lane in 0..LANES {
        made[lane] = if a[lane] > b[lane] { a[lane] } else { b[lane] };
    }
    made
}

/// Puts the smaller one of two first.
#[inline(always)]
fn order<const N: usize>(values: &mut [Lanes; N], a: usize, b: usize) {
    (values[a], values[b]) = (min(values[a], values[b]), max(values[a], values[b]));
}

#[inline(always)]
fn sort3(mut v: [Lanes; 3]) -> [Lanes; 3] {
    order(&mut v, 0, 1);
    order(&mut v, 1, 2);
    order(&mut v, 0, 1);
    v
}

#[inline(always)]
fn sort5(mut v: [Lanes; 5]) -> [Lanes; 5] {
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
fn median13(v: [Lanes; 13]) -> Lanes {
    let kept = forget::<8, 7>([v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]], v[8]);
    let kept = forget::<7, 6>(kept, v[9]);
    let kept = forget::<6, 5>(kept, v[10]);
    let kept = forget::<5, 4>(kept, v[11]);
    let kept = forget::<4, 3>(kept, v[12]);
    sort3(kept)[1]
}

/// `N` without its smallest and its greatest, and `next`: `M` is `N - 1`.
#[inline(always)]
fn forget<const N: usize, const M: usize>(mut v: [Lanes; N], next: Lanes) -> [Lanes; M] {
    let half = N / 2;
    // The smaller ones of pairs to the left, the greater ones to the right, a middle one in between if there is one.
    for at in 0..half {
        order(&mut v, at, N - 1 - at);
    }
    for at in 1..N - half {
        order(&mut v, 0, at);
    }
    for at in half..N - 1 {
        order(&mut v, at, N - 1);
    }
    let mut kept = [next; M];
    kept[..M - 1].copy_from_slice(&v[1..N - 1]);
    kept
}
