use fast_image_resize::images::{TypedCroppedImage, TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3};
use fast_image_resize::{Filter, FilterType, PixelTrait, ResizeAlg, ResizeOptions};

use super::kernel::Kernel;
use super::source::Source;
use crate::augment::op::Scratch;
use crate::image::{Image, Size, Window};

/// An image of 8 bits, resized in fixed point with the kernel widened when shrinking: the same bytes on every SIMD level.
///
/// Between the two directions values are rounded to 8 bits, and what overshoots is cut off there. Kernels that are negative
/// somewhere therefore mix the columns first, as Pillow does, or edges would differ from its by dozens. The others mix the rows
/// first, which is faster and differs by at most 1.
pub(super) fn resample(kernel: Kernel, source: &Source<'_, u8>, to: Size, scratch: &mut Scratch) -> Vec<u8> {
    match source.channels() {
        3 => typed::<U8x3>(kernel, source, to, scratch),
        _ => typed::<U8>(kernel, source, to, scratch),
    }
}

fn typed<P: PixelTrait>(kernel: Kernel, source: &Source<'_, u8>, to: Size, scratch: &mut Scratch) -> Vec<u8> {
    let from = source.size();
    let overshoots = matches!(kernel, Kernel::Bicubic | Kernel::Lanczos3);
    if !overshoots || from.width == to.width || from.height == to.height {
        return pass::<P>(kernel, source, to, scratch);
    }
    let between = Size::new(to.width, from.height);
    let values = pass::<P>(kernel, source, between, scratch);
    let whole = Window { x: 0, y: 0, size: between };
    let made = pass::<P>(kernel, &Source::new(&values, between, source.channels(), whole), to, scratch);
    scratch.recycle(Image::from_u8(between, source.channels(), values));
    made
}

fn pass<P: PixelTrait>(kernel: Kernel, source: &Source<'_, u8>, to: Size, scratch: &mut Scratch) -> Vec<u8> {
    let filter = match kernel {
        Kernel::Bilinear => FilterType::Bilinear,
        Kernel::Bicubic => FilterType::CatmullRom,
        Kernel::Box => FilterType::Box,
        // Our own, since the resizer's takes the sine of the platform.
        Kernel::Lanczos3 => FilterType::Custom(
            Filter::new("lanczos3", lanczos3, Kernel::Lanczos3.support()).expect("a finite support above 0"),
        ),
    };
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).use_alpha(false);
    let mut out = scratch.bytes(to.area() as usize * source.channels());
    let (values, image, window) = source.parts();
    let whole = TypedImageRef::<P>::from_buffer(image.width, image.height, values).expect("values of the image's size");
    // A view of its own, since the resizer's own cropping lets the filter see what lies around the window.
    let Size { width, height } = window.size;
    let view = TypedCroppedImage::from_ref(&whole, window.x, window.y, width, height).expect("a window inside");
    let mut target =
        TypedImage::<P>::from_buffer(to.width, to.height, &mut out).expect("a buffer of the target's size");
    scratch.resizer.resize_typed(&view, &mut target, &options).expect("no cropping is asked for that could fail");
    out
}

fn lanczos3(x: f64) -> f64 {
    Kernel::Lanczos3.weight(x)
}
