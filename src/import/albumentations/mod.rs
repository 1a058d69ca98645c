//! Albumentations: `albumentations.save` writes a tree of classes with their arguments.

/// Boxes and keypoints.
mod annotations;

/// What several classes say alike: interpolation, borders.
mod common;

/// Classes that change colours.
mod colour;

/// Classes that change the type of pixels, or nothing.
mod convert;

/// Classes that move pixels.
mod geometry;

/// Containers.
mod group;

/// Names and units of 1.x.
mod rename;

/// Classes that blur, sharpen, add noise, compress and cut holes.
mod spoil;

/// Why a class has no equal.
mod unsupported;

/// Classes that turn, shear and bend.
mod warp;

use std::collections::BTreeMap;

use feedline_proto::v1::{self, op::Op};
use serde_json::Value;

use super::node::{Node, shortened};
use super::report::Report;
use super::step::{Kind, Step};
use common::Leaf;

/// Makes the ops of a class.
type Import = fn(&mut Leaf<'_>) -> Vec<Op>;

/// Classes that can be imported, containers excepted, by name.
pub fn classes() -> impl Iterator<Item = &'static str> {
    all_classes().map(|(name, _)| *name)
}

/// Containers that can be imported.
pub const CONTAINERS: [&str; 7] =
    ["Compose", "OneOf", "OneOrOther", "RandomOrder", "ReplayCompose", "Sequential", "SomeOf"];

/// Why a class of albumentations 2.0.8 can't be imported; none for those that can, and for names that are none of its classes.
pub fn why_not(class: &str) -> Option<&'static str> {
    unsupported::CLASSES.iter().find(|(name, _)| *name == class).map(|(_, why)| *why)
}

fn all_classes() -> impl Iterator<Item = &'static (&'static str, Import)> {
    [geometry::CLASSES, warp::CLASSES, colour::CLASSES, spoil::CLASSES, convert::CLASSES].into_iter().flatten()
}

/// The steps of a document, and who wrote it.
pub(super) fn import(
    document: Value,
    approximate: bool,
    report: &mut Report,
    spec: &mut v1::LoaderSpec,
) -> Result<(String, Vec<Step>), String> {
    let Value::Object(mut document) = document else { return Err("not an object".into()) };
    let Some(transform) = document.remove("transform") else {
        return Err("no `transform`, so this is not what albumentations.save writes".into());
    };
    let version = document.remove("__version__");
    let version = version.as_ref().and_then(Value::as_str).unwrap_or_default();
    for (name, value) in document {
        report.unsupported(&name, shortened(&value), "albumentations.save writes nothing of that name");
    }
    let mut importer = Importer { report, spec, approximate, channels: 3, not_always: 0, old: is_old(version) };
    importer.version(version);
    let steps = importer.steps(transform, "transform", Place { root: true, forced: false, depth: 0 });
    if importer.not_always > 0 {
        let found = format!("always_apply = false, {} times", importer.not_always);
        importer.report.notice("transform", found, "dropped: p alone says how often");
    }
    Ok((format!("albumentations {version}"), steps))
}

/// What is known all over the tree.
struct Importer<'r> {
    report: &'r mut Report,
    /// What the file says beside the pipeline.
    spec: &'r mut v1::LoaderSpec,
    approximate: bool,
    /// Channels of the images at this point.
    channels: usize,
    /// How often `always_apply` was false.
    not_always: usize,
    /// Whether 1.x wrote it.
    old: bool,
}

/// Where a transform stands.
#[derive(Clone, Copy)]
struct Place {
    /// It is the whole file.
    root: bool,
    /// Its container applies it whenever it takes it, whatever its own `p`.
    forced: bool,
    /// Containers around it.
    depth: usize,
}

