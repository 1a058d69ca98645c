use std::sync::LazyLock;

use feedline_proto::describe::{self, Described};
use feedline_proto::{rule, v1};

use super::op::Targets;
use super::{Pipeline, registry};
use crate::image::{Depth, Form, Size};

mod cost;

pub use cost::{Cost, cost};

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

/// Names of all ops whose examples can be built here, in the order of the contract: without the feature `onnx` those that run a
/// model are not among them. Groups are no ops.
pub fn names() -> impl Iterator<Item = &'static str> {
    registry::NAMES.iter().copied().filter(|name| cfg!(feature = "onnx") || !registry::MODELS.contains(name))
}

/// What a name of the catalogue stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An op of a pipeline.
    Op,
    /// A group of ops, which stands in a pipeline where an op may.
    Group,
    /// A mixing of rows, which stands in a spec beside the pipeline.
    Mixing,
}

/// Everything that a spec can name: ops, groups and mixings, as the contract describes them.
pub fn all() -> &'static [(Kind, Described)] {
    static ALL: LazyLock<Vec<(Kind, Described)>> = LazyLock::new(|| {
        let kind = |name: &str| if registry::about(name).is_some() { Kind::Op } else { Kind::Group };
        let ops = describe::ops().into_iter().map(|described| (kind(&described.name), described));
        ops.chain(describe::mixings().into_iter().map(|described| (Kind::Mixing, described))).collect()
    });
    &ALL
}

/// An example of what has that name, as configuration files spell it: a pipeline's `ops`, or a spec's `mixing`. None if nothing
/// has that name.
pub fn example(name: &str) -> Option<String> {
    if let Some((_, text)) = OTHERS.iter().find(|(other, _)| *other == name) {
        return Some((*text).to_owned());
    }
    let example = entry(name)?.example;
    // Models take 8 bits; to be told what there is nobody waits for one to be read.
    let floats = !registry::MODELS.contains(&name) && needs_floats(example);
    let before = if floats { "  { to_float = {} },\n" } else { "" };
    Some(format!("ops = [\n{before}  {{ {example} }},\n]\n"))
}

/// The example of an op or group as a pipeline, defaults not filled in. None for mixings, and if nothing has that name.
pub fn pipeline(name: &str) -> Option<v1::Pipeline> {
    parse(&example(name)?)
}

/// The images that examples are for: 8 bits, of 224 x 224, with three channels.
pub const EXAMPLE_FORM: Form = {
    let size = Size::new(224, 224);
    Form { smallest: size, largest: size, channels: 3, depth: Depth::U8 }
};

/// Whether an op refuses images of 8 bits.
fn needs_floats(example: &str) -> bool {
    let builds = |text: &str| {
        let pipeline = parse(text).map(|pipeline| rule::with_defaults(&pipeline));
        pipeline.is_some_and(|pipeline| Pipeline::build(&pipeline, EXAMPLE_FORM).is_ok())
    };
    !builds(&format!("ops = [{{ {example} }}]")) && builds(&format!("ops = [{{ to_float = {{}} }}, {{ {example} }}]"))
}

fn parse(text: &str) -> Option<v1::Pipeline> {
    toml::from_str(text).ok()
}

/// Examples of what has no file of its own among the ops.
const OTHERS: [(&str, &str); 9] = [
    (
        "sequence",
        "ops = [\n  { sequence = { p = 0.5, ops = [\n    { grayscale = {} },\n    { contrast = { factor = [0.5, 1.5] } },\n  ] } },\n]\n",
    ),
    (
        "one_of",
        "ops = [\n  { one_of = { weights = [2, 1], ops = [\n    { horizontal_flip = { p = 1 } },\n    { grayscale = {} },\n  ] } },\n]\n",
    ),
    (
        "some_of",
        "ops = [\n  { some_of = { count = 2, ops = [\n    { brightness = { factor = [0.5, 1.5] } },\n    { contrast = { factor = [0.5, 1.5] } },\n    { saturation = { factor = [0.5, 1.5] } },\n  ] } },\n]\n",
    ),
    (
        "random_order",
        "ops = [\n  { random_order = { ops = [\n    { brightness = { factor = [0.5, 1.5] } },\n    { contrast = { factor = [0.5, 1.5] } },\n  ] } },\n]\n",
    ),
    (
        "cutmix_or_mixup",
        "[mixing]\ncutmix_or_mixup = { cutmix = { alpha = 1.0 }, mixup = { alpha = 0.8 }, switch_prob = 0.5 }\nlabel_smoothing = 0.1\n",
    ),
    ("cutmix", "[mixing]\ncutmix = { alpha = 1.0, p = 0.5 }\n"),
    ("mixup", "[mixing]\nmixup = { alpha = 0.2 }\n"),
    ("mosaic", "targets = [\"boxes\"]\nbox_rules = { min_visibility = 0.1 }\n\n[mixing]\nmosaic = { p = 0.5 }\n"),
    ("copy_paste", "targets = [\"boxes\", \"mask\"]\n\n[mixing]\ncopy_paste = { max_objects = 5 }\n"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_in_the_catalogue_has_an_example_that_builds() {
        for (kind, described) in all() {
            let name = &described.name;
            let text = example(name).unwrap_or_else(|| panic!("no example of {name}"));
            if *kind == Kind::Mixing {
                toml::from_str::<v1::LoaderSpec>(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
                continue;
            }
            let pipeline = pipeline(name).unwrap_or_else(|| panic!("{name}: can't be read: {text}"));
            rule::check(&pipeline).unwrap_or_else(|found| panic!("{name}: {found:?}"));
            if !cfg!(feature = "onnx") && registry::MODELS.contains(&name.as_str()) {
                continue;
            }
            let built = Pipeline::build(&rule::with_defaults(&pipeline), EXAMPLE_FORM);
            assert!(built.is_ok(), "{name}: {:?}", built.err());
            assert!(text.contains(name.as_str()), "{name}: {text}");
        }
    }

    #[test]
    fn every_op_is_described_by_the_contract_and_by_its_file() {
        let ops: Vec<&str> =
            all().iter().filter(|(kind, _)| *kind == Kind::Op).map(|(_, op)| op.name.as_str()).collect();
        assert_eq!(ops, registry::NAMES, "the registry has another order than the contract");
        for name in registry::NAMES {
            assert!(!entry(name).expect("an op").equals.is_empty(), "{name} does not say what it equals");
        }
    }
}
