use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::augment::resources::{Model, Unavailable};

/// The models of the server: files of one folder, each read when the first spec asks for it and kept for good, so that a file that
/// is exchanged meanwhile changes no running loader.
#[derive(Default)]
pub(crate) struct Models {
    folder: Option<PathBuf>,
    read: Mutex<BTreeMap<String, Arc<Model>>>,
}

impl Models {
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Models { folder, read: Mutex::default() }
    }

    /// The model in the file of that name.
    ///
    /// # Errors
    /// If there is none, it can't be read, or it is too large beside the others.
    pub(crate) fn get(&self, name: &str) -> Result<Arc<Model>, Unavailable> {
        // A name comes from a client: nothing in it may lead out of the folder.
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if name.is_empty() || name.len() > MOST_NAME || name.starts_with('.') || !name.chars().all(plain) {
            let shown: String = name.chars().take(MOST_NAME).collect();
            let expected =
                "the name of a file: letters, digits, dots, dashes and underscores, no dot at the start, no folder";
            return Err(Unavailable::new(format!("{shown:?}"), expected));
        }
        let Some(folder) = &self.folder else {
            return Err(Unavailable::new(format!("{name:?}"), "a server with a folder of models: --models"));
        };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(model) = read.get(name) {
            return Ok(Arc::clone(model));
        }
        let missing = |error: std::io::Error| {
            let files = fs::read_dir(folder).into_iter().flatten().flatten();
            let mut known: Vec<String> = files.filter_map(|file| file.file_name().into_string().ok()).collect();
            known.sort();
            known.truncate(MOST_SHOWN);
            Unavailable::new(format!("{name:?}: {error}"), format!("a model of the server: {}", known.join(", ")))
        };
        let path = folder.join(name);
        // A link may lead out of the folder, wherever the folder itself is.
        let inside = fs::canonicalize(folder).and_then(|folder| Ok(fs::canonicalize(&path)?.starts_with(folder)));
        if !inside.map_err(missing)? {
            return Err(missing(std::io::Error::other("a link that leads out of the folder")));
        }
        // A pipe or a device would never end.
        let metadata = fs::metadata(&path).map_err(missing)?;
        if !metadata.is_file() {
            return Err(missing(std::io::Error::other("not a file")));
        }
        let kept: u64 = read.values().map(|model| model.file.len() as u64).sum();
        let room = MOST_BYTES.saturating_sub(kept);
        let too_large = || {
            let expected = format!("at most {MOST_BYTES} bytes of all models that are used, of which {kept} are taken");
            Unavailable::new(format!("{name:?}, with more than {room} bytes"), expected)
        };
        if metadata.len() > room {
            return Err(too_large());
        }
        let mut file = Vec::new();
        // It may grow meanwhile.
        File::open(&path).map_err(missing)?.take(room + 1).read_to_end(&mut file).map_err(missing)?;
        if file.len() as u64 > room {
            return Err(too_large());
        }
        let digest = blake3::hash(&file).to_hex().to_string();
        let model = Arc::new(Model::new(name, digest, file));
        read.insert(name.to_owned(), Arc::clone(&model));
        Ok(model)
    }
}

/// Bytes of all models that were ever asked for.
pub(super) const MOST_BYTES: u64 = 512 << 20;
/// Longest name of a model.
const MOST_NAME: usize = 128;
/// Names that a refusal mentions.
const MOST_SHOWN: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_but_into_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = folder.path().join("models");
        fs::create_dir(&inner).expect("made");
        fs::write(folder.path().join("secret"), b"no").expect("written");
        fs::write(inner.join("a.onnx"), b"yes").expect("written");
        fs::create_dir(inner.join("folder")).expect("made");
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path().join("secret"), inner.join("link.onnx")).expect("linked");
        let models = Models::new(Some(inner.clone()));
        let model = models.get("a.onnx").expect("there");
        assert_eq!((&model.file[..], &*model.digest), (&b"yes"[..], &*blake3::hash(b"yes").to_hex()));
        for name in [
            "",
            ".",
            "..",
            "../secret",
            "a.onnx/",
            "/etc/passwd",
            "..\\secret",
            "folder",
            "link.onnx",
            "b.onnx",
            "a\0b",
            ".a",
        ] {
            assert!(models.get(name).is_err(), "{name:?}");
        }
        let refused = models.get("b.onnx").err().expect("not there");
        assert!(refused.expected.contains("a.onnx"), "{refused:?}");
        // What was read once stays what it was.
        fs::write(inner.join("a.onnx"), b"another").expect("written");
        assert!(Arc::ptr_eq(&model, &models.get("a.onnx").expect("kept")));
        // Of a file that is too large nothing is read: this one has no content on the disk.
        let large = File::create(inner.join("large.onnx")).expect("made");
        large.set_len(MOST_BYTES + 1).expect("sparse");
        let refused = models.get("large.onnx").err().expect("too large");
        let room = MOST_BYTES - 3;
        assert_eq!(refused.found, format!("\"large.onnx\", with more than {room} bytes"));
        assert!(refused.expected.contains("of which 3 are taken"), "{refused:?}");
        assert!(Models::new(None).get("a.onnx").err().expect("no folder").expected.contains("--models"));
    }
}
