use std::sync::Arc;

use feedline_proto::v1;

use super::error::RequestError;
use super::views::ViewGroup;
use crate::batch::{Marks, Mixing};
use crate::decode;
use crate::image::{Image, Size};
use crate::sample::{BoxFormat, BoxRules, KeypointRules, Mask, Rules, Sample};
use crate::store::{Dataset, Split};
use crate::tensor::{Dtype, Tensor};

/// The annotations that travel with a batch, and what becomes of those that leave the image.
#[derive(Debug, Default)]
pub struct Targets {
    /// Bounding boxes.
    pub boxes: bool,
    /// Masks of every sample; 0 if they do not travel.
    pub masks: usize,
    /// Keypoints.
    pub keypoints: bool,
    /// What becomes of them.
    pub rules: Arc<Rules>,
    /// Most boxes of a row.
    most_boxes: u64,
    /// Most keypoints of a row.
    most_keypoints: u64,
}

/// How many boxes and keypoints all rows of a group of views have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) boxes: u64,
    pub(super) keypoints: u64,
}

impl Targets {
    /// What `spec` (checked, defaults filled in) asks for of a split.
    ///
    /// # Errors
    /// [`RequestError`], naming the field, if the split has it not or it does not go together.
    pub(super) fn new(
        spec: &v1::LoaderSpec,
        dataset: &Dataset,
        split: &Split,
        mixing: Option<&Mixing>,
    ) -> Result<Targets, RequestError> {
        let wanted: Vec<v1::Target> = spec.targets().collect();
        let wants = |target| wanted.contains(&target);
        let (boxes, keypoints) = (wants(v1::Target::Boxes), wants(v1::Target::Keypoints));
        let has = |target: v1::Target| match target {
            v1::Target::Unspecified => false,
            v1::Target::Boxes => split.has_boxes(),
            v1::Target::Mask => split.masks_per_sample() > 0,
            v1::Target::Keypoints => split.has_keypoints(),
        };
        if let Some(at) = wanted.iter().position(|target| !has(*target)) {
            let known = [v1::Target::Boxes, v1::Target::Mask, v1::Target::Keypoints];
            let known: Vec<_> = known.into_iter().filter(|target| has(*target)).map(name).collect();
            let known = if known.is_empty() { "nothing but images and labels".to_owned() } else { known.join(", ") };
            return Err(RequestError::invalid(format!(
                "spec.targets[{at}] is {}, split {} of dataset {} has {known}",
                name(wanted[at]),
                split.name(),
                dataset.name
            )));
        }
        let box_rules = spec.box_rules.unwrap_or_default();
        let rules = Rules {
            boxes: BoxRules {
                min_area: box_rules.min_area,
                min_visibility: box_rules.min_visibility,
                min_width: box_rules.min_width,
                min_height: box_rules.min_height,
                clip: box_rules.clip,
            },
            keypoints: keypoint_rules(&spec.keypoint_rules.clone().unwrap_or_default(), &dataset.keypoint_names)?,
        };
        if let Some((first, count)) = split.boxes_beyond().filter(|_| boxes && !box_rules.clip) {
            return Err(RequestError::invalid(format!(
                "spec.box_rules.clip is false, and boxes of {count} samples reach beyond their images, the first of {:?}; correct the \
                 annotations, or set clip",
                split.key(first)
            )));
        }
        if wants(v1::Target::Mask) && mixing.is_some_and(Mixing::blends) {
            return Err(RequestError::invalid(
                "spec.targets has mask beside a mixup, expected another or no mixing: a pixel of a blend has two classes",
            ));
        }
        if mixing.is_some_and(Mixing::pastes_objects) {
            if !boxes {
                return Err(RequestError::invalid(
                    "spec.targets has no boxes beside spec.mixing.copy_paste, expected boxes: they say what is an object",
                ));
            }
            if keypoints {
                return Err(RequestError::invalid(
                    "spec.targets has keypoints beside spec.mixing.copy_paste, expected boxes, or boxes and mask: a keypoint does \
                     not say which object it is of",
                ));
            }
        }
        // A mixed row may have all of its partners' too.
        let rows = mixing.map_or(1, |mixing| mixing.most_rows() as u64);
        Ok(Targets {
            boxes,
            masks: if wants(v1::Target::Mask) { split.masks_per_sample() } else { 0 },
            keypoints,
            rules: Arc::new(rules),
            most_boxes: rows * split.most_boxes() as u64,
            most_keypoints: rows * split.most_keypoints() as u64,
        })
    }

    /// Whether anything travels beside image and label.
    pub fn any(&self) -> bool {
        self.boxes || self.keypoints || self.masks > 0
    }