impl Importer<'_> {
    fn version(&mut self, version: &str) {
        if self.old {
            let why = "names and units are those of 1.x; the rest is read as 2.0.8 reads it";
            self.report.notice("__version__", version, why);
        } else if !version.strip_prefix("2.0.").is_some_and(|patch| patch.parse().is_ok_and(|patch: u32| patch <= 8)) {
            let found = if version.is_empty() { "missing" } else { version };
            let why = "known are 1.x and 2.0.0 to 2.0.8; what an argument of another version means is not known here";
            self.report.unsupported("__version__", found, why);
        }
    }

    /// The steps of a transform: none, one or several.
    fn steps(&mut self, transform: Value, path: &str, at: Place) -> Vec<Step> {
        let before = self.report.unsupported.len();
        let steps = self.transform(transform, path, at);
        // Whatever was refused, a step that says so stands in its place.
        match steps {
            Some(steps) => steps,
            None => self.left_out(before),
        }
    }

    /// The first finding since `before`, as a step.
    fn left_out(&self, before: usize) -> Vec<Step> {
        let finding = self.report.unsupported.get(before).cloned();
        let step =
            |finding: super::Finding| Step { place: finding.place.clone(), kind: Kind::LeftOut(finding), weight: 1.0 };
        finding.map(step).into_iter().collect()
    }

    fn transform(&mut self, transform: Value, path: &str, at: Place) -> Option<Vec<Step>> {
        let Value::Object(fields) = transform else {
            self.report.unsupported(path, shortened(&transform), "expected an object with __class_fullname__");
            return None;
        };
        let mut values: BTreeMap<String, Value> = fields.into_iter().collect();
        let Some(Value::String(full)) = values.remove("__class_fullname__") else {
            self.report.unsupported(path, "no __class_fullname__", "expected the name of a class");
            return None;
        };
        let class = short(&full).to_owned();
        let path = if at.root && CONTAINERS.contains(&&*class) { path.to_owned() } else { format!("{path}.{class}") };
        if class.contains('.') {
            self.report.unsupported(
                &path,
                &full,
                "a class of your own: what it does is code, which is not in the file",
            );
            return None;
        }
        let always = self.always_apply(&mut values, &path);
        let class = rename::modernise(&class, &mut values, &path, self.report, self.approximate);
        if CONTAINERS.contains(&&*class) {
            return self.container(&class, values, &path, at);
        }
        let Some((_, import)) = all_classes().find(|(name, _)| *name == class) else {
            let why = why_not(&class).unwrap_or("no class of albumentations 2.0.8");
            self.report.unsupported(&path, &class, why);
            return None;
        };
        let mut node = Node::new(&path, values, self.report);
        let own = probability(&mut node, 0.5);
        // A class that is never applied stays so where its container would force it.
        let p = if own > 0.0 && (always || at.forced) { 1.0 } else { own };
        let mut leaf = Leaf { node, p, spent: false, approximate: self.approximate, channels: self.channels };
        let ops = import(&mut leaf);
        let Leaf { node, p, spent, channels, .. } = leaf;
        if !node.finish() {
            return None;
        }
        self.channels = channels;
        let steps: Vec<Step> = ops.into_iter().map(|op| Step::new(&path, op)).collect();
        Some(if spent || p >= 1.0 || steps.is_empty() { steps } else { vec![Step::sequence(&path, steps, p)] })
    }

    /// Takes `always_apply` of 1.x out; true if it stands and is true.
    fn always_apply(&mut self, values: &mut BTreeMap<String, Value>, path: &str) -> bool {
        match values.get("always_apply") {
            Some(Value::Bool(true)) if self.old => {
                self.report.notice(&format!("{path}.always_apply"), "true", "p is 1");
                values.remove("always_apply");
                true
            }
            Some(Value::Bool(true)) => {
                let why = "dropped: albumentations 2 takes no notice of it either, and p alone says how often";
                self.report.notice(&format!("{path}.always_apply"), "true", why);
                values.remove("always_apply");
                false
            }
            Some(Value::Bool(false) | Value::Null) => {
                self.not_always += 1;
                values.remove("always_apply");
                false
            }
            _ => false,
        }
    }
}

/// The name without the module, if the module is one of albumentations; else all of it.
fn short(full: &str) -> &str {
    match full.starts_with("albumentations.") {
        true => full.rsplit('.').next().unwrap_or(full),
        false => full,
    }
}

fn is_old(version: &str) -> bool {
    version.starts_with("1.") || version.starts_with("0.")
}

/// `p`, or what albumentations takes for it when it loads a file without.
fn probability(node: &mut Node<'_>, default: f64) -> f64 {
    if !node.has("p") {
        node.notice("p", "missing", format!("{default}, as albumentations loads it"));
    }
    let p = node.number("p").unwrap_or(default);
    if !(0.0..=1.0).contains(&p) {
        node.refuse("p", p, "expected a probability, 0 to 1");
    }
    p
}
