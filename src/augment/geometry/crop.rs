use crate::augment::op::{Refusal, Scratch};
use crate::image::{Depth, Form, Image, Pixels, Size, Window};
use crate::sample::{Geometry, Mask, Sample};

/// The two sides of a window, refused where one is larger than the smallest image.
pub(super) fn sides(height: u32, width: u32, input: Form) -> Result<Size, Refusal> {
    for (name, wanted, found) in [("height", height, input.smallest.height), ("width", width, input.smallest.width)] {
        if wanted == 0 || wanted > found {
            return Err(Refusal::new(name, wanted, format!("1 to {found}, the {name} of the smallest image")));
        }
    }
    Ok(Size::new(width, height))
}

/// The part of `window` that lies inside of an image of `size`: at least one pixel. Windows that were drawn lie inside; one
/// that was recorded for another image may not.
pub(super) fn inside(window: Window, size: Size) -> Window {
    let along = |start: u32, length: u32, most: u32| {
        let start = start.min(most - 1);
        (start, length.clamp(1, most - start))
    };
    let (x, width) = along(window.x, window.size.width, size.width);
    let (y, height) = along(window.y, window.size.height, size.height);
    Window { x, y, size: Size::new(width, height) }
}

/// Cuts out `window`, which lies inside.
pub(super) fn cut<'a>(image: Image<'a>, window: Window, scratch: &mut Scratch) -> Image<'a> {
    let nothing = Beyond { border: Border::Edge, fill: [0.0; 3] };
    cut_padded(image, (window.x.into(), window.y.into()), window.size, &nothing, scratch)
}

/// Cuts out what begins at `(x, y)`, which may lie beyond the edges.
pub(super) fn cut_padded<'a>(
    image: Image<'a>,
    at: (i64, i64),
    size: Size,
    beyond: &Beyond,
    scratch: &mut Scratch,
) -> Image<'a> {
    let (from, channels) = (image.size(), image.channels());
    if at == (0, 0) && size == from {
        return image;
    }
    let length = size.area() as usize * channels;
    let made = match image.pixels() {
        Pixels::U8(values) => {
            let mut out = scratch.bytes(length);
            let fill = beyond.fill.map(|x| x as u8);
            match channels {
                3 => copy((values.as_chunks().0, from), (out.as_chunks_mut().0, size), at, beyond.border, fill),
                _ => copy((values, from), (&mut out, size), at, beyond.border, fill[0]),
            }
            Image::from_u8(size, channels, out)
        }
        Pixels::F32(values) => {
            let mut out = scratch.floats(length);
            let fill = beyond.fill.map(|x| x as f32);
            match channels {
                3 => copy((values.as_chunks().0, from), (out.as_chunks_mut().0, size), at, beyond.border, fill),
                _ => copy((values, from), (&mut out, size), at, beyond.border, fill[0]),
            }
            Image::from_f32(size, channels, out)
        }
    };
    scratch.recycle(image);
    made
}

/// What is beyond the edges of an image.
#[derive(Clone, Copy)]
pub(super) struct Beyond {
    pub(super) border: Border,
    /// Per channel, at the scale of the image; used by [`Border::Constant`].
    pub(super) fill: [f64; 3],
}

/// What stands beyond an edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Border {
    /// The fill.
    Constant,
    /// The outermost pixel.
    Edge,
    /// The image mirrored, without its outermost pixel.
    Reflect,
    /// The image mirrored, with its outermost pixel.
    Symmetric,
}

impl Beyond {
    /// As the fields `border` and `fill` say it.
    pub(super) fn new(border: i32, fill: &[f64], input: Form) -> Result<Self, Refusal> {
        use feedline_proto::v1;
        let border = match v1::Border::try_from(border) {
            Ok(v1::Border::Constant | v1::Border::Unspecified) => Border::Constant,
            Ok(v1::Border::Edge) => Border::Edge,
            Ok(v1::Border::Reflect) => Border::Reflect,
            Ok(v1::Border::Symmetric) => Border::Symmetric,
            Err(_) => return Err(Refusal::new("border", border, "constant, edge, reflect or symmetric")),
        };
        let refused = |expected: &str| Err(Refusal::new("fill", format!("{fill:?}"), expected));
        let Ok(fill) = <[f64; 3]>::try_from(fill) else { return refused("three numbers") };
        if input.channels == 1 && fill != [fill[0]; 3] {
            return refused("three equal numbers, since the images are of one channel");
        }
        if input.depth == Depth::U8 && fill.iter().any(|x| x.trunc() != *x || !(0.0..=255.0).contains(x)) {
            return refused("whole numbers from 0 to 255, since the images are of 8 bits");
        }
        Ok(Beyond { border, fill })
    }

    /// The same border for the mask, whose class beyond the edge is `fill`.
    pub(super) fn for_mask(&self, fill: u32) -> Result<Self, Refusal> {
        let fill = u8::try_from(fill).map_err(|_| Refusal::new("fill_mask", fill, "a class from 0 to 255"))?;
        Ok(Beyond { border: self.border, fill: [f64::from(fill); 3] })
    }
}

