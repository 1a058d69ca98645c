use feedline_proto::v1;

use super::crop::Beyond;
use crate::augment::op::{Refusal, Scratch};
use crate::image::{Form, Image, Pixels, Size};
use crate::sample::{Field, Mask, Sample};
use crate::simd::Kernel as _;
#[cfg(target_arch = "x86_64")]
use crate::simd::Level;

/// Where the pixels of a row come from, in fixed point.
mod place;

/// Where a lens looks.
mod bend;

/// Pixels with what is beyond their edges.
mod source;

/// Pixels mixed of their neighbours.
mod mix;

/// Weights of bicubic interpolation.
mod cubic;

/// Pixels of RGB mixed by AVX2.
#[cfg(target_arch = "x86_64")]
mod rgb;

/// Warps by torch's arithmetic.
mod torch;

pub(super) use bend::Bend;
pub(super) use torch::Grid;

use mix::Fill;
use place::Places;
use source::{Source, Value};

/// How a warp computes pixels and what it takes for those beyond the edge: OpenCV's arithmetic, which finds places to 1/32 of a
/// pixel and weighs 8 bits in whole numbers.
pub(super) struct Warping {
    filter: Filter,
    beyond: Beyond,
    mask: Beyond,
    /// Torch only: what is beyond the edge is black and mixed in once.
    once: bool,
}

/// How pixels between pixels are computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Filter {
    /// The nearest pixel.
    Nearest,
    /// Linear in both directions.
    Bilinear,
    /// Cubic (Keys, a = -0.75) in both directions, what is beyond the edge included.
    Bicubic,
}

/// Where the centres of pixels of the image that goes out come from, in pixels of the one that came in, where (0, 0) is the
/// centre of the left upper pixel.
pub(super) enum Backward<'f> {
    /// As [`Map::Affine`](crate::sample::Map::Affine).
    Affine([f64; 6]),
    /// As [`Map::Projective`](crate::sample::Map::Projective).
    Projective([f64; 9]),
    /// Pixel by pixel.
    Field(&'f Field),
    /// As a lens says.
    Bend(Bend),
    /// The columns and rows of all rows and columns.
    Lines(&'f [f32], &'f [f32]),
}

impl Warping {
    /// As the fields `filter`, `border`, `fill` and `fill_mask` say it; `default` if there is no filter.
    pub(super) fn new(
        (filter, default): (i32, Filter),
        border: i32,
        fill: &[f64],
        fill_mask: u32,
        input: Form,
    ) -> Result<Self, Refusal> {
        let filter = match v1::Filter::try_from(filter) {
            Ok(v1::Filter::Unspecified) => default,
            Ok(v1::Filter::Nearest) => Filter::Nearest,
            Ok(v1::Filter::Bilinear) => Filter::Bilinear,
            Ok(v1::Filter::Bicubic) => Filter::Bicubic,
            Ok(other) => {
                let found = other.as_str_name().trim_start_matches("FILTER_").to_lowercase();
                return Err(Refusal::new("filter", found, "nearest, bilinear or bicubic"));
            }
            Err(_) => return Err(Refusal::new("filter", filter, "nearest, bilinear or bicubic")),
        };
        let beyond = Beyond::new(border, fill, input)?;
        let mask = beyond.for_mask(fill_mask)?;
        Ok(Warping { filter, beyond, mask, once: false })
    }

    /// The same for torch's arithmetic, which knows no borders but a colour and no bicubic filter.
    pub(super) fn for_torch(self) -> Result<Self, Refusal> {
        if self.filter == Filter::Bicubic {
            return Err(Refusal::new("filter", "bicubic", "nearest or bilinear beside method torchvision"));
        }
        if self.beyond.border != super::crop::Border::Constant {
            let found = format!("{:?}", self.beyond.border).to_lowercase();
            return Err(Refusal::new("border", found, "constant beside method torchvision"));
        }
        Ok(self)
    }

    /// The same for torch's arithmetic without a fill: then nothing is mixed in for what is missing at the edge.
    pub(super) fn without_fill(self) -> Self {
        Warping { once: true, ..self }
    }

