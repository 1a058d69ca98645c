use super::op::Targets;
use super::registry;

/// What there is to know of an op beside its message in the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name of the folder of its kin: `geometry`, `colour`, …
    pub family: &'static str,
    /// What it does and which function it equals, within what tolerance; Markdown.
    pub equals: &'static str,
    /// What it changes.
    pub targets: Targets,
    /// The op as TOML spells it, for an image of 8 bits of 224 x 224 (`normalize` wants `to_float` before it).
    pub example: &'static str,
    /// Raised whenever a byte of its output changes.
    pub version: u32,
}

/// The op of that name; none for groups and for names that are no op's.
pub fn entry(name: &str) -> Option<Entry> {
    let (family, about) = registry::about(name)?;
    Some(Entry { family, equals: about.equals, targets: about.targets, example: about.example, version: about.version })
}

/// Names of all ops, in the order of the contract; groups are none.
pub fn names() -> impl Iterator<Item = &'static str> {
    registry::NAMES.iter().copied()
}
