use super::{BoundingBox, BoxFormat, BoxRules, Keypoint};
use crate::image::Size;

/// What is marked on one image, as a dataset says it. Masks are files of their own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Annotations {
    /// Boxes.
    pub boxes: Vec<AnnotatedBox>,
    /// Keypoints, in pixels of the image as it is stored.
    pub keypoints: Vec<Keypoint>,
}

/// A box as a dataset says it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnnotatedBox {
    /// Its four numbers, of the image as it is stored.
    pub numbers: [f64; 4],
    /// How they are meant.
    pub format: BoxFormat,
    /// Class, an index into the dataset's classes of boxes; -1 without one.
    pub label: i64,
}

/// The annotations of many samples, back to back: 40 bytes for a box, 24 for a keypoint, 16 for a sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnnotationTable {
    boxes: Vec<Stored>,
    keypoints: Vec<Keypoint>,
    /// Where the boxes and keypoints of each sample end, which is where the next one's begin.
    ends: Vec<(usize, usize)>,
    most_boxes: usize,
    most_keypoints: usize,
}

/// A box by its corners.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stored {
    corners: [f64; 4],
    label: i32,
    normalized: bool,
}

impl Stored {
    fn in_pixels(&self, size: Size) -> [f64; 4] {
        let (w, h) = if self.normalized { (f64::from(size.width), f64::from(size.height)) } else { (1.0, 1.0) };
        let [x_min, y_min, x_max, y_max] = self.corners;
        [x_min * w, y_min * h, x_max * w, y_max * h]
    }
}

impl AnnotationTable {
    /// Adds the annotations of the next sample. Labels beyond 32 bits, which no list of classes is long enough for, become -1.
    pub fn push(&mut self, annotations: &Annotations) {
        self.boxes.extend(annotations.boxes.iter().map(|own| Stored {
            corners: own.format.to_corners(own.numbers),
            label: i32::try_from(own.label).unwrap_or(-1),
            normalized: own.format.is_normalized(),
        }));
        self.keypoints.extend_from_slice(&annotations.keypoints);
        self.ends.push((self.boxes.len(), self.keypoints.len()));
        self.most_boxes = self.most_boxes.max(annotations.boxes.len());
        self.most_keypoints = self.most_keypoints.max(annotations.keypoints.len());
    }