    /// Makes an image of `size` whose pixels come from where `backward` says.
    pub(super) fn apply<'a>(
        &self,
        image: Image<'a>,
        backward: &Backward<'_>,
        size: Size,
        scratch: &mut Scratch,
    ) -> Image<'a> {
        warped(image, backward, size, (self.filter, &self.beyond), scratch)
    }

    /// The same by torch's arithmetic.
    pub(super) fn apply_torch<'a>(&self, image: Image<'a>, grid: &Grid<'_>, scratch: &mut Scratch) -> Image<'a> {
        torch::warped(image, grid, (self.filter, &self.beyond, self.once), scratch)
    }

    /// Warps the masks of `sample`, always by the nearest pixel.
    pub(super) fn mask(&self, sample: &mut Sample<'_>, backward: &Backward<'_>, size: Size) {
        with_mask(sample, |image, scratch| warped(image, backward, size, (Filter::Nearest, &self.mask), scratch));
    }

    /// The same by torch's arithmetic.
    pub(super) fn mask_torch(&self, sample: &mut Sample<'_>, grid: &Grid<'_>) {
        with_mask(sample, |image, scratch| torch::warped(image, grid, (Filter::Nearest, &self.mask, false), scratch));
    }
}

/// Changes the masks as if they were images of one channel.
fn with_mask(sample: &mut Sample<'_>, change: impl for<'a> Fn(Image<'a>, &mut Scratch) -> Image<'a>) {
    for mask in &mut sample.masks {
        let image = Image::from_u8(mask.size, 1, std::mem::take(&mut mask.classes));
        let made = change(image, &mut Scratch::default());
        let size = made.size();
        if let Pixels::U8(classes) = made.into_pixels() {
            *mask = Mask { size, classes: classes.into_owned() };
        }
    }
}

fn warped<'a>(
    image: Image<'a>,
    backward: &Backward<'_>,
    size: Size,
    (filter, beyond): (Filter, &Beyond),
    scratch: &mut Scratch,
) -> Image<'a> {
    let (from, channels) = (image.size(), image.channels());
    let mut places = Places::new(backward, filter, size.width);
    let length = size.area() as usize * channels;
    let made = match image.pixels() {
        Pixels::U8(values) => {
            let mut out = scratch.bytes(length);
            match channels {
                3 => {
                    let source = Source::new(values.as_chunks::<3>().0, from, beyond);
                    fill_rgb(source, &mut places, out.as_chunks_mut::<3>().0);
                }
                _ => fill(values, from, &mut places, &mut out, beyond),
            }
            Image::from_u8(size, channels, out)
        }
        Pixels::F32(values) => {
            let mut out = scratch.floats(length);
            match channels {
                3 => {
                    let source = Source::new(values.as_chunks::<3>().0, from, beyond);
                    Fill { source, places: &mut places, out: out.as_chunks_mut::<3>().0 }.dispatch();
                }
                _ => fill(values, from, &mut places, &mut out, beyond),
            }
            Image::from_f32(size, channels, out)
        }
    };
    scratch.recycle(image);
    made
}

/// One channel.
fn fill<T: Value>(values: &[T], from: Size, places: &mut Places<'_>, out: &mut [T], beyond: &Beyond) {
    let source = Source::new(values.as_chunks::<1>().0, from, beyond);
    Fill { source, places, out: out.as_chunks_mut::<1>().0 }.dispatch();
}

/// Three channels of 8 bits.
fn fill_rgb(source: Source<'_, u8, 3>, places: &mut Places<'_>, out: &mut [[u8; 3]]) {
    #[cfg(target_arch = "x86_64")]
    if places.filter != Filter::Nearest && Level::current() >= Level::Avx2 && source.pixels.len() < rgb::MOST_PIXELS {
        // SAFETY: no level is current that the processor does not have, and this one has AVX2.
        #[allow(unsafe_code)]
        unsafe {
            match places.filter {
                Filter::Bicubic => rgb::bicubic(&source, places, out),
                _ => rgb::bilinear(&source, places, out),
            }
        }
        return;
    }
    Fill { source, places, out }.dispatch();
}

#[cfg(test)]
mod tests;
