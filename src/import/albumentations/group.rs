use std::collections::BTreeMap;

use feedline_proto::v1::{self, op::Op};
use serde_json::{Value, json};

use super::{Importer, Place, probability};
use crate::import::node::{Node, shortened};
use crate::import::step::Step;

/// What a container says, its transforms imported.
struct Group {
    p: f64,
    n: u32,
    replace: bool,
    /// Weight of each transform as its `p` says it, and its steps; none for those that do nothing.
    children: Vec<(f64, Vec<Step>)>,
}

impl Importer<'_> {
    pub(super) fn container(
        &mut self,
        class: &str,
        mut values: BTreeMap<String, Value>,
        path: &str,
        at: Place,
    ) -> Option<Vec<Step>> {
        if at.depth >= MOST_DEPTH {
            self.report.unsupported(path, "containers in containers", format!("at most {MOST_DEPTH} levels"));
            return None;
        }
        let Some(Value::Array(transforms)) = values.remove("transforms") else {
            self.report.unsupported(&format!("{path}.transforms"), "missing", "expected a list of transforms");
            return None;
        };
        if matches!(class, "Compose" | "ReplayCompose") {
            self.annotations(&mut values, path, at.root);
        }
        let mut group = self.arguments(class, values, path)?;
        // Of these the container takes one, and applies it whatever its own p.
        let forced = matches!(class, "OneOf" | "OneOrOther");
        for (index, transform) in transforms.into_iter().enumerate() {
            let weight = transform.get("p").and_then(Value::as_f64).unwrap_or(0.5);
            let inner = Place { root: false, forced, depth: at.depth + 1 };
            group.children.push((weight, self.steps(transform, &format!("{path}.transforms[{index}]"), inner)));
        }
        match class {
            "OneOf" => self.one_of(if at.forced { 1.0 } else { group.p }, group.children, path),
            "OneOrOther" => self.one_or_other(group, path),
            "SomeOf" | "RandomOrder" => Some(some_of(class, group, path)),
            // A Compose, a Sequential: their transforms one after the other.
            _ => {
                let p = if at.forced { 1.0 } else { group.p };
                let steps: Vec<Step> = group.children.into_iter().flat_map(|(_, steps)| steps).collect();
                Some(if p >= 1.0 || steps.is_empty() { steps } else { vec![Step::sequence(path, steps, p)] })
            }
        }
    }

    /// The arguments of a container beside its transforms.
    fn arguments(&mut self, class: &str, values: BTreeMap<String, Value>, path: &str) -> Option<Group> {
        let mut node = Node::new(path, values, self.report);
        // Missing, albumentations takes that of the class for these two, 0.5 for all else.
        let p = probability(&mut node, if matches!(class, "Compose" | "ReplayCompose") { 1.0 } else { 0.5 });
        let (mut n, mut replace) = (1, false);
        match class {
            "Compose" | "ReplayCompose" => compose(&mut node),
            "SomeOf" | "RandomOrder" => {
                n = node.whole("n").unwrap_or(1);
                replace = node.flag("replace").unwrap_or(false);
            }
            _ => {}
        }
        node.finish().then(|| Group { p, n, replace, children: Vec::new() })
    }

    /// One of several by weight. An alternative that does nothing takes its share of the probability with it.
    fn one_of(&mut self, p: f64, children: Vec<(f64, Vec<Step>)>, path: &str) -> Option<Vec<Step>> {
        if children.is_empty() {
            return Some(Vec::new());
        }
        let total: f64 = children.iter().map(|(weight, _)| weight).sum();
        if !(total > 0.0 && children.iter().all(|(weight, _)| *weight >= 0.0)) {
            let why = "albumentations divides by their sum: at least one must be above 0, none below";
            self.report.unsupported(path, "weights (p) that are all 0, or negative", why);
            return None;
        }
        let nothing: f64 = children.iter().filter(|(_, steps)| steps.is_empty()).map(|(weight, _)| weight).sum();
        let steps: Vec<Step> = children
            .into_iter()
            .filter(|(_, steps)| !steps.is_empty())
            .map(|(weight, steps)| Step { weight, ..together(path, steps) })
            .collect();
        let p = p * (1.0 - nothing / total);
        if steps.is_empty() || p <= 0.0 {
            return Some(Vec::new());
        }
        let op = Op::OneOf(v1::OneOf { p: (p < 1.0).then_some(p), ..Default::default() });
        Some(vec![Step::group(path, op, steps)])
    }

    /// The first with probability p, else the last.
    fn one_or_other(&mut self, mut group: Group, path: &str) -> Option<Vec<Step>> {
        let [first, other] = &mut group.children[..] else {
            let found = format!("{} transforms", group.children.len());
            self.report.unsupported(&format!("{path}.transforms"), found, "expected two");
            return None;
        };
        (first.0, other.0) = (group.p, 1.0 - group.p);
        group.children.retain(|(weight, _)| *weight > 0.0);
        self.one_of(1.0, group.children, path)
    }
}

/// Some of several, drawn uniformly, each then applied with its own p.
fn some_of(class: &str, group: Group, path: &str) -> Vec<Step> {
    let Group { p, n, replace, children } = group;
    let steps: Vec<Step> = children.into_iter().map(|(_, steps)| together(path, steps)).collect();
    let n = if replace { n } else { n.min(u32::try_from(steps.len()).unwrap_or(u32::MAX)) };
    if n == 0 || steps.is_empty() {
        return Vec::new();
    }
    let op = match class {
        "SomeOf" => Op::SomeOf(v1::SomeOf { count: n, p: (p < 1.0).then_some(p), replace, ..Default::default() }),
        // With replacement, n draws in a random order are n draws of one.
        _ if replace => {
            let draw = Step::group(path, Op::OneOf(v1::OneOf::default()), steps);
            return vec![Step::sequence(path, vec![draw; n.min(MOST_DRAWS) as usize], p)];
        }
        _ => Op::RandomOrder(v1::RandomOrder { count: n, p: (p < 1.0).then_some(p), ..Default::default() }),
    };
    vec![Step::group(path, op, steps)]
}

/// The steps of one transform as one step.
fn together(path: &str, mut steps: Vec<Step>) -> Step {
    match steps.len() {
        // Among several that may be drawn, one that does nothing has to stand for something.
        0 => Step::new(&format!("{path}: NoOp"), Op::HorizontalFlip(v1::HorizontalFlip { p: Some(0.0) })),
        1 => steps.remove(0),
        _ => Step::sequence(&steps[0].place.clone(), steps, 1.0),
    }
}

/// What a Compose says beside its transforms: nothing of it changes an image.
fn compose(node: &mut Node<'_>) {
    if let Some(targets) = node.take("additional_targets").filter(|targets| *targets != json!({})) {
        node.refuse("additional_targets", shortened(&targets), "a sample has one image, and its annotations");
    }
    node.only("mask_interpolation", &[json!(0), json!(6)], "masks hold classes: they are moved by the nearest pixel");
    node.drop("is_check_shapes", &json!(true), "dropped: mask and image of a sample are always of one size");
    node.drop("strict", &json!(false), "dropped: feedline is always strict");
    node.drop("seed", &Value::Null, "dropped: the seed of the loader spec decides");
    node.drop("save_applied_params", &json!(false), "dropped: every draw can be computed again from the seed");
    node.drop("save_key", &json!("replay"), "dropped: every draw can be computed again from the seed");
}

/// Containers in containers.
const MOST_DEPTH: usize = 16;
/// More draws than a pipeline may have ops are refused when it is built.
const MOST_DRAWS: u32 = 257;
