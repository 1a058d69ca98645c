use crate::image::{Image, Pixels, ValuesMut, Window};

/// Pastes the window of `from` over the same window of `onto`; both of one size and type.
pub fn paste(onto: &mut Image<'_>, from: &Image<'_>, window: Window) {
    paste_shifted(onto, from, window, (window.x, window.y));
}

/// Pastes what begins at `at` in `from` over the window of `onto`; both of one size and type.
pub fn paste_shifted(onto: &mut Image<'_>, from: &Image<'_>, window: Window, at: (u32, u32)) {
    let width = onto.size().width;
    on_pixels(onto, from, Shifted { width, window, at });
}

/// Pastes the pixels of `from` that `which` has over those of `onto`; both of one size and type.
pub fn paste_pixels(onto: &mut Image<'_>, from: &Image<'_>, which: &[bool]) {
    on_pixels(onto, from, Which(which));
}

/// Something done with the pixels of two images of one type, whatever the type is.
trait OnPixels {
    fn run<T: Copy>(self, onto: &mut [T], from: &[T]);
}

fn on_pixels(onto: &mut Image<'_>, from: &Image<'_>, what: impl OnPixels) {
    let channels = onto.channels();
    match (onto.values_mut(), from.pixels()) {
        (ValuesMut::U8(onto), Pixels::U8(from)) if channels == 3 => {
            what.run(onto.as_chunks_mut::<3>().0, from.as_chunks::<3>().0);
        }
        (ValuesMut::U8(onto), Pixels::U8(from)) => what.run(onto, from),
        (ValuesMut::F32(onto), Pixels::F32(from)) if channels == 3 => {
            what.run(onto.as_chunks_mut::<3>().0, from.as_chunks::<3>().0);
        }
        (ValuesMut::F32(onto), Pixels::F32(from)) => what.run(onto, from),
        _ => {}
    }
}

struct Shifted {
    width: u32,
    window: Window,
    at: (u32, u32),
}

impl OnPixels for Shifted {
    fn run<T: Copy>(self, onto: &mut [T], from: &[T]) {
        shifted(onto, from, self.width, self.window, self.at);
    }
}

struct Which<'a>(&'a [bool]);

impl OnPixels for Which<'_> {
    fn run<T: Copy>(self, onto: &mut [T], from: &[T]) {
        which(onto, from, self.0);
    }
}

/// [`paste_shifted`] of pixels in rows of `width`.
pub(super) fn shifted<T: Copy>(onto: &mut [T], from: &[T], width: u32, window: Window, (x, y): (u32, u32)) {
    let start = |x: u32, y: u32| y as usize * width as usize + x as usize;
    let length = window.size.width as usize;
    for row in 0..window.size.height {
        let (to, from_row) = (start(window.x, window.y + row), start(x, y + row));
        onto[to..to + length].copy_from_slice(&from[from_row..from_row + length]);
    }
}

/// [`paste_pixels`] of pixels.
pub(super) fn which<T: Copy>(onto: &mut [T], from: &[T], which: &[bool]) {
    for ((onto, from), which) in onto.iter_mut().zip(from).zip(which) {
        if *which {
            *onto = *from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Size;

    #[test]
    fn pastes_only_change_their_window() {
        let size = Size::new(3, 2);
        let image = |values: Vec<u8>| Image::from_u8(size, 3, values);
        let (mut pasted, from) = (image((0..18).map(|x| x * 14).collect()), image(vec![100; 18]));
        paste(&mut pasted, &from, Window { x: 1, y: 0, size: Size::new(2, 1) });
        let values = pasted.as_u8().expect("8 bits");
        assert_eq!((values[2], &values[3..9], values[9]), (28, &[100; 6][..], 126));
    }
}
