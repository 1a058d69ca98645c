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
    let (area, channels) = (source.area(), source.channels());
    let columns: Vec<usize> = (0..to.width).map(|x| area.columns.nearest(x, to.width, by_centre) * channels).collect();
    let stride = to.width as usize * channels;
    let mut last = None;
    for y in 0..to.height as usize {
        let from_row = area.rows.nearest(y as u32, to.height, by_centre);
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
