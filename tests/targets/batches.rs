//! Rows taken out of batches, and images made for them.

use feedline::engine::Batch;

/// A row of a batch of 8-bit images, channels last.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) width: usize,
    pub(crate) image: Vec<u8>,
    pub(crate) mask: Vec<u8>,
    pub(crate) boxes: Vec<[f32; 4]>,
    pub(crate) labels: Vec<i64>,
    pub(crate) keypoints: Vec<[f32; 3]>,
    pub(crate) ids: Vec<i64>,
}

impl Row {
    /// The corners of what is bright in the image; none if nothing is.
    pub(crate) fn marked(&self) -> Option<[f32; 4]> {
        self.hull(|pixel| pixel[0] > 127)
    }

    /// The corners of those pixels; none if there are none.
    pub(crate) fn hull(&self, of: impl Fn(&[u8]) -> bool) -> Option<[f32; 4]> {
        let pixels = self.image.chunks(3).enumerate();
        let places = pixels.filter(|(_, pixel)| of(pixel)).map(|(index, _)| (index % self.width, index / self.width));
        places.fold(None, |hull: Option<[f32; 4]>, (x, y)| {
            let (x, y) = (x as f32, y as f32);
            let [x1, y1, x2, y2] = hull.unwrap_or([x, y, x, y]);
            Some([x1.min(x), y1.min(y), x2.max(x + 1.0), y2.max(y + 1.0)])
        })
    }
}

/// The rows of a batch. Tensors that it has not are empty.
pub(crate) fn rows(batch: &Batch) -> Vec<Row> {
    rows_of(batch, "")
}

/// The rows of the group of views whose tensors' names end so.
pub(crate) fn rows_of(batch: &Batch, suffix: &str) -> Vec<Row> {
    let find = |name: &str| {
        let name = format!("{name}{suffix}");
        batch.tensors.iter().find(|tensor| tensor.name == name)
    };
    let bytes = |name: &str| {
        let tensor = find(name);
        tensor
            .map_or(&[][..], |tensor| &batch.payload()[tensor.offset as usize..(tensor.offset + tensor.bytes) as usize])
    };
    let numbers = |name| bytes(name).as_chunks::<8>().0.iter().map(|x| i64::from_le_bytes(*x)).collect::<Vec<_>>();
    let floats = |name| bytes(name).as_chunks::<4>().0.iter().map(|x| f32::from_le_bytes(*x)).collect::<Vec<_>>();
    let (box_offsets, keypoint_offsets) = (numbers("box_offsets"), numbers("keypoint_offsets"));
    let (boxes, labels, keypoints, ids) =
        (floats("boxes"), numbers("box_label"), floats("keypoints"), numbers("keypoint_id"));
    let span = |offsets: &[i64], row: usize| match offsets.get(row..row + 2) {
        Some([start, end]) => *start as usize..*end as usize,
        _ => 0..0,
    };
    let (width, rows) = find("image").map_or((0, 0), |image| (image.shape[2] as usize, image.shape[0] as usize));
    (0..rows)
        .map(|row| {
            let part = |bytes: &[u8]| {
                let length = bytes.len() / rows;
                bytes[row * length..(row + 1) * length].to_vec()
            };
            let (of_boxes, of_keypoints) = (span(&box_offsets, row), span(&keypoint_offsets, row));
            Row {
                width,
                image: part(bytes("image")),
                mask: part(bytes("mask")),
                boxes: boxes.as_chunks::<4>().0[of_boxes.clone()].to_vec(),
                labels: labels[of_boxes].to_vec(),
                keypoints: keypoints.as_chunks::<3>().0[of_keypoints.clone()].to_vec(),
                ids: ids[of_keypoints].to_vec(),
            }
        })
        .collect()
}

/// A PNG of 8 bits.
pub(crate) fn png(width: u32, height: u32, colour: png::ColorType, values: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(colour);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().and_then(|mut writer| writer.write_image_data(values)).expect("a sound image");
    bytes
}
