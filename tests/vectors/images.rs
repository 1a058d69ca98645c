//! The dataset of the vectors: small pictures of the bundled photographs, with boxes.

use std::fs;
use std::path::Path;

use feedline::decode::{Decoded, Decoder, Limits};

/// Writes a manifest and its images: every fourth photograph, reduced to about 64 x 48.
pub(crate) fn write(folder: &Path) {
    fs::create_dir_all(folder.join("images")).expect("a folder");
    let mut decoder = Decoder::new(Limits::default());
    let mut lines = vec![r#"{"manifest": 1, "box_format": "pascal_voc"}"#.to_owned()];
    for (index, (key, bytes)) in feedline::demo::photographs().enumerate().step_by(4) {
        let Decoded { size, pixels, .. } = decoder.decode(bytes).expect("a photograph");
        let (width, height) = (size.width, size.height);
        let step = width.max(height).div_ceil(64);
        let small = image::RgbImage::from_fn(width / step, height / step, |x, y| {
            let at = (y * step * width + x * step) as usize * 3;
            image::Rgb([pixels[at], pixels[at + 1], pixels[at + 2]])
        });
        let (class, _) = key.split_once('/').expect("class and file");
        let file = format!("images/{class}-{index:02}.png");
        small.save(folder.join(&file)).expect("written");
        // None, one or two boxes, so that rows differ in their number.
        let (w, h) = (f64::from(small.width()), f64::from(small.height()));
        let boxes = [[0.1 * w, 0.2 * h, 0.6 * w, 0.9 * h], [0.5 * w, 0.0, w, 0.5 * h]];
        let boxes = boxes.iter().take(index / 4 % 3).map(|b| serde_json::json!({ "box": b, "label": class }));
        let line = serde_json::json!({ "file": file, "label": class, "boxes": boxes.collect::<Vec<_>>() });
        lines.push(line.to_string());
    }
    fs::write(folder.join("train.jsonl"), lines.join("\n") + "\n").expect("written");
}
