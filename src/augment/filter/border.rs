/// What lies beyond the edge of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beyond {
    /// The image mirrored, the outermost pixel not repeated.
    Reflect,
    /// The outermost pixel again.
    Edge,
}

impl Beyond {
    /// The place from 0 to `length - 1` whose value stands at `place`, as often mirrored as it takes.
    pub(super) fn index(self, place: i64, length: usize) -> usize {
        let last = length.max(1) as i64 - 1;
        match self {
            Beyond::Edge => place.clamp(0, last) as usize,
            Beyond::Reflect if last == 0 => 0,
            Beyond::Reflect => {
                let folded = place.rem_euclid(2 * last);
                folded.min(2 * last - folded) as usize
            }
        }
    }

    /// Writes `row` of interleaved `channels` with `radius` pixels more on each side to `padded`, each value made by `f`.
    pub(super) fn pad<T: Copy, U>(
        self,
        row: &[T],
        channels: usize,
        radius: usize,
        padded: &mut [U],
        f: impl Fn(T) -> U,
    ) {
        let width = row.len() / channels.max(1);
        let (left, rest) = padded.split_at_mut(radius * channels);
        let (middle, right) = rest.split_at_mut(row.len());
        middle.iter_mut().zip(row).for_each(|(to, x)| *to = f(*x));
        for (at, pixel) in left.chunks_exact_mut(channels).enumerate() {
            let from = self.index(at as i64 - radius as i64, width) * channels;
            pixel.iter_mut().zip(&row[from..]).for_each(|(to, x)| *to = f(*x));
        }
        for (at, pixel) in right.chunks_exact_mut(channels).enumerate() {
            let from = self.index((width + at) as i64, width) * channels;
            pixel.iter_mut().zip(&row[from..]).for_each(|(to, x)| *to = f(*x));
        }
    }
}
