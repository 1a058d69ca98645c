use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::split_name::SplitName;
use super::walk::{Candidate, Folder, Level, candidates};
use super::{Entry, Ignored, ListedSplit, Listing, Location, SourceError, Why, key};

/// Lists a folder of images. No content is read but the first bytes of files that are not named as images are.
///
/// - `train`, `val` and `test` folders, in any of their usual spellings and in any case, are splits; without them the folder
///   is one split, `train`. With two of them or more, whatever else is beside them is passed over; with a single one, another
///   folder that has images is refused, since classes may be called `train` or `test` too.
/// - The folders in a split are its classes, numbered in bytewise order; files below them at any depth belong to the class.
///   Numbers of `train` hold for all splits; classes that only a later split has follow, split by split. A folder without
///   images is no class. A split that has images but no folders has the label -1.
/// - Samples are in bytewise order of their paths. A file counts if it is named as an image or begins as one. All others are
///   listed with the reason, as hidden ones are. Links are followed.
///
/// The dataset is called `name`, or else as the folder is.
///
/// # Errors
/// [`SourceError`]: the folder can't be read, has no images, or can be understood in two ways.
pub fn folder(path: &Path, name: Option<&str>) -> Result<Listing, SourceError> {
    let root = Folder::root(path)?;
    let mut ignored = Vec::new();
    let mut splits = splits(&root, &mut ignored)?;
    splits.sort_by_key(|images| images.split);
    ignored.sort_by(|a, b| a.path.cmp(&b.path));
    if splits.is_empty() {
        return Err(SourceError::NoImages { path: path.into(), ignored });
    }
    let labels = labels(&splits);
    let mut classes = vec![String::new(); labels.len()];
    for (class, label) in &labels {
        classes[*label] = key::text(class);
    }
    Ok(Listing {
        name: name.map_or_else(|| name_of(&root), str::to_owned),
        classes,
        box_classes: Vec::new(),
        keypoint_names: Vec::new(),
        splits: splits.into_iter().map(|images| images.listed(&labels)).collect(),
        ignored,
    })
}

/// The images of a split.
struct Images {
    split: SplitName,
    /// Path of the split's folder in the dataset; empty if it is the dataset's own.
    folder: Vec<u8>,
    /// In order; not empty; either all of them in class folders or none.
    candidates: Vec<Candidate>,
}

impl Images {
    /// The images of the split whose folder is `folder`, if there are any.
    fn of(split: SplitName, folder: &Folder, ignored: &mut Vec<Ignored>) -> Result<Option<Self>, SourceError> {
        let level = folder.level()?;
        let folders: Vec<Vec<u8>> = level.folders.iter().map(|folder| folder.inside.clone()).collect();
        let mut images = Images { split, folder: folder.inside.clone(), candidates: level.images(ignored)? };
        let classes: BTreeSet<Vec<u8>> =
            images.classes().into_iter().map(|class| key::join(&folder.inside, class)).collect();
        let empty = folders.iter().filter(|folder| !classes.contains(*folder));
        ignored.extend(empty.map(|folder| Ignored { path: key::text(folder), why: Why::NoImages }));
        if !classes.is_empty() {
            let (inside, beside) = images.candidates.into_iter().partition(|c| class_of(&folder.inside, c).is_some());
            images.candidates = inside;
            ignore(beside, Why::BesideClasses, ignored);
        }
        Ok((!images.candidates.is_empty()).then_some(images))
    }

    /// The classes that have images here, in order.
    fn classes(&self) -> BTreeSet<&[u8]> {
        self.candidates.iter().filter_map(|candidate| class_of(&self.folder, candidate)).collect()
    }

    fn listed(self, labels: &HashMap<Vec<u8>, usize>) -> ListedSplit {
        let entry = |candidate: Candidate| Entry {
            key: key::text(&candidate.file.inside),
            label: class_of(&self.folder, &candidate).and_then(|c| labels.get(c)).map_or(-1, |label| *label as i64),
            location: Location::Path(candidate.file.path),
            bytes: candidate.bytes,
        };
        let entries = self.candidates.into_iter().map(entry).collect();
        ListedSplit { name: self.split.canonical().into(), entries, annotations: None }
    }
}

