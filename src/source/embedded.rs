use std::collections::BTreeMap;

use super::split_name::SplitName;
use super::{Entry, ListedSplit, Listing, Location, key};

/// Lists images that are part of the program, each with its path in the dataset. The path is read as that of a file in a
/// folder is: `[split/]class/name`, without a split folder `train`, without one of `classes` as the class folder label -1.
pub fn embedded(name: &str, classes: &[&str], items: impl Iterator<Item = (&'static str, &'static [u8])>) -> Listing {
    let mut splits: BTreeMap<SplitName, Vec<Entry>> = BTreeMap::new();
    for (path, bytes) in items {
        let first = path.split('/').next().unwrap_or_default();
        let (split, folder) = match SplitName::of(first.as_bytes()) {
            Some(split) if first.len() < path.len() => (split, first),
            _ => (SplitName::Train, ""),
        };
        let class = key::class(folder.as_bytes(), path.as_bytes());
        let label = class.and_then(|class| classes.iter().position(|known| known.as_bytes() == class));
        splits.entry(split).or_default().push(Entry {
            key: key::text(path.as_bytes()),
            label: label.map_or(-1, |label| label as i64),
            location: Location::Embedded(bytes),
            bytes: bytes.len() as u64,
        });
    }
    let splits = splits.into_iter().map(|(split, mut entries)| {
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        ListedSplit { name: split.canonical().into(), entries, annotations: None }
    });
    Listing {
        name: name.into(),
        classes: classes.iter().map(|class| (*class).into()).collect(),
        box_classes: Vec::new(),
        keypoint_names: Vec::new(),
        splits: splits.collect(),
        ignored: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_tell_split_and_class() {
        let items: [(&str, &[u8]); 4] =
            [("val/dog/3.png", b"3"), ("train/dog/2.png", b"22"), ("train/cat/1.png", b"1"), ("odd/4.png", b"")];
        let listing = embedded("demo", &["cat", "dog"], items.into_iter());
        let listed: Vec<_> = (listing.splits.iter())
            .flat_map(|split| split.entries.iter().map(|e| (split.name.as_str(), e.key.as_str(), e.label, e.bytes)))
            .collect();
        assert_eq!(
            listed,
            [
                ("train", "odd/4.png", -1, 0),
                ("train", "train/cat/1.png", 0, 1),
                ("train", "train/dog/2.png", 1, 2),
                ("validation", "val/dog/3.png", 1, 1)
            ]
        );
        assert_eq!((listing.name.as_str(), listing.classes.len()), ("demo", 2));
    }
}
