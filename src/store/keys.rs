use std::collections::HashMap;

/// Keys and labels of the samples of a split. File names lie back to back in one text, folders are stored once: a sample costs
/// 8 bytes and its file name.
#[derive(Debug)]
pub(super) struct Keys {
    /// All file names.
    names: Box<str>,
    /// Where each name ends in it, which is where the next begins.
    ends: Box<[u32]>,
    /// Each sample's place in `groups`.
    group: Box<[u32]>,
    groups: Box<[Group]>,
}

/// What samples have in common: usually all those of a class.
#[derive(Debug)]
struct Group {
    /// Folder in the dataset, up to and with the last `/`.
    folder: Box<str>,
    label: i64,
}

impl Keys {
    /// Keys with their labels. Nothing if the file names take more than 32 bits can count.
    pub(super) fn new<'a>(samples: impl ExactSizeIterator<Item = (&'a str, i64)>) -> Option<Self> {
        let mut names = String::new();
        let mut ends = Vec::with_capacity(samples.len());
        let mut group = Vec::with_capacity(samples.len());
        let mut groups = Vec::new();
        let mut places: HashMap<(&str, i64), u32> = HashMap::new();
        for (key, label) in samples {
            let (folder, name) = key.split_at(key.rfind('/').map_or(0, |slash| slash + 1));
            names.push_str(name);
            ends.push(u32::try_from(names.len()).ok()?);
            let next = u32::try_from(groups.len()).ok()?;
            group.push(*places.entry((folder, label)).or_insert_with(|| {
                groups.push(Group { folder: folder.into(), label });
                next
            }));
        }
        Some(Keys { names: names.into(), ends: ends.into(), group: group.into(), groups: groups.into() })
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Folder, with its last `/`, and file name of a sample: together its key.
    pub(super) fn parts(&self, index: usize) -> (&str, &str) {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        (&self.group(index).folder, &self.names[start..self.ends[index] as usize])
    }

    pub(super) fn label(&self, index: usize) -> i64 {
        self.group(index).label
    }

    fn group(&self, index: usize) -> &Group {
        &self.groups[self.group[index] as usize]
    }

    /// Samples of each of `classes` classes.
    pub(super) fn class_counts(&self, classes: usize) -> Box<[u64]> {
        let mut counts = vec![0; classes];
        for index in 0..self.len() {
            if let Some(count) = usize::try_from(self.label(index)).ok().and_then(|label| counts.get_mut(label)) {
                *count += 1;
            }
        }
        counts.into()
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> u64 {
        let folders: usize = self.groups.iter().map(|group| group.folder.len()).sum();
        let bytes = self.names.len()
            + size_of_val(&self.ends[..])
            + size_of_val(&self.group[..])
            + size_of_val(&self.groups[..])
            + folders;
        bytes as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_as_they_went_in() {
        let samples = [("1.png", -1), ("a/1.png", 0), ("a/b/", 0), ("a/ž.png", 1), ("a/2.png", 0), ("", 0)];
        let keys = Keys::new(samples.into_iter()).expect("short");
        for (index, (key, label)) in samples.into_iter().enumerate() {
            let (folder, name) = keys.parts(index);
            assert_eq!((format!("{folder}{name}").as_str(), keys.label(index)), (key, label));
        }
        assert_eq!((keys.len(), keys.groups.len()), (6, 5));
        assert_eq!(*keys.class_counts(2), [4, 1]);
    }

    #[test]
    fn folders_are_stored_once() {
        let names: Vec<String> = (0..1000).map(|n| format!("a/rather/long/folder/{n:03}.jpg")).collect();
        let keys = Keys::new(names.iter().map(|name| (name.as_str(), 3))).expect("short");
        assert_eq!(keys.bytes(), 1000 * (7 + 8) + 24 + 21);
    }
}
