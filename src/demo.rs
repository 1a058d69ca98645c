/// Embeds the named files of each class. Classes and names stand in ascending order, which is what makes the table sorted.
macro_rules! embed {
    ($($class:literal: $($number:literal)+;)+) => {
        &[$($((
            concat!($class, "/", $number, ".jpg"),
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/", $class, "/", $number, ".jpg")),
        ),)+)+]
    };
}

/// The photographs that the program carries with it, so that it can be tried without a dataset: (`cat/03.jpg`, JPEG file), in the
/// bytewise order of the names. The folder's name is the class. `assets/demo/PROVENANCE.md` says whose they are; all are free to use.
pub fn photographs() -> impl ExactSizeIterator<Item = (&'static str, &'static [u8])> {
    PHOTOGRAPHS.iter().copied()
}

/// The model that examples of the op `onnx` name: it draws an image as a pencil would. Name and ONNX file; written by
/// `tests/golden/make_onnx.py`.
pub const MODEL: (&str, &[u8]) =
    ("sketch.onnx", include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/models/sketch.onnx")));

const PHOTOGRAPHS: &[(&str, &[u8])] = embed! {
    "astronaut": "00" "01" "02" "03" "04" "05" "06" "07" "08" "09" "10" "11" "12" "13" "14" "15";
    "cat": "00" "01" "02" "03" "04" "05" "06" "07" "08" "09" "10" "11" "12" "13" "14" "15";
    "coffee": "00" "01" "02" "03" "04" "05" "06" "07" "08" "09" "10" "11" "12" "13" "14" "15";
    "galaxy": "00" "01" "02" "03" "04" "05" "06" "07" "08" "09" "10" "11" "12" "13" "14" "15";
    "retina": "00" "01" "02" "03" "04" "05" "06" "07" "08" "09" "10" "11" "12" "13" "14" "15";
    "rocket": "00" "01" "02" "03" "04" "05" "06" "07" "08" "09" "10" "11" "12" "13" "14" "15";
};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use libjpeg_turbo_rs::{PixelFormat, decompress_to};

    use super::*;

    /// The JPEG files of `assets/demo`.
    fn files() -> BTreeMap<String, Vec<u8>> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo");
        let mut files = BTreeMap::new();
        for class in std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
            for file in std::fs::read_dir(&class).unwrap().map(|entry| entry.unwrap().path()) {
                let name = file.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
                files.insert(name, std::fs::read(&file).unwrap());
            }
        }
        files
    }

    #[test]
    fn every_file_of_the_folder_is_embedded_in_bytewise_order() {
        // A map of strings iterates in bytewise order.
        let files = files();
        let found: Vec<_> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        let embedded: Vec<_> = photographs().collect();
        assert_eq!(
            embedded.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            found.iter().map(|(name, _)| name).collect::<Vec<_>>()
        );
        assert!(embedded == found, "an embedded photograph differs from its file");
    }

    #[test]
    fn there_are_enough_photographs_and_classes_in_few_bytes() {
        let classes: BTreeSet<_> =
            photographs().filter_map(|(name, _)| name.split_once('/')).map(|(class, _)| class).collect();
        let bytes: usize = photographs().map(|(_, jpeg)| jpeg.len()).sum();
        assert!(photographs().len() >= 60, "{} photographs", photographs().len());
        assert!(classes.len() >= 4, "{classes:?}");
        assert!(bytes <= 3_000_000, "{bytes} bytes");
    }

    /// Mean colour of each cell of a 16x16 raster.
    fn raster(name: &str, jpeg: &[u8]) -> Vec<[u64; 3]> {
        let image = decompress_to(jpeg, PixelFormat::Rgb).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!((256..=320).contains(&image.width) && image.height == 256, "{name}: {}x{}", image.width, image.height);
        let (wide, high) = (image.width / 16, image.height / 16);
        let mut cells = vec![[0; 3]; 256];
        for (y, row) in image.data.chunks_exact(image.width * 3).enumerate() {
            for (x, pixel) in row.chunks_exact(3).enumerate() {
                let cell = &mut cells[y / high * 16 + x / wide];
                (0..3).for_each(|channel| cell[channel] += u64::from(pixel[channel]));
            }
        }
        cells.iter().map(|cell| cell.map(|sum| sum / (wide * high) as u64)).collect()
    }

    #[test]
    fn no_two_photographs_are_alike() {
        let rasters: Vec<_> = photographs().map(|(name, jpeg)| (name, raster(name, jpeg))).collect();
        for (i, (name, a)) in rasters.iter().enumerate() {
            for (other, b) in &rasters[..i] {
                let sum: u64 = a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| a.abs_diff(*b)).sum();
                // Two crops of one star field differ by 7 or more on average.
                assert!(sum >= 5 * 3 * 256, "{name} and {other} differ by {sum} of 768 values");
            }
        }
    }
}
