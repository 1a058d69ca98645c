use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rayon::prelude::*;

use super::{Ignored, SourceError, Why, key};
use crate::header;

/// A folder of the dataset, or the dataset's own.
pub(super) struct Folder {
    /// Bytes of its path in the dataset, parts separated by `/`; empty for the dataset's own.
    pub(super) inside: Vec<u8>,
    /// Where it is.
    pub(super) path: PathBuf,
    chain: Rc<Chain>,
}

/// A folder without links, and those it was reached through: what tells a loop.
struct Chain {
    real: PathBuf,
    above: Option<Rc<Chain>>,
}

/// A file of the dataset that may be an image.
pub(super) struct Found {
    /// Bytes of its path in the dataset, parts separated by `/`.
    pub(super) inside: Vec<u8>,
    /// Where it is.
    pub(super) path: PathBuf,
}

/// A file of the dataset that counts as an image.
pub(super) struct Candidate {
    /// The file.
    pub(super) file: Found,
    /// Its length; 0 if the file can't be asked, which loading will report.
    pub(super) bytes: u64,
}

/// What is directly in a folder.
#[derive(Default)]
pub(super) struct Level {
    /// Folders in it, in bytewise order.
    pub(super) folders: Vec<Folder>,
    /// Files in it.
    pub(super) files: Vec<Found>,
    /// What is neither or does not count.
    pub(super) ignored: Vec<Ignored>,
}

impl Folder {
    /// The dataset's own folder.
    pub(super) fn root(path: &Path) -> Result<Self, SourceError> {
        let failed = |cause: io::Error| match cause.kind() {
            io::ErrorKind::NotFound => SourceError::NotFound { path: path.into() },
            io::ErrorKind::NotADirectory => SourceError::NotAFolder { path: path.into() },
            _ => SourceError::Unreadable { path: path.into(), cause },
        };
        if !fs::metadata(path).map_err(failed)?.is_dir() {
            return Err(SourceError::NotAFolder { path: path.into() });
        }
        let real = path.canonicalize().map_err(failed)?;
        Ok(Folder { inside: Vec::new(), path: path.into(), chain: Rc::new(Chain { real, above: None }) })
    }

    /// Bytes of its name.
    pub(super) fn name(&self) -> &[u8] {
        self.inside.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }

    /// Where it is, without links.
    pub(super) fn real(&self) -> &Path {
        &self.chain.real
    }

    /// What is directly in it. Links are followed, unless one leads to this folder or to one that it was reached through.
    pub(super) fn level(&self) -> Result<Level, SourceError> {
        let failed = |cause| SourceError::Unreadable { path: self.path.clone(), cause };
        let mut level = Level::default();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let (name, path) = (entry.file_name(), entry.path());
            let inside = key::join(&self.inside, name.as_encoded_bytes());
            let mut ignore = |why| level.ignored.push(Ignored { path: key::text(&inside), why });
            if name.as_encoded_bytes().starts_with(b".") {
                ignore(Why::Hidden);
                continue;
            }
            let own = entry.file_type().map_err(failed)?;
            // What a link leads to; one that leads nowhere counts as a file, which can't be read.
            let kind =
                if own.is_symlink() { fs::metadata(&path).map_or(own, |target| target.file_type()) } else { own };
            if kind.is_dir() {
                let real =
                    if own.is_symlink() { path.canonicalize().map_err(failed)? } else { self.real().join(&name) };
                if self.chain.contains(&real) {
                    ignore(Why::Loop);
                } else {
                    let chain = Rc::new(Chain { real, above: Some(Rc::clone(&self.chain)) });
                    level.folders.push(Folder { inside, path, chain });
                }
            } else if kind.is_file() || kind.is_symlink() {
                level.files.push(Found { inside, path });
            } else {
                ignore(Why::NotAFile);
            }
        }
        level.folders.sort_unstable_by(|a, b| a.inside.cmp(&b.inside));
        Ok(level)
    }
}

impl Chain {
    fn contains(&self, real: &Path) -> bool {
        let mut chain = Some(self);
        while let Some(folder) = chain {
            if folder.real == real {
                return true;
            }
            chain = folder.above.as_deref();
        }
        false
    }
}

impl Level {
    /// The images in it and in all the folders below, in bytewise order of their paths.
    pub(super) fn images(self, ignored: &mut Vec<Ignored>) -> Result<Vec<Candidate>, SourceError> {
        let mut files = Vec::new();
        let mut levels = vec![self];
        while let Some(mut level) = levels.pop() {
            files.append(&mut level.files);
            ignored.append(&mut level.ignored);
            for folder in level.folders {
                levels.push(folder.level()?);
            }
        }
        let mut candidates = candidates(files, ignored);
        candidates.par_sort_unstable_by(|a, b| a.file.inside.cmp(&b.file.inside));
        Ok(candidates)
    }
}

/// Those of `files` that count as images: those named as one is, and those whose content begins as one does.
pub(super) fn candidates(files: Vec<Found>, ignored: &mut Vec<Ignored>) -> Vec<Candidate> {
    let asked: Vec<Result<Candidate, Ignored>> = files
        .into_par_iter()
        .map(|file| match length(&file) {
            Ok(bytes) => Ok(Candidate { file, bytes }),
            Err(why) => Err(Ignored { path: key::text(&file.inside), why }),
        })
        .collect();
    let mut candidates = Vec::with_capacity(asked.len());
    for answer in asked {
        match answer {
            Ok(candidate) => candidates.push(candidate),
            Err(other) => ignored.push(other),
        }
    }
    candidates
}

/// Length of a file that counts as an image. One that is named as an image is but can't be asked counts too: it is missing
/// from the dataset, and loading says so.
fn length(file: &Found) -> Result<u64, Why> {
    let named = named_as_image(&file.path);
    let unreadable = |cause: io::Error| Why::Unreadable(cause.to_string());
    match fs::metadata(&file.path) {
        Ok(metadata) if !metadata.is_file() => Err(Why::NotAFile),
        Ok(metadata) if named || begins_as_image(&file.path).map_err(unreadable)? => Ok(metadata.len()),
        Ok(_) => Err(Why::NotAnImage),
        Err(_) if named => Ok(0),
        Err(cause) => Err(unreadable(cause)),
    }
}

fn named_as_image(path: &Path) -> bool {
    path.extension().is_some_and(|extension| EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

fn begins_as_image(path: &Path) -> io::Result<bool> {
    let mut first = Vec::with_capacity(16);
    File::open(path)?.take(16).read_to_end(&mut first)?;
    Ok(header::sniff(&first).is_some())
}

/// Extensions of the formats that [`header::read`] knows. A file without one is opened, so this also saves an opening per file.
const EXTENSIONS: [&str; 11] = ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "dib", "tif", "tiff"];