    /// Most that the views of `rows` samples can have, group by group.
    pub(super) fn most(&self, rows: u32, groups: &[ViewGroup]) -> Vec<Counts> {
        let most = |group: &ViewGroup| {
            let rows = u64::from(rows) * u64::from(group.views);
            Counts { boxes: rows.saturating_mul(self.most_boxes), keypoints: rows.saturating_mul(self.most_keypoints) }
        };
        groups.iter().map(most).collect()
    }

    /// Bytes of the masks of all views of a sample, which wait until the batch is put together.
    pub(super) fn mask_bytes(&self, groups: &[ViewGroup]) -> u64 {
        let bytes = |group: &ViewGroup| {
            let pixels = group.output.largest.area().saturating_mul(u64::from(group.views));
            pixels.saturating_mul(self.masks as u64)
        };
        groups.iter().map(bytes).fold(0, u64::saturating_add)
    }

    /// The tensors of `rows` samples, group by group, each with the images' size and how many there are of it; those of a fixed size
    /// first.
    pub(super) fn tensors<'g>(
        &self,
        rows: u32,
        groups: impl Iterator<Item = (&'g ViewGroup, Size, Counts)>,
    ) -> Vec<Tensor> {
        let (mut tensors, mut ragged) = (Vec::new(), Vec::new());
        for (group, size, counts) in groups {
            let n = u64::from(rows) * u64::from(group.views);
            let (h, w) = (u64::from(size.height), u64::from(size.width));
            let tensor = |wanted: bool, name: &str, dtype: Dtype, shape: &[u64]| {
                let name = format!("{name}{}", group.suffix());
                wanted.then(|| Tensor { name, dtype: dtype.into(), shape: shape.into(), ..Default::default() })
            };
            let fixed = [
                tensor(self.masks == 1, "mask", Dtype::Uint8, &[n, h, w]),
                tensor(self.masks > 1, "mask", Dtype::Uint8, &[n, self.masks as u64, h, w]),
                tensor(self.boxes, "box_offsets", Dtype::Int64, &[n + 1]),
                tensor(self.keypoints, "keypoint_offsets", Dtype::Int64, &[n + 1]),
            ];
            let views = group.announced();
            tensors.extend(fixed.into_iter().flatten().map(|tensor| Tensor { views, ..tensor }));
            // Their rows are boxes and keypoints, not views.
            let own = [
                tensor(self.boxes, "boxes", Dtype::Fp32, &[counts.boxes, 4]),
                tensor(self.boxes, "box_label", Dtype::Int64, &[counts.boxes]),
                tensor(self.keypoints, "keypoints", Dtype::Fp32, &[counts.keypoints, 3]),
                tensor(self.keypoints, "keypoint_id", Dtype::Int64, &[counts.keypoints]),
            ];
            ragged.extend(own.into_iter().flatten());
        }
        tensors.append(&mut ragged);
        tensors
    }

    /// The sample of an image, which was of the size `stored` before it was turned as `orientation` says, with what is marked on it.
    pub(super) fn sample<'a>(
        &self,
        samples: &Split,
        index: u64,
        image: Image<'a>,
        (stored, orientation): (Size, u8),
        masks: Vec<Mask>,
    ) -> Sample<'a> {
        let mut sample = Sample::new(image, samples.label(index));
        if !self.any() {
            return sample;
        }
        if self.boxes {
            sample.boxes = samples.boxes(index, stored);
            // What rounding, or an annotator, left beyond the edge. No other rule holds before the first op.
            BoxRules::default().filter(&mut sample.boxes, stored);
        }
        if self.keypoints {
            sample.keypoints = samples.keypoints(index).to_vec();
        }
        sample.masks = masks;
        decode::turns(orientation, stored).iter().for_each(|turn| turn.move_annotations(&mut sample));
        sample.rules = Some(Arc::clone(&self.rules));
        sample
    }

    /// What is marked on a sample that has left its last op.
    pub(super) fn marks(&self, sample: &mut Sample<'_>) -> Option<Marks> {
        // Without an op, nothing has looked at the rules yet.
        sample.settle(false);
        self.any().then(|| Marks::take(sample))
    }
}

/// The marks of the rows of each group, given those of each sample: of all views of the first group, then of the second, and so on.
pub(super) fn by_group<'m>(groups: &[ViewGroup], samples: &[&'m [Marks]]) -> Vec<Vec<&'m Marks>> {
    let ends = groups.iter().scan(0, |end, group| {
        *end += group.views as usize;
        Some((*end, group.views as usize))
    });
    let of = |(end, views): (usize, usize)| samples.iter().filter_map(move |own| own.get(end - views..end)).flatten();
    ends.map(|group| of(group).collect()).collect()
}

/// Counts of all rows.
pub(super) fn counts(rows: &[&Marks]) -> Counts {
    rows.iter().fold(Counts { boxes: 0, keypoints: 0 }, |sum, row| Counts {
        boxes: sum.boxes + row.boxes.len() as u64,
        keypoints: sum.keypoints + row.keypoints.len() as u64,
    })
}

