use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;
use serde_json::Value;

use self::line::{Lines, Parsed, Wrong};
use super::split_name::SplitName;
use super::{
    Entry, Ignored, ListedAnnotations, ListedMask, ListedSplit, Listing, Location, SourceError, Why, Written, key,
};
use crate::sample::AnnotationTable;

mod labels;
mod line;

/// Whether `path` is a manifest or a folder with one.
pub(super) fn is_there(path: &Path) -> bool {
    if is_jsonl(path) && path.is_file() {
        return true;
    }
    let Ok(entries) = fs::read_dir(path) else { return false };
    entries.flatten().any(|entry| split_of(&entry.path()).is_some() && entry.path().is_file())
}

/// Lists the images that a manifest names, with what it says of them: a file of JSON lines, one object for each image.
/// `docs/formats.md` has its fields.
///
/// `path` is a manifest, or a folder with `manifest.jsonl` or with one for each split: `train.jsonl`, `val.jsonl`, `test.jsonl`, in
/// any of the usual spellings. Files are named relative to the folder of the manifest, and lie in it. A file that is not there is
/// listed all the same, and loading says so. Samples are in bytewise order of their paths, whatever the order of the lines.
///
/// # Errors
/// [`SourceError::Manifest`], naming file, line and field of the first thing that is wrong.
pub fn manifest(path: &Path, name: Option<&str>) -> Result<Listing, SourceError> {
    let (root, files, ignored) = files(path)?;
    let mut lines = Lines::default();
    let mut splits = Vec::with_capacity(files.len());
    for (split, file) in files {
        let samples = read(&file, &mut lines)?;
        splits.push(listed(split, &root, &file, samples)?);
        // So that labels of the first split stay when others are added.
        lines.classes.close();
        lines.box_classes.close();
    }
    let (classes, new_label) = lines.classes.sorted();
    let (box_classes, new_box_label) = lines.box_classes.sorted();
    let splits = splits.into_iter().map(|mut split: ListedSplit| {
        split.entries.iter_mut().for_each(|entry| entry.label = new_label(entry.label));
        if let Some(annotations) = &mut split.annotations {
            annotations.table.relabel(&new_box_label);
        }
        split
    });
    Ok(Listing {
        name: name.map_or_else(|| name_of(path, &root), str::to_owned),
        splits: splits.collect(),
        classes,
        box_classes,
        keypoint_names: lines.keypoint_names,
        ignored,
    })
}

/// A sample with the line that it stands on.
struct Line {
    number: usize,
    key: String,
    path: PathBuf,
    masks: Vec<(String, PathBuf)>,
    parsed: Parsed,
}

type Files = (PathBuf, Vec<(SplitName, PathBuf)>, Vec<Ignored>);

/// The folder that files are named in, the manifests of the splits in their order, and those that are of none.
fn files(path: &Path) -> Result<Files, SourceError> {
    if is_jsonl(path) && path.is_file() {
        let root = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        return Ok((root.into(), vec![(split_of(path).unwrap_or(SplitName::Train), path.into())], Vec::new()));
    }
    let failed = |cause: io::Error| match cause.kind() {
        io::ErrorKind::NotFound => SourceError::NotFound { path: path.into() },
        io::ErrorKind::NotADirectory => SourceError::NotAFolder { path: path.into() },
        _ => SourceError::Unreadable { path: path.into(), cause },
    };
    let (mut files, mut ignored) = (Vec::<(SplitName, PathBuf)>::new(), Vec::new());
    let mut paths = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    for file in paths.into_iter().filter(|file| is_jsonl(file) && file.is_file()) {
        let file_name = |file: &Path| key::text(file.file_name().unwrap_or_default().as_encoded_bytes());
        let Some(split) = split_of(&file) else {
            ignored.push(Ignored { path: file_name(&file), why: Why::OtherManifest });
            continue;
        };
        if let Some((_, first)) = files.iter().find(|(other, _)| *other == split) {
            let (first, second) = (file_name(first), file_name(&file));
            return Err(SourceError::TwoSpellings { split: split.canonical(), first, second });
        }
        files.push((split, file));
    }
    if files.is_empty() {
        return Err(SourceError::NoImages { path: path.into(), ignored });
    }
    files.sort_by_key(|(split, _)| *split);
    Ok((path.into(), files, ignored))
}

fn is_jsonl(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("jsonl"))
}

/// The split that a manifest is of by its name.
fn split_of(path: &Path) -> Option<SplitName> {
    let stem = path.file_stem().filter(|_| is_jsonl(path))?;
    if stem.eq_ignore_ascii_case("manifest") { Some(SplitName::Train) } else { SplitName::of(stem.as_encoded_bytes()) }
}

