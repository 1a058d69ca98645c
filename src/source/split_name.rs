/// A split, by its canonical name; in the order in which a dataset lists its splits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SplitName {
    /// What models are trained on.
    Train,
    /// What is looked at during training.
    Validation,
    /// What is looked at in the end.
    Test,
}

impl SplitName {
    /// The split that a folder is by its name, in any case. The spellings are those of Hugging Face's image folders.
    pub(super) fn of(folder: &[u8]) -> Option<Self> {
        SPELLINGS.iter().find(|(spelling, _)| folder.eq_ignore_ascii_case(spelling.as_bytes())).map(|(_, split)| *split)
    }

    /// The name that clients use.
    pub(super) fn canonical(self) -> &'static str {
        match self {
            SplitName::Train => "train",
            SplitName::Validation => "validation",
            SplitName::Test => "test",
        }
    }
}

const SPELLINGS: [(&str, SplitName); 10] = [
    ("train", SplitName::Train),
    ("training", SplitName::Train),
    ("val", SplitName::Validation),
    ("valid", SplitName::Validation),
    ("validation", SplitName::Validation),
    ("dev", SplitName::Validation),
    ("test", SplitName::Test),
    ("testing", SplitName::Test),
    ("eval", SplitName::Test),
    ("evaluation", SplitName::Test),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_spellings_are_known_in_any_case() {
        assert_eq!(SplitName::of(b"TRAINING"), Some(SplitName::Train));
        assert_eq!(SplitName::of(b"Val"), Some(SplitName::Validation));
        assert_eq!(SplitName::of(b"eval"), Some(SplitName::Test));
        for other in [&b"trains"[..], b"train2", b"", b"cat", b"tra\xefn"] {
            assert_eq!(SplitName::of(other), None);
        }
    }

    #[test]
    fn canonical_names_are_spellings_of_themselves() {
        for (_, split) in SPELLINGS {
            assert_eq!(SplitName::of(split.canonical().as_bytes()), Some(split));
        }
    }
}
