use feedline_proto::v1;

use super::resample::Resampling;
use crate::augment::op::{About, Built, Cut, Op, Refusal, Scratch, Targets};
use crate::image::{Depth, Excerpt, Form, Image, Size, Window};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// Changes the size of the image.
struct Resize {
    target: Target,
    resampling: Resampling,
}

enum Target {
    Exact(Size),
    ShortestEdge(u32),
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Changes the size of the image. The tolerances that the golden files hold, for 8 bits in levels, for floats as fractions of the
full scale:

| filter | antialias | equals | 8 bits | floats |
|---|---|---|---|---|
| bilinear, bicubic | yes | torchvision's `resize` | 1 | 2e-6 |
| bilinear, bicubic, lanczos3, box | yes | Pillow's `resize` | 0 | |
| bilinear, bicubic, lanczos3 | yes | `tf.image.resize` | | 3e-6 |
| bilinear | no | `tf.image.resize` | | 4e-7 |
| bilinear | no | torchvision's, OpenCV's `INTER_LINEAR` (albumentations) | 1 | 2e-6 |
| lanczos3 | no | `tf.image.resize` | | 3e-6 |
| bicubic | no | `tf.image.resize`, whose weights are from a table of 1024 | | 1.2e-3 |
| box | yes | OpenCV's `INTER_AREA`, TensorFlow's `area`, both at whole ratios | 1 | 4e-7 |
| nearest | | torchvision's `NEAREST`, OpenCV's `INTER_NEAREST` | 0 | 0 |
| nearest_exact | | torchvision's `NEAREST_EXACT`, Pillow's and TensorFlow's nearest | 0 | 0 |

The nearest pixel is found in whole numbers; where a point lies on the line between two pixels, floats of the libraries may
fall on the other side. Bicubic is Keys' with a = -0.5 and leaves out what is beyond the edge; without antialias torchvision
and OpenCV use -0.75 and repeat the edge, and are not equal. Box without antialias is nearest_exact.",
    targets: Targets::All,
    example: "resize = { height = 128, width = 160 }",
};

pub(in crate::augment) fn from_message(message: &v1::Resize, input: Form) -> Result<Built, Refusal> {
    let target = match (message.height, message.width, message.shortest_edge) {
        (0, 0, 0) => return Err(Refusal::new("height", "missing", "`height` and `width`, or `shortest_edge`")),
        (0, 0, edge) => Target::ShortestEdge(edge),
        (height, 0, 0) => return Err(Refusal::new("width", "missing", format!("a width beside height {height}"))),
        (0, width, 0) => return Err(Refusal::new("height", "missing", format!("a height beside width {width}"))),
        (height, width, 0) => Target::Exact(Size::new(width, height)),
        (_, _, edge) => {
            let expected = "nothing beside `height` and `width`: they or `shortest_edge` say the size";
            return Err(Refusal::new("shortest_edge", edge, expected));
        }
    };
    let float = match v1::Output::try_from(message.output) {
        Ok(v1::Output::Same | v1::Output::Unspecified) => false,
        Ok(v1::Output::Float) => true,
        Err(_) => return Err(Refusal::new("output", message.output, "same or float")),
    };
    let depth = match input.depth {
        Depth::U8 if float => Depth::F32 { full: Some(255.0) },
        depth => depth,
    };
    let form = match target {
        Target::Exact(size) => input.sized(size),
        Target::ShortestEdge(edge) => edge_form(edge, input)?,
    };
    let resampling = Resampling::new(message.filter, message.antialias, float)?;
    Built::always(Resize { target, resampling }, Form { depth, ..form })
}

/// The size of an image of `size` whose shorter side becomes `edge`.
fn to_edge(edge: u32, size: Size) -> Size {
    let other = |long: u32, short: u32| {
        let length = u64::from(edge) * u64::from(long) / u64::from(short.max(1));
        u32::try_from(length).unwrap_or(u32::MAX)
    };
    if size.width <= size.height {
        Size::new(edge, other(size.height, size.width))
    } else {
        Size::new(other(size.width, size.height), edge)
    }
}