/// The samples of a manifest, in bytewise order of their paths.
fn read(file: &Path, lines: &mut Lines) -> Result<Vec<Line>, SourceError> {
    let content = fs::read(file).map_err(|cause| SourceError::UnreadableManifest { path: file.into(), cause })?;
    let mut samples: Vec<Line> = Vec::new();
    let mut begun = false;
    lines.begin();
    for (index, line) in content.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let number = index + 1;
        let at = |wrong: Wrong| at(file, number, wrong);
        let value: Value = serde_json::from_slice(line)
            .map_err(|error| at(Wrong::new("the line", format!("no JSON ({error})"), "one JSON object")))?;
        if !std::mem::replace(&mut begun, true) && lines.header(&value).map_err(at)? {
            continue;
        }
        let parsed = lines.sample(&value).map_err(at)?;
        let (key, path) = inside(&parsed.file).map_err(|what| at(what.in_field("file")))?;
        let masks = parsed.masks.iter().map(|mask| inside(mask).map_err(|what| at(what.in_field("mask"))));
        let masks: Vec<_> = masks.collect::<Result<_, _>>()?;
        if let Some(first) = samples.first().filter(|first| first.masks.len() != masks.len()) {
            let expected = format!("{} as on line {}", first.masks.len(), first.number);
            return Err(at(Wrong::new("mask", format!("a list of {} files", masks.len()), expected)));
        }
        samples.push(Line { number, key, path, masks, parsed });
    }
    samples.sort_by(|a, b| a.key.cmp(&b.key).then(a.number.cmp(&b.number)));
    if let Some([first, second]) = samples.windows(2).find(|pair| matches!(pair, [a, b] if a.key == b.key)) {
        let expected = format!("a file that no other line names; line {} does", first.number);
        return Err(at(file, second.number, Wrong::new("file", format!("{:?}", second.key), expected)));
    }
    if samples.is_empty() {
        return Err(at(file, 1, Wrong::new("the manifest", "without samples", "one line for each image")));
    }
    Ok(samples)
}

fn at(path: &Path, line: usize, Wrong { field, found, expected }: Wrong) -> SourceError {
    SourceError::Manifest { path: path.into(), line, field, found, expected }
}

/// A path below the manifest's folder: as a key, and as a path.
fn inside(text: &str) -> Result<(String, PathBuf), Wrong> {
    let mut path = PathBuf::new();
    for component in Path::new(text).components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            _ => return Err(Wrong::new("", format!("{text:?}"), "a path inside of the manifest's folder")),
        }
    }
    if path.as_os_str().is_empty() || text.contains('\0') {
        return Err(Wrong::new("", format!("{text:?}"), "the path of a file"));
    }
    let parts: Vec<&[u8]> = path.iter().map(std::ffi::OsStr::as_encoded_bytes).collect();
    Ok((key::text(&parts.join(&b'/')), path))
}

fn listed(split: SplitName, root: &Path, file: &Path, samples: Vec<Line>) -> Result<ListedSplit, SourceError> {
    // Asking for lengths takes time on a network file system; a file that can't be asked counts, and loading reports it.
    let length = |path: &Path| fs::metadata(root.join(path)).map_or(0, |metadata| metadata.len());
    let lengths: Vec<(u64, Vec<u64>)> = (samples.par_iter())
        .map(|line| (length(&line.path), line.masks.iter().map(|(_, path)| length(path)).collect()))
        .collect();
    let masks_per_sample = samples.first().map_or(0, |line| line.masks.len());
    if masks_per_sample > MOST_MASKS {
        let number = samples.first().map_or(1, |line| line.number);
        let found = format!("a list of {masks_per_sample} files");
        return Err(at(file, number, Wrong::new("mask", found, format!("at most {MOST_MASKS}"))));
    }
    let has_boxes = samples.iter().any(|line| line.parsed.has_boxes);
    let has_keypoints = samples.iter().any(|line| line.parsed.has_keypoints);
    let mut table = AnnotationTable::default();
    let lines = samples.iter().map(|line| line.number).collect();
    let (mut entries, mut masks) = (Vec::with_capacity(samples.len()), Vec::new());
    for (line, (bytes, mask_bytes)) in samples.into_iter().zip(lengths) {
        table.push(&line.parsed.annotations);
        let location = Location::Path(root.join(&line.path));
        entries.push(Entry { key: line.key, label: line.parsed.label, location, bytes });
        for ((key, path), bytes) in line.masks.into_iter().zip(mask_bytes) {
            masks.push(ListedMask { key, location: Location::Path(root.join(path)), bytes });
        }
    }
    let annotated = has_boxes || has_keypoints || masks_per_sample > 0;
    let table = table.shrunk();
    let written = Some(Written { manifest: file.into(), lines });
    let annotations =
        annotated.then_some(ListedAnnotations { table, has_boxes, has_keypoints, masks, masks_per_sample, written });
    Ok(ListedSplit { name: split.canonical().into(), entries, annotations })
}

/// Masks of one sample; each is a plane of the batch's tensor.
const MOST_MASKS: usize = 64;

/// The manifest's own name if it says more than a split, or that of its folder.
fn name_of(path: &Path, root: &Path) -> String {
    let own = path.file_stem().filter(|_| is_jsonl(path) && split_of(path).is_none());
    let real = root.canonicalize().unwrap_or_default();
    let name = own.or_else(|| root.file_name()).or_else(|| real.file_name());
    name.map_or_else(|| "dataset".into(), |name| key::text(name.as_encoded_bytes()))
}
