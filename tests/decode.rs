//! Image files decode to the pixels that Pillow makes of them, and whatever is wrong with a file is told.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use feedline::decode::{DecodeError, Decoder, Limits, orient, orientation};
use feedline::header::{self, Format};
use feedline::image::Size;

/// Small enough for every test, larger than every good file.
const LIMITS: Limits = Limits { max_pixels: 1 << 22, max_alloc: 1 << 28 };

#[test]
fn every_good_file_decodes_to_the_pixels_of_pillow() {
    let mut decoder = Decoder::new(LIMITS);
    let mut pixels = Vec::new();
    let mut formats = BTreeSet::new();
    let mut wrong = Vec::new();
    for (name, path, bytes) in files("good") {
        let (size, expected) = reference(&path, "npy");
        match decoder.decode_into(&bytes, &mut pixels) {
            Ok(info) => {
                formats.insert(info.format);
                assert_eq!(header::read(&bytes).expect("a header").size, info.size, "{name}");
                let furthest = furthest(&pixels, &expected);
                if info.size != size || furthest.is_none_or(|furthest| furthest > tolerance(&name)) {
                    wrong.push(format!("{name}: {} where {size} was due, furthest {furthest:?}", info.size));
                }
                assert_eq!(!info.warnings.is_empty(), has_warning(&name), "{name}: {:?}", info.warnings);
            }
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let all = [Format::Jpeg, Format::Png, Format::WebP, Format::Gif, Format::Bmp, Format::Tiff];
    assert_eq!(formats, BTreeSet::from(all), "a good file of every format");
}

/// How far a value may be from Pillow's. Equal, but for CMYK in TIFF files, which is not rounded in the same way.
fn tolerance(name: &str) -> u8 {
    u8::from(name == "tiff-cmyk.tiff")
}

/// Files that are odd and yet whole.
fn has_warning(name: &str) -> bool {
    ["jpeg-no-end.jpg", "jpeg-stray-bytes.jpg", "jpeg-progressive-first-scan.jpg"].contains(&name)
}

#[test]
fn verification_lists_data_behind_the_last_pixel() {
    let mut decoder = Decoder::new(LIMITS);
    for (name, _, bytes) in files("good") {
        let warnings = decoder.verify(&bytes).expect("a good file").warnings;
        if name == "jpeg-data-left-over.jpg" {
            assert_eq!(warnings, ["9 bytes of data behind the last pixel"]);
        } else {
            assert_eq!(!warnings.is_empty(), has_warning(&name), "{name}: {warnings:?}");
        }
    }
}

#[test]
fn orientation_turns_an_image_as_pillow_does() {
    let mut decoder = Decoder::new(LIMITS);
    let mut seen = BTreeSet::new();
    for (name, path, bytes) in files("good").into_iter().filter(|(name, ..)| name.contains("orientation")) {
        let found = orientation(&bytes);
        assert!(name.contains(&format!("orientation-{found}.")), "{name}: orientation {found}");
        seen.insert((header::sniff(&bytes), found));
        let image = decoder.decode(&bytes).expect("a good file");
        assert_eq!(orient(image.size, &image.pixels, found), reference(&path, "upright.npy"), "{name}");
    }
    assert_eq!(seen.len(), 11, "all eight in JPEG files, one in each other format that has one: {seen:?}");
}

#[test]
fn every_bad_file_is_refused_for_the_reason_expected() {
    #[derive(serde::Deserialize)]
    struct Expected {
        kind: String,
        phrase: String,
    }
    let table = fs::read(folder("bad").join("expected.json")).expect("a table");
    let mut table: BTreeMap<String, Expected> = serde_json::from_slice(&table).expect("a table of kinds and phrases");
    let mut decoder = Decoder::new(LIMITS);
    let mut wrong = Vec::new();
    for (name, _, bytes) in files("bad") {
        let found = match decoder.decode(&bytes) {
            Ok(image) => format!("decoded to {} with warnings {:?}", image.size, image.warnings),
            Err(error) => format!("{}: {error}", kind(&error)),
        };
        match table.remove(&name) {
            Some(row) if found.starts_with(&format!("{}: ", row.kind)) && found.contains(&row.phrase) => {}
            Some(row) => wrong.push(format!("{name}: {found}; expected {}: …{}…", row.kind, row.phrase)),
            None => wrong.push(format!("{name}: no row in expected.json; {found}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(table.is_empty(), "rows without a file: {:?}", table.keys());
}

fn kind(error: &DecodeError) -> &'static str {
    match error {
        DecodeError::Empty => "empty",
        DecodeError::UnknownFormat { .. } => "unknown_format",
        DecodeError::TooLarge { .. } => "too_large",
        DecodeError::TooMuchMemory { .. } => "too_much_memory",
        DecodeError::Unsupported { .. } => "unsupported",
        DecodeError::Damaged { .. } => "damaged",
        _ => "new",
    }
}

#[test]
fn a_file_that_needs_more_memory_than_allowed_is_refused_and_not_called_damaged() {
    let mut decoder = Decoder::new(Limits { max_pixels: 1 << 22, max_alloc: 1000 });
    for (name, _, bytes) in files("good") {
        let size = header::read(&bytes).expect("a header").size;
        match decoder.decode(&bytes) {
            Ok(image) => assert!(image.pixels.len() <= 1000, "{name}"),
            Err(error) => assert!(error.is_limit(), "{name} of {size}: {error}"),
        }
    }
}

#[test]
fn no_truncated_file_passes_for_a_whole_one() {
    let mut decoder = Decoder::new(LIMITS);
    let mut pixels = Vec::new();
    let mut wrong = Vec::new();
    for (name, _, bytes) in files("good") {
        let whole = decoder.decode(&bytes).expect("a good file");
        // Every length near the end, where the last pixels are.
        let near = bytes.len().saturating_sub(64)..bytes.len();
        for end in (0..near.start).step_by(7).chain(near) {
            orientation(&bytes[..end]);
            match decoder.decode_into(&bytes[..end], &mut pixels) {
                Ok(_) if pixels == whole.pixels => {}
                Ok(info) => wrong.push(format!("{name} cut at {end} of {}: {:?}", bytes.len(), info.warnings)),
                Err(error) => assert!(!error.to_string().contains("panicked"), "{name} cut at {end}: {error}"),
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} cut files decoded to other pixels: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(40)]
    );
}

#[test]
fn damaged_files_do_no_harm_and_decode_alike_whatever_was_decoded_before() {
    let mut used = Decoder::new(LIMITS);
    let mut pixels = Vec::new();
    let mut random = 0x2545_f491_4f6c_dd1d;
    for (name, _, bytes) in files("good") {
        for _ in 0..FLIPS {
            let mut damaged = bytes.clone();
            for _ in 0..=next(&mut random) % 3 {
                let at = next(&mut random) as usize % damaged.len();
                damaged[at] ^= 1 << (next(&mut random) % 8);
            }
            orientation(&damaged);
            // Panics in decoders are caught; here none is to escape, and none to be caught in what is our own.
            // A panic is caught; that of these files none causes one is a matter of what is refused beforehand.
            let verified = used.verify(&damaged).map_err(|error| error.to_string());
            assert!(!verified.is_err_and(|error| error.contains("panicked")), "{name}: a panic");
            // What an earlier image has left.
            pixels.fill(next(&mut random) as u8);
            let again = used.decode_into(&damaged, &mut pixels);
            let fresh = Decoder::new(LIMITS).decode(&damaged);
            let sizes = (again.as_ref().map(|info| info.size), fresh.as_ref().map(|image| image.size));
            assert_eq!(sizes.0, sizes.1, "{name}: another result from used memory");
            assert!(fresh.is_err() || fresh.is_ok_and(|image| image.pixels == pixels), "{name}: other pixels");
        }
    }
}

/// Damaged copies of each good file: several thousand in all.
const FLIPS: usize = 60;

#[test]
fn a_checksum_leaves_no_damaged_png_undetected() {
    let mut decoder = Decoder::new(LIMITS);
    for (name, _, bytes) in files("good").into_iter().filter(|(_, _, bytes)| header::sniff(bytes) == Some(Format::Png))
    {
        let whole = decoder.decode(&bytes).expect("a good file");
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            if let Ok(image) = decoder.decode(&damaged) {
                assert!(image.pixels == whole.pixels, "{name}: byte {at} of {} damaged", bytes.len());
            }
        }
    }
}

/// Xorshift: a fixed sequence.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state >> 8
}

/// The image files of a folder, by name, with their bytes.
fn files(kind: &str) -> Vec<(String, PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder(kind))
        .expect("a folder of files")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_none_or(|extension| extension != "npy" && extension != "json"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_str().expect("a name in ASCII").to_owned();
            let bytes = fs::read(&path).expect("a file");
            (name, path, bytes)
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "files in {kind}");
    files
}

fn folder(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(kind)
}

/// The pixels beside a file: an array of bytes in NumPy's format.
fn reference(path: &Path, extension: &str) -> (Size, Vec<u8>) {
    let path = format!("{}.{extension}", path.display());
    let bytes = fs::read(&path).expect("pixels beside the file");
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let (head, pixels) = bytes[10..].split_at(length);
    let head = std::str::from_utf8(head).expect("a header in ASCII");
    assert!(head.contains("'|u1'") && head.contains("'fortran_order': False"), "{path}: {head}");
    let shape = head.split(['(', ')']).nth(1).expect("a shape");
    let sides: Vec<u32> = shape.split(", ").map(|side| side.parse().expect("a number")).collect();
    assert_eq!(sides[2], 3, "{path}");
    (Size::new(sides[1], sides[0]), pixels.to_vec())
}

/// The largest difference of two values, if there are as many.
fn furthest(ours: &[u8], theirs: &[u8]) -> Option<u8> {
    let differences = ours.iter().zip(theirs).map(|(ours, theirs)| ours.abs_diff(*theirs));
    (ours.len() == theirs.len()).then(|| differences.max().unwrap_or(0))
}
