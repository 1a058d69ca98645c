//! `cv2.resize` of 8 bits, as far as references need it: an image is stretched before its histogram or its frequencies are taken,
//! so a level of difference in some pixels changes next to nothing, and the weights are OpenCV's all the same.

use std::borrow::Cow;

use crate::augment::op::Scratch;
use crate::augment::resources::Picture;
use crate::image::{Image, Size};

/// How a reference is brought to another size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stretch {
    /// `INTER_LINEAR`.
    Linear,
    /// `INTER_AREA`, to the size with width and height exchanged.
    AreaTransposed,
}

/// `picture` at `size`, with 1 or 3 channels. One channel is OpenCV's gray.
pub(super) fn stretched<'a>(
    picture: &'a Picture,
    channels: usize,
    size: Size,
    stretch: Stretch,
    scratch: &mut Scratch,
) -> Image<'a> {
    let from = picture.size;
    let values = if channels == 1 { Cow::Owned(gray(&picture.pixels)) } else { Cow::Borrowed(&picture.pixels[..]) };
    let to = match stretch {
        Stretch::Linear => size,
        Stretch::AreaTransposed => size.transposed(),
    };
    if from == size || size.area() == 0 || from.area() == 0 {
        return Image::from_u8(from, channels, values);
    }
    let mut out = scratch.bytes(to.area() as usize * channels);
    let shrinks = to.width <= from.width && to.height <= from.height;
    if stretch == Stretch::AreaTransposed && shrinks {
        area(&values, (from, to), channels, &mut out);
    } else {
        linear(&values, (from, to), channels, stretch, &mut out);
    }
    Image::from_u8(to, channels, out)
}

fn gray(rgb: &[u8]) -> Vec<u8> {
    let weighted = |[r, g, b]: &[u8; 3]| {
        let sum = 9798 * u32::from(*r) + 19235 * u32::from(*g) + 3735 * u32::from(*b) + 16384;
        (sum >> 15) as u8
    };
    rgb.as_chunks::<3>().0.iter().map(weighted).collect()
}

/// The two source pixels of each target pixel, and their weights in 2048ths.
fn pairs(from: u32, to: u32, stretch: Stretch) -> Vec<(usize, usize, i32, i32)> {
    let scale = f64::from(from) / f64::from(to);
    let last = f64::from(from - 1);
    let pair = |place: u32| {
        let place = f64::from(place);
        let (start, part) = match stretch {
            Stretch::Linear => {
                let at = ((place + 0.5) * scale - 0.5) as f32;
                (f64::from(at.floor()), at - at.floor())
            }
            Stretch::AreaTransposed => {
                let start = (place * scale).floor();
                let at = (place + 1.0) - (start + 1.0) / scale;
                (start, if at <= 0.0 { 0.0 } else { (at - at.floor()) as f32 })
            }
        };
        let part = if start < 0.0 || start >= last { 0.0 } else { part };
        let start = start.clamp(0.0, last);
        let weight = |x: f32| (x * 2048.0).round_ties_even() as i32;
        (start as usize, (start + 1.0).min(last) as usize, weight(1.0 - part), weight(part))
    };
    (0..to).map(pair).collect()
}

fn linear(values: &[u8], (from, to): (Size, Size), channels: usize, stretch: Stretch, out: &mut [u8]) {
    let (columns, rows) = (pairs(from.width, to.width, stretch), pairs(from.height, to.height, stretch));
    let (width, length) = (from.width as usize * channels, to.width as usize * channels);
    // The last two source rows that were stretched, with their numbers.
    let mut kept = [(usize::MAX, vec![0_i32; length]), (usize::MAX, vec![0_i32; length])];
    for ((first, second, upper, lower), out) in rows.iter().zip(out.chunks_exact_mut(length)) {
        if kept[1].0 == *first {
            kept.swap(0, 1);
        }
        for (wanted, (number, row)) in [first, second].into_iter().zip(&mut kept) {
            if number != wanted {
                *number = *wanted;
                stretch_row(&values[wanted * width..][..width], &columns, channels, row);
            }
        }
        for ((x, a), b) in out.iter_mut().zip(&kept[0].1).zip(&kept[1].1) {
            *x = ((((upper * (a >> 4)) >> 16) + ((lower * (b >> 4)) >> 16) + 2) >> 2).clamp(0, 255) as u8;
        }
    }
}