/// The form of images whose shorter side becomes `edge`.
fn edge_form(edge: u32, input: Form) -> Result<Form, Refusal> {
    // The widest that can be is as wide as any and as low as any.
    let widest = to_edge(edge, Size::new(input.largest.width, input.smallest.height)).width.max(edge);
    let highest = to_edge(edge, Size::new(input.smallest.width, input.largest.height)).height.max(edge);
    if let Some(size) = input.fixed() {
        let size = to_edge(edge, size);
        return if size.area() <= MOST_PIXELS { Ok(input.sized(size)) } else { refuse(edge, size) };
    }
    // A side of one pixel beside a very long one would make a gigantic image.
    for bound in [Size::new(widest, edge), Size::new(edge, highest)] {
        if bound.area() > MOST_PIXELS {
            return refuse(edge, bound);
        }
    }
    Ok(Form { smallest: Size::new(edge, edge), largest: Size::new(widest, highest), ..input })
}

fn refuse(edge: u32, bound: Size) -> Result<Form, Refusal> {
    let expected = format!("an edge that makes no image of more than {MOST_PIXELS} pixels: these may become {bound}");
    Err(Refusal::new("shortest_edge", edge, expected))
}

impl Resize {
    fn size(&self, from: Size) -> Size {
        match self.target {
            Target::Exact(size) => size,
            Target::ShortestEdge(edge) => to_edge(edge, from),
        }
    }
}

impl Op for Resize {
    type Params = ();
    const NAME: &'static str = "resize";
    const RESIZES_LAST: bool = true;

    fn draw(&self, _: &mut Rng, _: &Sample<'_>) {}

    fn cut(&self, _: &mut Rng, size: Size) -> Option<Cut> {
        Some(Cut::resized(Window { x: 0, y: 0, size }, self.size(size)))
    }

    fn apply_to_cut<'a>(&self, image: Image<'a>, cut: Excerpt, _: &mut Rng, scratch: &mut Scratch) -> Image<'a> {
        self.resampling.apply_to_excerpt(image, cut, self.size(cut.window.size), scratch)
    }

    fn apply<'a>(&self, (): &(), image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let (from, to) = (image.size(), self.size(image.size()));
        self.resampling.apply(image, Window { x: 0, y: 0, size: from }, to, scratch)
    }

    fn geometry(&self, (): &(), size: Size) -> Option<Geometry> {
        Some(Geometry::stretch((0, 0), size, self.size(size)))
    }
}

/// Most pixels of a result whose longer side follows the image: as many as `height` and `width` can ask for.
const MOST_PIXELS: u64 = 16384 * 16384;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_side_is_cut_off_as_torchvision_does() {
        assert_eq!(to_edge(256, Size::new(500, 375)), Size::new(341, 256));
        assert_eq!(to_edge(256, Size::new(375, 500)), Size::new(256, 341));
        assert_eq!(to_edge(3, Size::new(7, 7)), Size::new(3, 3));
        assert_eq!(to_edge(16384, Size::new(1, u32::MAX)), Size::new(16384, u32::MAX));
    }

    #[test]
    fn announced_sizes_hold_every_size() {
        let form = Form { smallest: Size::new(3, 5), largest: Size::new(11, 8), channels: 3, depth: Depth::U8 };
        let announced = edge_form(6, form).expect("small");
        for width in 3..=11 {
            for height in 5..=8 {
                let size = to_edge(6, Size::new(width, height));
                assert!((announced.smallest.width..=announced.largest.width).contains(&size.width), "{size}");
                assert!((announced.smallest.height..=announced.largest.height).contains(&size.height), "{size}");
            }
        }
        let narrow = Form { smallest: Size::new(1, 1), largest: Size::new(60_000, 1), channels: 3, depth: Depth::U8 };
        assert!(edge_form(256, narrow).expect_err("15 million columns").expected.contains("pixels"));
        let one = narrow.sized(Size::new(1, 60_000));
        assert!(edge_form(256, one).is_err());
    }
}
