use std::collections::BTreeMap;
use std::sync::Arc;

use super::split_name::SplitName;
use super::{Entry, ListedAnnotations, ListedMask, ListedSplit, Listing, Location, SourceError};
use crate::sample::{AnnotationTable, Annotations};

/// A sample that is in memory already.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Its name; unlike any other's of its split.
    pub key: String,
    /// Its split, in any spelling that a folder may have. Empty: `train`.
    pub split: String,
    /// Class, an index into the classes; -1 without one.
    pub label: i64,
    /// The encoded image, in any format that a file may have.
    pub image: Arc<[u8]>,
    /// Boxes and keypoints.
    pub annotations: Annotations,
    /// Encoded masks: PNG of gray or palette of at most 8 bits, whose raw values are classes. All samples of a split have the same
    /// number.
    pub masks: Vec<Arc<[u8]>>,
}

/// What the numbers of labels and ids mean. Each may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Classes of images, by label.
    pub classes: Vec<String>,
    /// Classes of boxes, by label.
    pub box_classes: Vec<String>,
    /// Keypoints, by id.
    pub keypoints: Vec<String>,
}

/// Lists samples that are in memory. In every split the samples are put in bytewise order of their keys.
///
/// # Errors
/// [`SourceError::Given`]: a split or a number of masks that is unlike the others', two equal keys, or a label without a name.
pub fn in_memory(name: &str, names: Names, samples: impl IntoIterator<Item = Given>) -> Result<Listing, SourceError> {
    let refused = |key: &str, what: String| Err(SourceError::Given { key: key.into(), what });
    let mut splits: BTreeMap<SplitName, Vec<Given>> = BTreeMap::new();
    for sample in samples {
        let split = if sample.split.is_empty() { "train" } else { &sample.split };
        let Some(split) = SplitName::of(split.as_bytes()) else {
            return refused(&sample.key, format!("split is {split:?}, expected train, validation or test"));
        };
        let box_labels = sample.annotations.boxes.iter().map(|own| own.label);
        let ids = sample.annotations.keypoints.iter().map(|point| i64::from(point.id));
        let labels = ([sample.label].into_iter().map(|label| ("label", label, names.classes.len())))
            .chain(box_labels.map(|label| ("label of a box", label, names.box_classes.len())))
            .chain(
                ids.filter(|_| !names.keypoints.is_empty()).map(|id| ("id of a keypoint", id, names.keypoints.len())),
            );
        for (what, number, known) in labels {
            if number < -1 || number >= known as i64 {
                return refused(&sample.key, format!("{what} is {number}, expected -1 to {}", known as i64 - 1));
            }
        }
        splits.entry(split).or_default().push(sample);
    }
    let mut listed = Vec::with_capacity(splits.len());
    for (split, mut samples) in splits {
        samples.sort_by(|a, b| a.key.cmp(&b.key));
        if let Some([first, _]) = samples.windows(2).find(|pair| matches!(pair, [a, b] if a.key == b.key)) {
            return refused(&first.key, "key is there twice, expected once in a split".into());
        }
        let masks = samples.first().map_or(0, |first| first.masks.len());
        if let Some(other) = samples.iter().find(|sample| sample.masks.len() != masks) {
            return refused(
                &other.key,
                format!("has {} masks, expected {masks} as the first sample", other.masks.len()),
            );
        }
        listed.push(of_split(split, samples, masks));
    }
    Ok(Listing {
        name: name.into(),
        classes: names.classes,
        box_classes: names.box_classes,
        keypoint_names: names.keypoints,
        splits: listed,
        ignored: Vec::new(),
    })
}

fn of_split(split: SplitName, samples: Vec<Given>, masks_per_sample: usize) -> ListedSplit {
    let mut table = AnnotationTable::default();
    let (mut entries, mut masks) = (Vec::with_capacity(samples.len()), Vec::new());
    let has_boxes = samples.iter().any(|sample| !sample.annotations.boxes.is_empty());
    let has_keypoints = samples.iter().any(|sample| !sample.annotations.keypoints.is_empty());
    for sample in samples {
        table.push(&sample.annotations);
        for (number, mask) in sample.masks.into_iter().enumerate() {
            let (key, bytes) = (format!("mask {number} of {}", sample.key), mask.len() as u64);
            masks.push(ListedMask { key, location: Location::Memory(mask), bytes });
        }
        let bytes = sample.image.len() as u64;
        entries.push(Entry { key: sample.key, label: sample.label, location: Location::Memory(sample.image), bytes });
    }
    let annotated = has_boxes || has_keypoints || masks_per_sample > 0;
    let table = table.shrunk();
    let annotations = annotated.then_some(ListedAnnotations {
        table,
        has_boxes,
        has_keypoints,
        masks,
        masks_per_sample,
        written: None,
    });
    ListedSplit { name: split.canonical().into(), entries, annotations }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{AnnotatedBox, BoxFormat};

    fn given(key: &str) -> Given {
        Given { key: key.into(), label: -1, image: Arc::from(&b"image"[..]), ..Default::default() }
    }

    fn boxed(key: &str, label: i64) -> Given {
        let own = AnnotatedBox { numbers: [0.0, 0.0, 1.0, 1.0], format: BoxFormat::Normalized, label };
        let annotations = Annotations { boxes: vec![own], ..Default::default() };
        Given { annotations, ..given(key) }
    }

    #[test]
    fn samples_are_put_in_order_with_their_annotations() {
        let names = Names { box_classes: vec!["cat".into()], ..Default::default() };
        let samples = [boxed("b", 0), given("a"), Given { split: "val".into(), ..given("a") }];
        let listing = in_memory("mine", names, samples).expect("sound");
        let train = &listing.splits[0];
        assert_eq!(train.entries.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        let annotations = train.annotations.as_ref().expect("boxes");
        assert!(annotations.has_boxes && !annotations.has_keypoints);
        assert_eq!(annotations.table.labels().collect::<Vec<_>>(), [0]);
        assert_eq!((listing.splits[1].name.as_str(), &listing.splits[1].annotations), ("validation", &None));
    }

    #[test]
    fn what_does_not_fit_is_refused_by_key() {
        let masked = Given { masks: vec![Arc::from(&b"png"[..])], ..given("m") };
        for (samples, expected) in [
            (vec![given("a"), given("a")], "\"a\": key is there twice"),
            (vec![boxed("a", 0)], "label of a box is 0, expected -1 to -1"),
            (vec![given("a"), masked], "\"m\": has 1 masks, expected 0"),
            (vec![Given { split: "extra".into(), ..given("a") }], "split is \"extra\""),
            (vec![Given { label: 2, ..given("a") }], "label is 2"),
        ] {
            let error = in_memory("mine", Names::default(), samples).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