fn stretch_row(source: &[u8], columns: &[(usize, usize, i32, i32)], channels: usize, out: &mut [i32]) {
    for ((first, second, left, right), out) in columns.iter().zip(out.chunks_exact_mut(channels)) {
        for (channel, x) in out.iter_mut().enumerate() {
            let value = |column: &usize| i32::from(source[column * channels + channel]);
            *x = value(first) * left + value(second) * right;
        }
    }
}

/// The source pixels under each target pixel, with the part that lies under it.
fn shares(from: u32, to: u32) -> Vec<Vec<(usize, f32)>> {
    let scale = f64::from(from) / f64::from(to);
    let share = |place: u32| {
        let (start, end) = (f64::from(place) * scale, (f64::from(place) + 1.0) * scale);
        let cell = scale.min(f64::from(from) - start);
        let last = end.floor().min(f64::from(from - 1));
        let first = start.ceil().min(last);
        let mut shares = Vec::new();
        if first - start > 1e-3 {
            shares.push(((first - 1.0) as usize, ((first - start) / cell) as f32));
        }
        shares.extend((first as usize..last as usize).map(|x| (x, (1.0 / cell) as f32)));
        if end - last > 1e-3 {
            shares.push((last as usize, ((end - last).min(1.0).min(cell) / cell) as f32));
        }
        shares
    };
    (0..to).map(share).collect()
}

fn area(values: &[u8], (from, to): (Size, Size), channels: usize, out: &mut [u8]) {
    let (columns, rows) = (shares(from.width, to.width), shares(from.height, to.height));
    let (width, length) = (from.width as usize * channels, to.width as usize * channels);
    let halves = from == Size::new(to.width.saturating_mul(2), to.height.saturating_mul(2));
    let mut sums = vec![0.0_f32; length];
    for (shares, out) in rows.iter().zip(out.chunks_exact_mut(length)) {
        sums.fill(0.0);
        for (row, part) in shares {
            let source = &values[row * width..][..width];
            for (columns, sums) in columns.iter().zip(sums.chunks_exact_mut(channels)) {
                for (channel, sum) in sums.iter_mut().enumerate() {
                    let mut inner = 0.0_f32;
                    for (column, part) in columns {
                        inner += f32::from(source[column * channels + channel]) * part;
                    }
                    *sum += inner * part;
                }
            }
        }
        // Halves are sums of four, which OpenCV rounds up.
        let rounded = |sum: f32| if halves { (sum + 0.5).floor() } else { sum.round_ties_even() };
        out.iter_mut().zip(&sums).for_each(|(x, sum)| *x = rounded(*sum).clamp(0.0, 255.0) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32) -> Picture {
        let size = Size::new(width, height);
        let pixels = (0..size.area() * 3).map(|x| (x * 37 % 256) as u8).collect();
        Picture { size, pixels }
    }

    #[test]
    fn every_size_can_be_stretched_to_every_other() {
        let sides = [1, 2, 3, 7, 16, 33];
        let mut scratch = Scratch::default();
        for (width, height) in sides.into_iter().flat_map(|width| sides.map(|height| (width, height))) {
            let picture = picture(width, height);
            for to in sides.into_iter().flat_map(|width| sides.map(|height| Size::new(width, height))) {
                for channels in [1, 3] {
                    let made = stretched(&picture, channels, to, Stretch::Linear, &mut scratch);
                    assert_eq!((made.size(), made.channels()), (to, channels));
                    let made = stretched(&picture, channels, to, Stretch::AreaTransposed, &mut scratch);
                    assert_eq!(made.size().area(), to.area());
                }
            }
        }
    }

    #[test]
    fn a_plain_image_stays_plain() {
        let size = Size::new(9, 5);
        let picture = Picture { size, pixels: vec![201; 135] };
        for to in [Size::new(4, 2), Size::new(30, 31), Size::new(3, 10)] {
            for stretch in [Stretch::Linear, Stretch::AreaTransposed] {
                let made = stretched(&picture, 3, to, stretch, &mut Scratch::default());
                assert!(made.as_u8().expect("8 bits").iter().all(|x| *x == 201), "{to} {stretch:?}");
            }
        }
    }
}