/// Moves boxes and keypoints into a window of `size` at a place, which may lie beyond the edges, and cuts the mask the same way.
pub(super) fn annotate(at: (i64, i64), size: Size, beyond: &Beyond, sample: &mut Sample<'_>) {
    Geometry::crop(at.0, at.1, size).move_marks(sample);
    for mask in &mut sample.masks {
        let image = Image::from_u8(mask.size, 1, std::mem::take(&mut mask.classes));
        let image = cut_padded(image, at, size, beyond, &mut Scratch::default());
        if let Pixels::U8(classes) = image.into_pixels() {
            *mask = Mask { size, classes: classes.into_owned() };
        }
    }
}

impl Border {
    /// Which of `length` pixels stands at `index`; none for the fill.
    pub(super) fn index(self, index: i64, length: u32) -> Option<usize> {
        let last = i64::from(length) - 1;
        if (0..=last).contains(&index) {
            return Some(index as usize);
        }
        let folded = match self {
            Border::Constant => return None,
            Border::Edge => index.clamp(0, last),
            Border::Reflect if last == 0 => 0,
            Border::Reflect => {
                let index = index.rem_euclid(2 * last);
                index.min(2 * last - index)
            }
            Border::Symmetric => {
                let index = index.rem_euclid(2 * last + 2);
                index.min(2 * last + 1 - index)
            }
        };
        Some(folded as usize)
    }
}

/// Copies the window at `at` row by row: what lies inside as a slice, the rest pixel by pixel.
fn copy<P: Copy>((pixels, from): (&[P], Size), (out, size): (&mut [P], Size), at: (i64, i64), border: Border, fill: P) {
    let stride = from.width as usize;
    // Columns of the window that lie inside of the image: from `left` to `right`.
    let (width, most) = (i64::from(size.width), i64::from(from.width));
    let left = at.0.saturating_neg().clamp(0, width) as usize;
    let right = most.saturating_sub(at.0).clamp(left as i64, width) as usize;
    // `left` is beyond -x where there are any, so this is not negative; and `right` not beyond `most - x`.
    let first = if left < right { (at.0 + left as i64) as usize } else { 0 };
    // The columns beside them, the same ones in every row.
    let beside = |columns: std::ops::Range<usize>| -> Vec<Option<usize>> {
        columns.map(|column| border.index(at.0.saturating_add(column as i64), from.width)).collect()
    };
    let (before, after) = (beside(0..left), beside(right..size.width as usize));
    for (row, out) in out.chunks_exact_mut(size.width as usize).enumerate() {
        let Some(y) = border.index(at.1.saturating_add(row as i64), from.height) else {
            out.fill(fill);
            continue;
        };
        let source = &pixels[y * stride..][..stride];
        let pick = |from: &Option<usize>| from.map_or(fill, |x| source[x]);
        out[left..right].copy_from_slice(&source[first..][..right - left]);
        out[..left].iter_mut().zip(&before).for_each(|(out, from)| *out = pick(from));
        out[right..].iter_mut().zip(&after).for_each(|(out, from)| *out = pick(from));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_fold_as_numpys_pad_does() {
        let row = |border: Border| (-5..8).map(|x| border.index(x, 3)).collect::<Vec<_>>();
        let some = |indices: [usize; 13]| indices.map(Some).to_vec();
        assert_eq!(row(Border::Edge), some([0, 0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2]));
        assert_eq!(row(Border::Reflect), some([1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1]));
        assert_eq!(row(Border::Symmetric), some([1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]));
        assert_eq!(row(Border::Constant).iter().flatten().count(), 3);
        for border in [Border::Edge, Border::Reflect, Border::Symmetric] {
            assert!([i64::MIN, -1, 1, i64::MAX].iter().all(|x| border.index(*x, 1) == Some(0)));
        }
    }

    #[test]
    fn a_window_far_outside_is_moved_to_the_edge() {
        let far = Window { x: 9, y: u32::MAX, size: Size::new(u32::MAX, 0) };
        assert_eq!(inside(far, Size::new(4, 3)), Window { x: 3, y: 2, size: Size::new(1, 1) });
        let good = Window { x: 1, y: 1, size: Size::new(3, 2) };
        assert_eq!(inside(good, Size::new(4, 3)), good);
    }

    #[test]
    fn a_padded_window_anywhere_is_the_fill_or_the_image() {
        let mut scratch = Scratch::default();
        let image = Image::from_u8(Size::new(2, 2), 1, vec![1, 2, 3, 4]);
        let beyond = Beyond { border: Border::Constant, fill: [9.0; 3] };
        let made = |x, y| cut_padded(image.clone(), (x, y), Size::new(3, 2), &beyond, &mut Scratch::default());
        assert_eq!(made(-1, -1).as_u8(), Some(&[9, 9, 9, 9, 1, 2][..]));
        assert_eq!(made(1, 1).as_u8(), Some(&[4, 9, 9, 9, 9, 9][..]));
        for far in [(i64::MIN, 0), (0, i64::MAX), (i64::MAX, i64::MIN)] {
            assert_eq!(made(far.0, far.1).as_u8().map(|values| values.contains(&9)), Some(true));
        }
        let whole = Window { x: 0, y: 0, size: image.size() };
        assert_eq!(cut(image.clone(), whole, &mut scratch), image);
    }
}
