use feedline_proto::v1;

use super::crop::{Beyond, cut_padded};
use super::warp::{Filter, Grid, Warping};
use crate::augment::op::{Refusal, Scratch};
use crate::image::{Form, Image};
use crate::sample::Sample;

/// Affine maps by torch's arithmetic, as torchvision's policies use them.
pub(in crate::augment) struct TensorMove {
    warping: Warping,
    beyond: Beyond,
}

impl TensorMove {
    /// As the fields `filter`, `fill` and `fill_mask` say it. Without a fill it is black and mixed in once.
    pub(in crate::augment) fn new(filter: i32, fill: &[f64], fill_mask: u32, input: Form) -> Result<Self, Refusal> {
        let colour = if fill.is_empty() { &[0.0; 3] } else { fill };
        let border = v1::Border::Constant as i32;
        let warping = Warping::new((filter, Filter::Nearest), border, colour, fill_mask, input)?.for_torch()?;
        let warping = if fill.is_empty() { warping.without_fill() } else { warping };
        Ok(TensorMove { warping, beyond: Beyond::new(border, colour, input)? })
    }

    /// The image whose pixels come from where `inverse` says, in pixels from its middle.
    pub(in crate::augment) fn apply<'a>(
        &self,
        image: Image<'a>,
        inverse: &[f64; 6],
        scratch: &mut Scratch,
    ) -> Image<'a> {
        self.warping.apply_torch(image, &Grid::Affine(*inverse), scratch)
    }

    /// The image moved by whole pixels: the same, but row by row.
    pub(in crate::augment) fn shift<'a>(
        &self,
        image: Image<'a>,
        (right, down): (i64, i64),
        scratch: &mut Scratch,
    ) -> Image<'a> {
        let size = image.size();
        cut_padded(image, (-right, -down), size, &self.beyond, scratch)
    }

    /// Moves the masks of `sample`, by the nearest pixel.
    pub(in crate::augment) fn masks(&self, sample: &mut Sample<'_>, inverse: &[f64; 6]) {
        self.warping.mask_torch(sample, &Grid::Affine(*inverse));
    }
}
