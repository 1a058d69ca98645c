use std::borrow::Cow;
use std::fmt;

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Size {
    /// Pixels of a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Size {
    /// A size of `width` x `height`.
    pub const fn new(width: u32, height: u32) -> Self {
        Size { width, height }
    }

    /// Number of pixels.
    pub fn area(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Height as width and width as height.
    pub fn transposed(self) -> Self {
        Size::new(self.height, self.width)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// A window of an image: its left upper corner and its size, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Window {
    /// First column.
    pub x: u32,
    /// First row.
    pub y: u32,
    /// Its size.
    pub size: Size,
}

/// What is wanted of an image: a window of it, at its own size or at a fraction of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// In pixels of the image as it is.
    pub window: Window,
    /// 1, 2, 4 or 8: the image is decoded at this fraction of its width and height.
    pub reduction: u32,
}

impl Excerpt {
    /// A window at its own size.
    pub fn of(window: Window) -> Self {
        Excerpt { window, reduction: 1 }
    }

    /// The size of the whole image of `size`, reduced.
    pub fn reduced(&self, size: Size) -> Size {
        Size::new(size.width.div_ceil(self.reduction), size.height.div_ceil(self.reduction))
    }

    /// The pixels of the reduced image that the window touches.
    pub fn pixels(&self) -> Window {
        let Window { x, y, size } = self.window;
        let (left, top) = (x / self.reduction, y / self.reduction);
        let end = self.reduced(Size::new(x + size.width, y + size.height));
        Window { x: left, y: top, size: Size::new(end.width - left, end.height - top) }
    }
}

/// The values of an image, channels last (HWC), rows top down.
#[derive(Clone, Debug, PartialEq)]
pub enum Pixels<'a> {
    /// 0 to 255; borrowed while no op has changed it.
    U8(Cow<'a, [u8]>),
    /// Floats, at whatever scale the ops have led to.
    F32(Vec<f32>),
}

/// An image of 1 or 3 channels.
#[derive(Clone, Debug, PartialEq)]
pub struct Image<'a> {
    size: Size,
    channels: usize,
    /// As many values as `size.area() * channels`.
    pixels: Pixels<'a>,
}

impl<'a> Image<'a> {
    /// An image of 8 bits.
    ///
    /// # Panics
    /// If the number of values is not `size.area() * channels`: a bug of the caller.
    pub fn from_u8(size: Size, channels: usize, pixels: impl Into<Cow<'a, [u8]>>) -> Self {
        let pixels = pixels.into();
        assert_eq!(
            pixels.len() as u64,
            size.area() * channels as u64,
            "values of a {size} image of {channels} channels"
        );
        Image { size, channels, pixels: Pixels::U8(pixels) }
    }

    /// An image of floats.
    ///
    /// # Panics
    /// If the number of values is not `size.area() * channels`: a bug of the caller.
    pub fn from_f32(size: Size, channels: usize, pixels: Vec<f32>) -> Self {
        assert_eq!(
            pixels.len() as u64,
            size.area() * channels as u64,
            "values of a {size} image of {channels} channels"
        );
        Image { size, channels, pixels: Pixels::F32(pixels) }
    }

    /// The same image, its 8-bit values borrowed, floats copied.
    pub fn borrowed(&self) -> Image<'_> {
        let pixels = match &self.pixels {
            Pixels::U8(values) => Pixels::U8(Cow::Borrowed(values)),
            Pixels::F32(values) => Pixels::F32(values.clone()),
        };
        Image { pixels, ..*self }
    }

    /// Width and height.
    pub fn size(&self) -> Size {
        self.size
    }

    /// 1 or 3.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The values.
    pub fn pixels(&self) -> &Pixels<'a> {
        &self.pixels
    }

    /// The values, to be taken apart.
    pub fn into_pixels(self) -> Pixels<'a> {
        self.pixels
    }

    /// The values of an 8-bit image.
    pub fn as_u8(&self) -> Option<&[u8]> {
        match &self.pixels {
            Pixels::U8(pixels) => Some(pixels),
            Pixels::F32(_) => None,
        }
    }

    /// The values of an image of floats.
    pub fn as_f32(&self) -> Option<&[f32]> {
        match &self.pixels {
            Pixels::U8(_) => None,
            Pixels::F32(pixels) => Some(pixels),
        }
    }

    /// The values, to be changed in place. A borrowed image is copied first.
    pub fn values_mut(&mut self) -> ValuesMut<'_> {
        match &mut self.pixels {
            Pixels::U8(pixels) => ValuesMut::U8(pixels.to_mut()),
            Pixels::F32(pixels) => ValuesMut::F32(pixels),
        }
    }
}

/// The values of an image, to be changed in place.
#[derive(Debug)]
pub enum ValuesMut<'a> {
    /// 0 to 255.
    U8(&'a mut [u8]),
    /// Floats.
    F32(&'a mut [f32]),
}

/// Type and scale of an image's values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Depth {
    /// 8 bits, 0 to 255.
    U8,
    /// 32-bit floats. `full` is the value of full brightness: 255 after a resize that kept the scale, 1 after `to_float`,
    /// none after `normalize`, when brightness has no meaning any more.
    F32 {
        /// The value of full brightness.
        full: Option<f32>,
    },
}

/// What is known of an image before there is one: every op says what it makes of it, so that batches are sized and requests
/// refused before a pixel is touched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Form {
    /// No image is narrower or lower than this.
    pub smallest: Size,
    /// No image is wider or higher than this.
    pub largest: Size,
    /// 1 or 3.
    pub channels: usize,
    /// Type and scale.
    pub depth: Depth,
}

impl Form {
    /// The size, if all images have the same.
    pub fn fixed(&self) -> Option<Size> {
        (self.smallest == self.largest).then_some(self.smallest)
    }

    /// The same with one size for all.
    #[must_use]
    pub fn sized(self, size: Size) -> Self {
        Form { smallest: size, largest: size, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_has_every_reduced_pixel_that_its_window_touches() {
        for reduction in [1, 2, 4, 8] {
            for x in 0..17 {
                for width in 1..20 {
                    let window = Window { x, y: 3, size: Size::new(width, 5) };
                    let Window { x: left, size, .. } = Excerpt { window, reduction }.pixels();
                    let touched: Vec<u32> =
                        (0..40).filter(|pixel| pixel * reduction < x + width && (pixel + 1) * reduction > x).collect();
                    assert_eq!((left..left + size.width).collect::<Vec<_>>(), touched, "{x}, {width} by {reduction}");
                }
            }
        }
    }
}
