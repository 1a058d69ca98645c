use std::convert::Infallible;

use embedded_graphics::Pixel;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Size as Extent};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};

use super::Rgb8View;
use crate::augment::{Scratch, scaled_to_look_at};
use crate::image::{Image, Size};

/// A sheet being drawn: RGB values, at first all background.
pub(super) struct Canvas {
    size: Size,
    /// HWC, `size.area() * 3` values.
    rgb: Vec<u8>,
    scratch: Scratch,
}

/// Light, so that dark and white images both stand out.
const BACKGROUND: u8 = 0xf4;

/// The line around each image.
const FRAME: [u8; 3] = [0xc4; 3];

impl Canvas {
    pub(super) fn new(size: Size) -> Self {
        Canvas { size, rgb: vec![BACKGROUND; size.area() as usize * 3], scratch: Scratch::default() }
    }

    pub(super) fn into_parts(self) -> (Size, Vec<u8>) {
        (self.size, self.rgb)
    }

    /// Draws an image scaled to `size` with its left upper corner at `x`, `y`, and a thin line around it. What lies outside of
    /// the canvas is left out.
    pub(super) fn image(&mut self, image: Rgb8View<'_>, x: u32, y: u32, size: Size) {
        let image = Image::from_u8(image.size(), 3, image.pixels());
        let scaled = scaled_to_look_at(image, size, &mut self.scratch);
        let pixels = scaled.as_u8().expect("an image of 8 bits stays one");
        let (x, y) = (i64::from(x), i64::from(y));
        let (right, bottom) = (x + i64::from(size.width), y + i64::from(size.height));
        for row in y - 1..=bottom {
            [x - 1, right].into_iter().for_each(|column| self.set(column, row, FRAME));
        }
        for column in x..right {
            [y - 1, bottom].into_iter().for_each(|row| self.set(column, row, FRAME));
        }
        for (row, line) in (y..).zip(pixels.chunks_exact(size.width as usize * 3)) {
            for (column, pixel) in (x..).zip(line.as_chunks::<3>().0) {
                self.set(column, row, *pixel);
            }
        }
        self.scratch.recycle(scaled);
    }

    fn set(&mut self, x: i64, y: i64, colour: [u8; 3]) {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return };
        if x < self.size.width && y < self.size.height {
            let at = (y as usize * self.size.width as usize + x as usize) * 3;
            self.rgb[at..at + 3].copy_from_slice(&colour);
        }
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Extent {
        Extent::new(self.size.width, self.size.height)
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(point, colour) in pixels {
            self.set(i64::from(point.x), i64::from(point.y), [colour.r(), colour.g(), colour.b()]);
        }
        Ok(())
    }
}
