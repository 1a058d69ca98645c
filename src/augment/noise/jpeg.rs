use feedline_proto::v1;
use libjpeg_turbo_rs::{Encoder, PixelFormat, Subsampling, decompress_into};

use super::{full_scale, through_bytes, whole_range};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image};
use crate::sample::Sample;
use crate::seed::Rng;

/// Compresses to JPEG and decompresses again.
struct Jpeg {
    quality: [u32; 2],
    swap_red_blue: bool,
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Compresses to JPEG and decompresses again: Pillow, torchvision's `JPEG`, `tf.image.random_jpeg_quality` (whose range leaves its
last number out) and, with `swap_red_blue`, `albumentations.ImageCompression`; all of them by libjpeg-turbo, which this equals to the
bit. An image of more than 65500 pixels a side, which JPEG can't hold, stays as it is.",
    targets: Targets::Image,
    example: "jpeg = { quality = [5, 20] }",
};

pub(in crate::augment) fn from_message(message: &v1::Jpeg, input: Form) -> Result<Built, Refusal> {
    let v1::Jpeg { quality, swap_red_blue, p } = message;
    let op =
        Jpeg { quality: whole_range("quality", quality)?, swap_red_blue: *swap_red_blue, full: full_scale(input)? };
    Built::maybe(op, *p, input, input)
}

impl Op for Jpeg {
    /// The quality.
    type Params = u32;
    const NAME: &'static str = "jpeg";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> u32 {
        let [low, high] = self.quality;
        low + rng.below(u64::from(high - low) + 1) as u32
    }

    fn apply<'a>(&self, quality: &u32, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        through_bytes(image, self.full, scratch, |image, scratch| match self.compressed(*quality, &image, scratch) {
            Some(made) => {
                scratch.recycle(image);
                made
            }
            None => image,
        })
    }
}

impl Jpeg {
    fn compressed(&self, quality: u32, image: &Image<'_>, scratch: &mut Scratch) -> Option<Image<'static>> {
        let (size, channels, values) = (image.size(), image.channels(), image.as_u8()?);
        if size.width > MOST_SIDE || size.height > MOST_SIDE {
            return None;
        }
        let format = match channels {
            1 => PixelFormat::Grayscale,
            _ if self.swap_red_blue => PixelFormat::Bgr,
            _ => PixelFormat::Rgb,
        };
        let (width, height, quality) = (size.width as usize, size.height as usize, quality.clamp(1, 100) as u8);
        let encoder = Encoder::new(values, width, height, format).quality(quality).subsampling(Subsampling::S420);
        // Tables of 8 bits, as the libraries ask for.
        let file = encoder.force_baseline(true).encode().ok()?;
        let mut made = scratch.bytes(values.len());
        let info = decompress_into(&file, format, &mut made).ok()?;
        (info.width == width && info.height == height).then(|| Image::from_u8(size, channels, made))
    }
}

/// Longest side of a JPEG file: libjpeg's limit.
const MOST_SIDE: u32 = 65_500;