/// Name of the class folder that an image of the split in `folder` is in.
fn class_of<'a>(folder: &[u8], candidate: &'a Candidate) -> Option<&'a [u8]> {
    key::class(folder, &candidate.file.inside)
}

/// The splits that have images.
fn splits(root: &Folder, ignored: &mut Vec<Ignored>) -> Result<Vec<Images>, SourceError> {
    let mut level = root.level()?;
    let split_folders = split_folders(&level)?;
    if split_folders.is_empty() {
        let images = Images::of(SplitName::Train, root, ignored)?;
        refuse_folder_around_splits(root, &level, images.as_ref())?;
        return Ok(images.into_iter().collect());
    }
    let (folders, beside): (Vec<Folder>, Vec<Folder>) =
        level.folders.into_iter().partition(|folder| SplitName::of(folder.name()).is_some());
    for other in beside {
        let other_name = key::text(&other.inside);
        if let [(_, split)] = &split_folders[..]
            && !other.level()?.images(&mut Vec::new())?.is_empty()
        {
            return Err(SourceError::SplitOrClass { split: split.clone(), other: other_name });
        }
        ignored.push(Ignored { path: other_name, why: Why::BesideSplits });
    }
    ignored.append(&mut level.ignored);
    let loose = candidates(level.files, ignored);
    ignore(loose, Why::BesideSplits, ignored);
    let mut found = Vec::new();
    for folder in folders {
        if let Some(split) = SplitName::of(folder.name()) {
            match Images::of(split, &folder, ignored)? {
                Some(images) => found.push(images),
                None => ignored.push(Ignored { path: key::text(&folder.inside), why: Why::NoImages }),
            }
        }
    }
    Ok(found)
}

/// The split folders of a level, with their names as they are spelled.
fn split_folders(level: &Level) -> Result<Vec<(SplitName, String)>, SourceError> {
    let mut found: Vec<(SplitName, String)> = Vec::new();
    for folder in &level.folders {
        let Some(split) = SplitName::of(folder.name()) else { continue };
        let name = key::text(folder.name());
        if let Some((_, first)) = found.iter().find(|(other, _)| *other == split) {
            return Err(SourceError::TwoSpellings { split: split.canonical(), first: first.clone(), second: name });
        }
        found.push((split, name));
    }
    Ok(found)
}

/// A folder whose only class has nothing but splits in it is a dataset's parent, named by mistake.
fn refuse_folder_around_splits(root: &Folder, level: &Level, images: Option<&Images>) -> Result<(), SourceError> {
    let (Some(images), [only]) = (images, &level.folders[..]) else { return Ok(()) };
    let first_below = |c: &Candidate| key::class(&only.inside, &c.file.inside).and_then(SplitName::of).is_some();
    let split = only.level()?.folders.into_iter().find(|folder| SplitName::of(folder.name()).is_some());
    match split {
        Some(split) if images.candidates.iter().all(first_below) => Err(SourceError::OneLevelTooHigh {
            path: root.path.clone(),
            inner: only.path.clone(),
            split: key::text(split.name()),
        }),
        _ => Ok(()),
    }
}

fn ignore(images: Vec<Candidate>, why: Why, ignored: &mut Vec<Ignored>) {
    ignored.extend(images.iter().map(|c| Ignored { path: key::text(&c.file.inside), why: why.clone() }));
}

/// Number of each class: those of the first split in order, then those that only the second has, and so on. So a split that
/// is added later renumbers no class of the ones before it.
fn labels(splits: &[Images]) -> HashMap<Vec<u8>, usize> {
    let mut labels = HashMap::new();
    for class in splits.iter().flat_map(Images::classes) {
        let next = labels.len();
        labels.entry(class.to_vec()).or_insert(next);
    }
    labels
}

/// Name of the folder as it was asked for, or where that has none (`.`) its own.
fn name_of(root: &Folder) -> String {
    let name = root.path.file_name().or_else(|| root.real().file_name());
    name.map_or_else(|| "dataset".into(), |name| key::text(name.as_encoded_bytes()))
}
