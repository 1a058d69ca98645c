use super::warp::{Backward, Warping};
use crate::image::Size;
use crate::sample::{Field, Geometry, Hull, Map, Sample};

/// Moves what is marked on a sample by a field whose image is warped by `warping`.
pub(super) fn annotate(field: Field, warping: &Warping, sample: &mut Sample<'_>) {
    let size = sample.image.size();
    warping.mask(sample, &Backward::Field(&field), size);
    geometry(field, size).move_marks(sample);
}

/// The geometry of a field of an image that keeps its size.
pub(super) fn geometry(field: Field, size: Size) -> Geometry {
    Geometry { map: Map::Field(field), size, hull: Hull::Corners }
}

/// Whether there is anything to move: fields are not made for nothing.
pub(super) fn is_marked(sample: &Sample<'_>) -> bool {
    !sample.boxes.is_empty() || !sample.keypoints.is_empty() || !sample.masks.is_empty()
}