/// Writes the tensor of that name into `out`, of the rows of its group; false if it is none of annotations.
pub(super) fn write(name: &str, groups: &[ViewGroup], rows: &[Vec<&Marks>], format: BoxFormat, out: &mut [u8]) -> bool {
    groups
        .iter()
        .zip(rows)
        .any(|(group, rows)| name.strip_suffix(group.suffix()).is_some_and(|kind| write_kind(kind, rows, format, out)))
}

fn write_kind(kind: &str, rows: &[&Marks], format: BoxFormat, out: &mut [u8]) -> bool {
    let boxes = || rows.iter().flat_map(|row| row.boxes.iter().map(|own| (own, row.size)));
    let keypoints = || rows.iter().flat_map(|row| &row.keypoints);
    match kind {
        "mask" => {
            let masks = rows.iter().flat_map(|row| &row.masks);
            let mut rest = out;
            for mask in masks {
                let Some((own, others)) = rest.split_at_mut_checked(mask.classes.len()) else { break };
                own.copy_from_slice(&mask.classes);
                rest = others;
            }
        }
        "box_offsets" => numbers(out, offsets(rows.iter().map(|row| row.boxes.len()))),
        "keypoint_offsets" => numbers(out, offsets(rows.iter().map(|row| row.keypoints.len()))),
        "boxes" => {
            floats(out, boxes().flat_map(|(own, size)| format.of_corners(own.corners(), size)).map(|x| x as f32))
        }
        "box_label" => numbers(out, boxes().map(|(own, _)| own.label)),
        "keypoints" => {
            floats(out, keypoints().flat_map(|point| [point.x as f32, point.y as f32, point.visibility]));
        }
        "keypoint_id" => numbers(out, keypoints().map(|point| i64::from(point.id))),
        _ => return false,
    }
    true
}

/// Where each row begins, and after the last one where it ends.
fn offsets(counts: impl Iterator<Item = usize>) -> impl Iterator<Item = i64> {
    let mut end = 0;
    [0].into_iter().chain(counts.map(move |count| {
        end += count as i64;
        end
    }))
}

fn numbers(out: &mut [u8], values: impl Iterator<Item = i64>) {
    out.as_chunks_mut::<8>().0.iter_mut().zip(values).for_each(|(out, x)| *out = x.to_le_bytes());
}

fn floats(out: &mut [u8], values: impl Iterator<Item = f32>) {
    out.as_chunks_mut::<4>().0.iter_mut().zip(values).for_each(|(out, x)| *out = x.to_le_bytes());
}

fn name(target: v1::Target) -> &'static str {
    match target {
        v1::Target::Unspecified => "unspecified",
        v1::Target::Boxes => "boxes",
        v1::Target::Mask => "mask",
        v1::Target::Keypoints => "keypoints",
    }
}

/// The format that a delivery asks for.
pub(super) fn box_format(format: v1::BoxFormat) -> BoxFormat {
    match format {
        v1::BoxFormat::Unspecified | v1::BoxFormat::PascalVoc => BoxFormat::PascalVoc,
        v1::BoxFormat::Coco => BoxFormat::Coco,
        v1::BoxFormat::Yolo => BoxFormat::Yolo,
        v1::BoxFormat::Normalized => BoxFormat::Normalized,
    }
}

fn keypoint_rules(message: &v1::KeypointRules, names: &[String]) -> Result<KeypointRules, RequestError> {
    let id = |text: &str, field: &str, index: usize| {
        let named = names.iter().position(|name| name == text).and_then(|at| u32::try_from(at).ok());
        let numbered = text.parse::<u32>().ok().filter(|id| names.is_empty() || (*id as usize) < names.len());
        named.or(numbered).ok_or_else(|| {
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            RequestError::invalid(format!(
                "spec.keypoint_rules.flip_pairs[{index}].{field} is {text:?}, expected an id or a name of the dataset's keypoints ({known})"
            ))
        })
    };
    let mut flip_pairs: Vec<(u32, u32)> = Vec::with_capacity(message.flip_pairs.len());
    for (index, pair) in message.flip_pairs.iter().enumerate() {
        let (left, right) = (id(&pair.left, "left", index)?, id(&pair.right, "right", index)?);
        let taken = flip_pairs.iter().any(|(a, b)| [*a, *b].contains(&left) || [*a, *b].contains(&right));
        if taken || left == right {
            return Err(RequestError::invalid(format!(
                "spec.keypoint_rules.flip_pairs[{index}] is {:?} and {:?}, expected two keypoints that are in no other pair",
                pair.left, pair.right
            )));
        }
        flip_pairs.push((left, right));
    }
    Ok(KeypointRules { remove_invisible: message.remove_invisible, flip_pairs })
}
