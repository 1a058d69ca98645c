use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};

use crate::sample::AnnotationTable;

mod embedded;
mod folder;
mod key;
mod manifest;
mod memory;
mod split_name;
mod walk;

pub use embedded::embedded;
pub use folder::folder;
pub use manifest::manifest;
pub use memory::{Given, Names, in_memory};

/// Lists what is at `path`: a manifest if it is one or a folder with one, or else a folder of images.
///
/// # Errors
/// [`SourceError`], as [`manifest()`] and [`folder()`].
pub fn at(path: &Path, name: Option<&str>) -> Result<Listing, SourceError> {
    if manifest::is_there(path) { manifest(path, name) } else { folder(path, name) }
}

/// What a dataset consists of, before any of it is loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    /// Name of the dataset.
    pub name: String,
    /// Names of the classes, by label. Those of `train` first, in bytewise order, then those that only later splits have.
    pub classes: Vec<String>,
    /// Names of the classes of boxes, by label. Empty if boxes have none.
    pub box_classes: Vec<String>,
    /// Names of the keypoints, by id. Empty if they have none.
    pub keypoint_names: Vec<String>,
    /// The splits that have samples: train, validation, test.
    pub splits: Vec<ListedSplit>,
    /// What was seen and passed over, with the reason.
    pub ignored: Vec<Ignored>,
}

/// A split of a [`Listing`].
#[derive(Clone, Debug, PartialEq)]
pub struct ListedSplit {
    /// `train`, `validation` or `test`, whatever the spelling of its folder.
    pub name: String,
    /// Its samples, in bytewise order of their paths: an entry's place is the sample's index.
    pub entries: Vec<Entry>,
    /// What is marked on their images, if anything is.
    pub annotations: Option<ListedAnnotations>,
}

/// What is marked on the images of a [`ListedSplit`].
#[derive(Clone, Debug, PartialEq)]
pub struct ListedAnnotations {
    /// Boxes and keypoints of every entry, in their order.
    pub table: AnnotationTable,
    /// Whether the split has boxes, though some or all of its samples may have none.
    pub has_boxes: bool,
    /// Whether the split has keypoints.
    pub has_keypoints: bool,
    /// The masks of the first entry, then those of the second, and so on.
    pub masks: Vec<ListedMask>,
    /// How many masks every entry has.
    pub masks_per_sample: usize,
    /// Where it is written what the masks of an entry are; none for samples that were given in memory.
    pub written: Option<Written>,
}

/// The manifest that names files, and the line of each entry: for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The manifest.
    pub manifest: PathBuf,
    /// Number of the line, from 1, of every entry, in their order.
    pub lines: Vec<usize>,
}

/// A mask of a sample: a PNG whose raw values are classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedMask {
    /// What it is called when it is at fault: its path in the dataset.
    pub key: String,
    /// Where it is.
    pub location: Location,
    /// Length of the encoded mask when it was listed; 0 if that could not be told.
    pub bytes: u64,
}

/// A sample of a [`ListedSplit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Path in the dataset, parts separated by `/`. A byte that is not UTF-8 is written `\xNN` and a backslash `\\`, so two
    /// files never share a key.
    pub key: String,
    /// Class, an index into the classes of the listing; -1 without one.
    pub label: i64,
    /// Where the encoded image is.
    pub location: Location,
    /// Length of the encoded image when it was listed; 0 if that could not be told.
    pub bytes: u64,
}

/// Where an encoded image is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A file.
    Path(PathBuf),
    /// A part of the program.
    Embedded(&'static [u8]),
    /// Bytes that the caller has.
    Memory(Arc<[u8]>),
}

/// A file or folder that is no part of the dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// Path in the dataset, written as a key is.
    pub path: String,
    /// Why it was passed over.
    pub why: Why,
}

/// Why a file or folder is no part of the dataset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// Its name begins with a dot.
    #[error("hidden")]
    Hidden,
    /// Neither its name nor its content is an image's.
    #[error("not an image")]
    NotAnImage,
    /// A socket, a pipe or a device.
    #[error("neither a file nor a folder")]
    NotAFile,
    /// Following it would never end.
    #[error("a link to a folder that contains it")]
    Loop,
    /// A folder in the place of a class or split, but with no image in it.
    #[error("a folder without images")]
    NoImages,
    /// An image that is in no class folder although there are some.
    #[error("an image beside the class folders")]
    BesideClasses,
    /// In no split folder although there are some.
    #[error("beside the split folders")]
    BesideSplits,
    /// A manifest beside those of splits.
    #[error("a manifest whose name is neither `manifest` nor a split's")]
    OtherManifest,
    /// Nothing in its name says that it is an image, and its content can't be asked.
    #[error("can't be read: {0}")]
    Unreadable(String),
}

/// Why there is no listing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// Nothing is there.
    #[error("no such folder: {}", path.display())]
    NotFound {
        /// What was asked for.
        path: PathBuf,
    },
    /// Something else is there.
    #[error("not a folder: {} (a dataset is a folder of images or of class folders)", path.display())]
    NotAFolder {
        /// What was asked for.
        path: PathBuf,
    },
    /// The folder or one below it can't be read.
    #[error("can't read folder {}: {cause}", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// There is no image in it.
    #[error("no images in {}{}", path.display(), first_of(ignored))]
    NoImages {
        /// The folder.
        path: PathBuf,
        /// What is in it.
        ignored: Vec<Ignored>,
    },
    /// Two folders are spellings of one split.
    #[error("folders {first:?} and {second:?} are both the {split} split: merge or rename one of them")]
    TwoSpellings {
        /// The split.
        split: &'static str,
        /// One folder.
        first: String,
        /// The other.
        second: String,
    },
    /// One folder has the name of a split, others beside it have images too: splits or classes?
    #[error(
        "folder {split:?} may be a split or a class, since {other:?} beside it has images too: move {other:?} away if it is \
         a split, put all of them into a folder `train` if they are classes"
    )]
    SplitOrClass {
        /// The folder with the name of a split.
        split: String,
        /// A folder beside it.
        other: String,
    },
    /// The only class would be a folder that has splits itself.
    #[error("the only folder in {} has split folders itself (such as {split:?}): use {} as the dataset", path.display(), inner.display())]
    OneLevelTooHigh {
        /// What was asked for.
        path: PathBuf,
        /// What was probably meant.
        inner: PathBuf,
        /// A split folder in it.
        split: String,
    },
    /// A manifest can't be read.
    #[error("can't read {}: {cause}", path.display())]
    UnreadableManifest {
        /// The manifest.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// A line of a manifest is not what it must be.
    #[error("{}:{line}: {field} is {found}, expected {expected}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// Path of the field: `boxes[3].box`.
        field: String,
        /// What it is.
        found: String,
        /// What it must be.
        expected: String,
    },
    /// A sample that was given in memory is not what it must be.
    #[error("sample {key:?}: {what}")]
    Given {
        /// Its key.
        key: String,
        /// What was found, and what was expected.
        what: String,
    },
}

fn first_of(ignored: &[Ignored]) -> String {
    match ignored {
        [] => ": it is empty".into(),
        [only] => format!(" ({}: {})", only.path, only.why),
        [first, ..] => format!(" ({} files and folders passed over; {}: {})", ignored.len(), first.path, first.why),
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Path(path) => path.fmt(f),
            Location::Embedded(bytes) => write!(f, "Embedded({} bytes)", bytes.len()),
            Location::Memory(bytes) => write!(f, "Memory({} bytes)", bytes.len()),
        }
    }
}
