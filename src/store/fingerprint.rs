use super::keys::Keys;
use crate::sample::AnnotationTable;

/// The hash of a dataset, in the making. What goes in is written with its length before it, so no two datasets write the same.
pub(super) struct Fingerprint(blake3::Hasher);

/// What of a sample's content is in the fingerprint: its length and hash, or nothing if it could not be read.
pub(super) type Content = Option<(u64, [u8; 32])>;

impl Fingerprint {
    pub(super) fn new(classes: &[String], splits: usize) -> Self {
        let mut print = Fingerprint(blake3::Hasher::new_derive_key(CONTEXT));
        print.number(classes.len() as u64);
        classes.iter().for_each(|class| print.text([class]));
        print.number(splits as u64);
        print
    }

    /// Adds a split. Samples are added in their order, whoever hashed their contents.
    pub(super) fn split(&mut self, name: &str, keys: &Keys, contents: &[Content]) {
        self.text([name]);
        self.number(keys.len() as u64);
        for (index, content) in contents.iter().enumerate() {
            let (folder, file) = keys.parts(index);
            self.text([folder, file]);
            self.0.update(&keys.label(index).to_le_bytes());
            self.content(content);
        }
    }

    /// Adds what the annotations of all splits mean. Only for a dataset that has some, so that others stay as they are.
    pub(super) fn names(&mut self, box_classes: &[String], keypoints: &[String]) {
        self.text(["annotations"]);
        for names in [box_classes, keypoints] {
            self.number(names.len() as u64);
            names.iter().for_each(|name| self.text([name]));
        }
    }

    /// Adds the annotations of a split; `masks` are all masks of the first sample, then of the second, and so on.
    pub(super) fn annotations(&mut self, split: &str, table: &AnnotationTable, masks: &[Content]) {
        self.text([split]);
        let mut bytes = Vec::new();
        self.number(table.len() as u64);
        for index in 0..table.len() {
            bytes.clear();
            table.canonical(index, &mut bytes);
            self.0.update(&bytes);
        }
        self.number(masks.len() as u64);
        masks.iter().for_each(|mask| self.content(mask));
    }

    /// 32 hex digits.
    pub(super) fn digits(&self) -> String {
        self.0.finalize().as_bytes()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn content(&mut self, content: &Content) {
        self.0.update(&[u8::from(content.is_some())]);
        if let Some((length, hash)) = content {
            self.number(*length);
            self.0.update(hash);
        }
    }

    fn number(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }

    fn text<const N: usize>(&mut self, parts: [&str; N]) {
        self.number(parts.iter().map(|part| part.len() as u64).sum());
        for part in parts {
            self.0.update(part.as_bytes());
        }
    }
}

/// Names what is hashed and how; another way of hashing gets another number.
const CONTEXT: &str = "feedline dataset fingerprint 1";
