use super::source::{Source, Value};
use crate::image::Size;

/// Fills `out`, an image of size `to`, with the nearest pixels: by their centres, or by their left upper corners. In whole
/// numbers, so that no rounding moves a pixel.
pub(super) fn pick<T: Value, O: Copy>(
    source: &Source<'_, T>,
    by_centre: bool,
    to: Size,
    out: &mut [O],
    convert: impl Fn(T) -> O,
) {
    let (from, channels) = (source.size(), source.channels());
    let columns: Vec<usize> = (0..to.width).map(|x| index(x, from.width, to.width, by_centre) * channels).collect();
    let stride = to.width as usize * channels;
    let mut last = None;
    for y in 0..to.height as usize {
        let from_row = index(y as u32, from.height, to.height, by_centre);
        let (done, rest) = out.split_at_mut(y * stride);
        let row = &mut rest[..stride];
        if last == Some(from_row) {
            row.copy_from_slice(&done[(y - 1) * stride..]);
            continue;
        }
        last = Some(from_row);
        let values = source.row(from_row);
        if channels == 3 {
            for (pixel, first) in row.as_chunks_mut::<3>().0.iter_mut().zip(&columns) {
                let [a, b, c] = [values[*first], values[*first + 1], values[*first + 2]];
                *pixel = [convert(a), convert(b), convert(c)];
            }
        } else {
            row.iter_mut().zip(&columns).for_each(|(value, first)| *value = convert(values[*first]));
        }
    }
}

/// Which of `from` pixels is nearest to pixel `x` of `to`.
fn index(x: u32, from: u32, to: u32, by_centre: bool) -> usize {
    let (x, from, to) = (u64::from(x), u64::from(from), u64::from(to));
    if by_centre { ((2 * x + 1) * from / (2 * to)) as usize } else { (x * from / to) as usize }
}