    /// The same with its memory cut to what it needs.
    #[must_use]
    pub fn shrunk(mut self) -> Self {
        self.boxes.shrink_to_fit();
        self.keypoints.shrink_to_fit();
        self.ends.shrink_to_fit();
        self
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The boxes of a sample, in pixels of its image of `size`.
    pub fn boxes(&self, index: usize, size: Size) -> impl ExactSizeIterator<Item = BoundingBox> {
        self.boxes[self.start(index).0..self.ends[index].0]
            .iter()
            .map(move |own| BoundingBox::with_corners(own.in_pixels(size), i64::from(own.label)))
    }

    /// The keypoints of a sample.
    pub fn keypoints(&self, index: usize) -> &[Keypoint] {
        &self.keypoints[self.start(index).1..self.ends[index].1]
    }

    /// Whether a box of the sample reaches beyond its image of `size`.
    pub fn reaches_beyond(&self, index: usize, size: Size) -> bool {
        self.boxes(index, size).any(|own| !BoxRules::is_inside(own.corners(), size))
    }

    /// Boxes of the sample that has the most.
    pub fn most_boxes(&self) -> usize {
        self.most_boxes
    }

    /// Keypoints of the sample that has the most.
    pub fn most_keypoints(&self) -> usize {
        self.most_keypoints
    }

    /// Replaces the label of every box.
    pub fn relabel(&mut self, new: impl Fn(i64) -> i64) {
        for own in &mut self.boxes {
            own.label = i32::try_from(new(i64::from(own.label))).unwrap_or(-1);
        }
    }

    /// Labels of all boxes.
    pub fn labels(&self) -> impl Iterator<Item = i64> {
        self.boxes.iter().map(|own| i64::from(own.label))
    }

    /// Ids of all keypoints.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        self.keypoints.iter().map(|point| point.id)
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> u64 {
        let bytes = size_of_val(&self.boxes[..]) + size_of_val(&self.keypoints[..]) + size_of_val(&self.ends[..]);
        bytes as u64
    }

    /// All that a sample has, as bytes that tell any two apart: what a fingerprint is made of.
    pub fn canonical(&self, index: usize, out: &mut Vec<u8>) {
        let boxes = &self.boxes[self.start(index).0..self.ends[index].0];
        let keypoints = self.keypoints(index);
        out.extend((boxes.len() as u64).to_le_bytes());
        for own in boxes {
            own.corners.iter().for_each(|number| out.extend(number.to_bits().to_le_bytes()));
            out.extend(own.label.to_le_bytes());
            out.push(u8::from(own.normalized));
        }
        out.extend((keypoints.len() as u64).to_le_bytes());
        for Keypoint { x, y, id, visibility } in keypoints {
            out.extend(x.to_bits().to_le_bytes());
            out.extend(y.to_bits().to_le_bytes());
            out.extend(id.to_le_bytes());
            out.extend(visibility.to_bits().to_le_bytes());
        }
    }

    fn start(&self, index: usize) -> (usize, usize) {
        if index == 0 { (0, 0) } else { self.ends[index - 1] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(format: BoxFormat, numbers: [f64; 4]) -> Annotations {
        Annotations { boxes: vec![AnnotatedBox { numbers, format, label: 2 }], keypoints: Vec::new() }
    }

    #[test]
    fn annotations_come_back_sample_by_sample() {
        let mut table = AnnotationTable::default();
        table.push(&boxed(BoxFormat::Coco, [1.0, 2.0, 3.0, 4.0]));
        table.push(&Annotations::default());
        table.push(&Annotations { keypoints: vec![Keypoint::new(1.0, 2.0); 2], ..Default::default() });
        table.push(&boxed(BoxFormat::Yolo, [0.5, 0.5, 1.0, 0.5]));
        let size = Size::new(40, 20);
        let corners = |index| table.boxes(index, size).map(|own| own.corners()).collect::<Vec<_>>();
        assert_eq!(corners(0), [[1.0, 2.0, 4.0, 6.0]]);
        assert_eq!((corners(1).len(), corners(2).len(), table.keypoints(2).len()), (0, 0, 2));
        assert_eq!(corners(3), [[0.0, 5.0, 40.0, 15.0]]);
        assert_eq!((table.len(), table.most_boxes(), table.most_keypoints()), (4, 1, 2));
        assert!(!table.reaches_beyond(3, size) && table.reaches_beyond(0, Size::new(3, 3)));
        assert_eq!((size_of::<Stored>(), size_of::<Keypoint>()), (40, 24), "as the comment says");
    }

    #[test]
    fn any_difference_changes_the_canonical_bytes() {
        let bytes = |annotations: &Annotations| {
            let (mut table, mut bytes) = (AnnotationTable::default(), Vec::new());
            table.push(annotations);
            table.canonical(0, &mut bytes);
            bytes
        };
        let one = boxed(BoxFormat::PascalVoc, [0.0, 0.0, 1.0, 1.0]);
        assert_eq!(bytes(&one), bytes(&boxed(BoxFormat::Coco, [0.0, 0.0, 1.0, 1.0])), "the same box");
        for other in [
            Annotations::default(),
            boxed(BoxFormat::Normalized, [0.0, 0.0, 1.0, 1.0]),
            boxed(BoxFormat::PascalVoc, [0.0, 0.0, 1.0, 2.0]),
            Annotations { keypoints: vec![Keypoint::new(0.0, 0.0)], ..one.clone() },
        ] {
            assert_ne!(bytes(&one), bytes(&other));
        }
    }
}
