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
bit. Images of more than 65500 pixels a side, which JPEG can't hold, are refused: resize or crop them before.",
    targets: Targets::Image,
    example: "jpeg = { quality = [5, 20] }",
};

pub(in crate::augment) fn from_message(message: &v1::Jpeg, input: Form) -> Result<Built, Refusal> {
    let v1::Jpeg { quality, swap_red_blue, p } = message;
    let longest = input.largest.width.max(input.largest.height);
    if longest > MOST_SIDE {
        let expected = format!("at most {MOST_SIDE} a side, all that JPEG holds: resize or crop before it");
        return Err(Refusal::new("", format!("applied to images of up to {longest} pixels a side"), expected));
    }
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
        through_bytes(image, self.full, scratch, |image, scratch| {
            let made = self.compressed(*quality, &image, scratch);
            scratch.recycle(image);
            made
        })
    }
}

impl Jpeg {
    /// Never the image as it was: a file that can't be made or read again is a bug, and ends the row as one.
    fn compressed(&self, quality: u32, image: &Image<'_>, scratch: &mut Scratch) -> Image<'static> {
        let (size, channels) = (image.size(), image.channels());
        let values = image.as_u8().expect("`through_bytes` hands on 8 bits");
        let format = match channels {
            1 => PixelFormat::Grayscale,
            _ if self.swap_red_blue => PixelFormat::Bgr,
            _ => PixelFormat::Rgb,
        };
        let (width, height, quality) = (size.width as usize, size.height as usize, quality.clamp(1, 100) as u8);
        let encoder = Encoder::new(values, width, height, format).quality(quality).subsampling(Subsampling::S420);
        // Tables of 8 bits, as the libraries ask for.
        let encoded = encoder.force_baseline(true).encode();
        let file = encoded.expect("`from_message` refuses sides that JPEG can't hold, and all else is constant");
        let mut made = scratch.bytes(values.len());
        decompress_into(&file, format, &mut made).expect("a file that was just made, and memory for its pixels");
        Image::from_u8(size, channels, made)
    }
}

/// Longest side of a JPEG file: libjpeg's limit.
const MOST_SIDE: u32 = 65_500;

#[cfg(test)]
mod tests {
    use feedline_proto::rule;

    use super::*;
    use crate::augment::Pipeline;
    use crate::image::{Depth, Size};
    use crate::seed::{Key, Purpose};

    /// A pipeline for images of 1x1 to `width` x `height`.
    fn built(ops: &str, width: u32, height: u32) -> Result<Pipeline, Refusal> {
        let message: v1::Pipeline = serde_json::from_str(&format!(r#"{{"ops": [{ops}]}}"#)).expect("ops");
        let (smallest, largest) = (Size::new(1, 1), Size::new(width, height));
        Pipeline::build(&rule::with_defaults(&message), Form { smallest, largest, channels: 3, depth: Depth::U8 })
    }

    const JPEG: &str = r#"{"jpeg": {"quality": [50, 50]}}"#;

    #[test]
    fn images_that_may_be_longer_than_jpeg_allows_are_refused() {
        let within = format!(r#"{{"one_of": {{"ops": [{JPEG}]}}}}"#);
        for (ops, place) in [(JPEG, "pipeline.ops[0].jpeg"), (&*within, "pipeline.ops[0].one_of.ops[0].jpeg")] {
            for (width, height) in [(65_501, 4), (4, 65_501)] {
                let refusal = built(ops, width, height).err().expect("too long").to_string();
                let expected =
                    format!("{place} is applied to images of up to 65501 pixels a side, expected at most 65500");
                assert!(refusal.contains(&expected), "{refusal}");
            }
        }
        let resized = format!(r#"{{"resize": {{"height": 32, "width": 32}}}}, {JPEG}"#);
        assert!(built(&resized, 80_000, 80_000).is_ok(), "what reaches the op is small");
    }

    #[test]
    fn the_longest_sides_are_compressed() {
        let pipeline = built(JPEG, 65_500, 65_500).expect("just short enough");
        let key = Key { seed: 1, epoch: 0, position: 0, view: 0, op: 0, purpose: Purpose::Op };
        for size in [Size::new(65_500, 2), Size::new(1, 65_500)] {
            let values: Vec<u8> = (0..size.area() * 3).map(|x| (x % 251) as u8).collect();
            let sample = Sample::new(Image::from_u8(size, 3, values.clone()), 0);
            let made = pipeline.run(sample, key, &mut Scratch::default()).image;
            assert!(made.size() == size && made.as_u8().is_some_and(|made| made != values), "{size} stayed as it was");
        }
    }
}
