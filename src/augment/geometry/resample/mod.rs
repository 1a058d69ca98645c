use feedline_proto::v1;

use crate::augment::op::{Refusal, Scratch};
use crate::image::{Excerpt, Image, Pixels, Size, Window};
use crate::simd::Level;

/// Filters as functions of the distance.
mod kernel;

/// What is resized.
mod span;

/// Which source pixels make an output pixel, with their weights.
mod axis;

/// Where the pixels come from.
mod source;

/// Pixels picked, not mixed.
mod nearest;

/// Four floats at once.
mod four;

/// Columns of RGB mixed in floating point.
mod columns;

/// Pixels mixed in floating point.
mod float;

/// Resizing that is left for later.
mod waiting;

/// Which source pixels make an output pixel, with their weights in whole numbers.
mod fixed;

/// Pixels mixed in whole numbers.
mod integer;

/// Columns of RGB mixed in whole numbers by AVX2.
#[cfg(target_arch = "x86_64")]
mod rgb;

pub(in crate::augment) use integer::Tables;
pub(in crate::augment) use waiting::Resizing;

use float::Grid;
use kernel::Kernel;
use source::{Source, Value};
use span::Area;

/// How an image is resized.
pub(super) struct Resampling {
    method: Method,
    /// Widen the kernel when shrinking.
    antialias: bool,
    /// Make floats of 8 bits.
    float: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Method {
    /// The pixel at floor(x * scale).
    Nearest,
    /// The pixel whose centre is nearest.
    NearestExact,
    /// Pixels weighted by their distance.
    Kernel(Kernel),
}

impl Resampling {
    /// As the fields `filter` and `antialias` say it.
    pub(super) fn new(filter: i32, antialias: Option<bool>, float: bool) -> Result<Self, Refusal> {
        let antialias = antialias.unwrap_or(true);
        let method = match v1::Filter::try_from(filter) {
            Ok(v1::Filter::Nearest) => Method::Nearest,
            Ok(v1::Filter::NearestExact) => Method::NearestExact,
            Ok(v1::Filter::Bilinear | v1::Filter::Unspecified) => Method::Kernel(Kernel::Bilinear),
            Ok(v1::Filter::Bicubic) => Method::Kernel(Kernel::Bicubic),
            // A box as wide as one pixel holds the centre of one.
            Ok(v1::Filter::Box) if !antialias => Method::NearestExact,
            Ok(v1::Filter::Box) => Method::Kernel(Kernel::Box),
            Ok(v1::Filter::Lanczos3) => Method::Kernel(Kernel::Lanczos3),
            Err(_) => {
                let expected = "nearest, nearest_exact, bilinear, bicubic, box or lanczos3";
                return Err(Refusal::new("filter", filter, expected));
            }
        };
        Ok(Resampling { method, antialias, float })
    }

    /// Makes an image of size `to` of the `window` of `image`, which lies inside. Nothing outside of the window has a part in
    /// it.
    pub(super) fn apply<'a>(&self, image: Image<'a>, window: Window, to: Size, scratch: &mut Scratch) -> Image<'a> {
        self.apply_to(image, window, Area::all(window.size), to, scratch)
    }

    /// As [`Resampling::apply`], of an image of which [`Excerpt::pixels`] are all that is there. Where it was reduced, the filter sees
    /// those pixels, and the edges of the window may lie within some of them: as Pillow's `resize` with a `box`.
    pub(super) fn apply_to_excerpt<'a>(
        &self,
        image: Image<'a>,
        excerpt: Excerpt,
        to: Size,
        scratch: &mut Scratch,
    ) -> Image<'a> {
        let all = Window { x: 0, y: 0, size: image.size() };
        self.apply_to(image, all, Area::of(excerpt), to, scratch)
    }

    /// Makes an image of size `to` of the `area` of the pixels of the `window` of `image`.
    fn apply_to<'a>(&self, image: Image<'a>, window: Window, area: Area, to: Size, scratch: &mut Scratch) -> Image<'a> {
        let is_all = area.is_all(to);
        let to_float = self.float && image.as_u8().is_some();
        if is_all && !to_float {
            return super::crop::cut(image, window, scratch);
        }
        // Of equal sizes only the type differs, and every filter leaves the values alone.
        let method = if is_all { Method::Nearest } else { self.method };
        if let Method::Kernel(kernel) = method
            && (self.float || image.as_f32().is_some())
        {
            let resizing = Resizing::new(Grid::new(kernel, self.antialias, &area, to), window, area, to);
            if scratch.resizing_may_wait {
                scratch.resizing = Some(resizing);
                return image;
            }
            let made = resizing.image(&image, scratch);
            scratch.recycle(image);
            return made;
        }
        let (channels, by_centre) = (image.channels(), method == Method::NearestExact);
        let values = to.area() as usize * channels;
        let made = match image.pixels() {
            Pixels::U8(pixels) => {
                let source = Source::new(pixels, image.size(), channels, window).of(area);
                match method {
                    Method::Kernel(kernel) if self.antialias => {
                        Image::from_u8(to, channels, integer::resample(Level::current(), kernel, &source, to, scratch))
                    }
                    Method::Kernel(kernel) => {
                        let mut out = scratch.bytes(values);
                        Grid::new(kernel, self.antialias, source.area(), to).fill(&source, &mut out, scratch);
                        Image::from_u8(to, channels, out)
                    }
                    Method::Nearest | Method::NearestExact if self.float => {
                        let mut out = scratch.floats(values);
                        nearest::pick(&source, by_centre, to, &mut out, Value::float);
                        Image::from_f32(to, channels, out)
                    }
                    Method::Nearest | Method::NearestExact => {
                        let mut out = scratch.bytes(values);
                        nearest::pick(&source, by_centre, to, &mut out, |x| x);
                        Image::from_u8(to, channels, out)
                    }
                }
            }
            Pixels::F32(pixels) => {
                let source = Source::new(pixels, image.size(), channels, window).of(area);
                let mut out = scratch.floats(values);
                nearest::pick(&source, by_centre, to, &mut out, |x| x);
                Image::from_f32(to, channels, out)
            }
        };
        scratch.recycle(image);
        made
    }
}

/// The image at another size, for the eye: as sharp as it can be where it shrinks, and without the rings that sharp filters draw
/// around the few pixels of an image that grows.
pub fn scaled_to_look_at<'a>(image: Image<'a>, to: Size, scratch: &mut Scratch) -> Image<'a> {
    let size = image.size();
    let kernel = if to.width > size.width { Kernel::Bilinear } else { Kernel::Lanczos3 };
    let resampling = Resampling { method: Method::Kernel(kernel), antialias: true, float: false };
    resampling.apply(image, Window { x: 0, y: 0, size }, to, scratch)
}

#[cfg(test)]
mod tests;
