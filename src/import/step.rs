use std::fmt::Write as _;

use feedline_proto::v1::{self, op::Op};
use serde_json::Value;

use super::report::Finding;

/// One op of the pipeline that is made, with where it came from.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Place in the file that is imported.
    pub(super) place: String,
    pub(super) kind: Kind,
    /// Weight among the ops of a `one_of`.
    pub(super) weight: f64,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// An op, groups excepted.
    Op(Op),
    /// A group; its own list of ops is empty, and its weights too.
    Group(Op, Vec<Step>),
    /// What can't be imported.
    LeftOut(Finding),
}

impl Step {
    pub(super) fn new(place: &str, op: Op) -> Step {
        Step { place: place.into(), kind: Kind::Op(op), weight: 1.0 }
    }

    pub(super) fn group(place: &str, op: Op, steps: Vec<Step>) -> Step {
        Step { place: place.into(), kind: Kind::Group(op, steps), weight: 1.0 }
    }

    /// Several steps together with a probability.
    pub(super) fn sequence(place: &str, steps: Vec<Step>, p: f64) -> Step {
        Step::group(place, Op::Sequence(v1::Sequence { p: (p < 1.0).then_some(p), ..Default::default() }), steps)
    }

    /// The op as the contract has it; none if nothing of it could be imported.
    fn message(&self) -> Option<v1::Op> {
        let mut op = match &self.kind {
            Kind::LeftOut(_) => return None,
            Kind::Op(op) => return Some(v1::Op { op: Some(op.clone()) }),
            Kind::Group(op, _) => op.clone(),
        };
        let Kind::Group(_, steps) = &self.kind else { return None };
        let (weights, inner): (Vec<f64>, Vec<v1::Op>) =
            steps.iter().filter_map(|step| Some((step.weight, step.message()?))).unzip();
        if inner.is_empty() {
            return None;
        }
        let most = u32::try_from(inner.len()).unwrap_or(u32::MAX);
        match &mut op {
            Op::Sequence(group) => group.ops = inner,
            Op::OneOf(group) => {
                if weights.iter().any(|weight| *weight != weights[0]) {
                    group.weights = weights;
                }
                group.ops = inner;
            }
            Op::SomeOf(group) => {
                group.count = if group.replace { group.count } else { group.count.min(most) };
                group.ops = inner;
            }
            Op::RandomOrder(group) => {
                group.count = group.count.min(most);
                group.ops = inner;
            }
            _ => return None,
        }
        Some(v1::Op { op: Some(op) })
    }

    /// Whether anything of it becomes an op.
    fn is_kept(&self) -> bool {
        match &self.kind {
            Kind::LeftOut(_) => false,
            Kind::Op(_) => true,
            Kind::Group(_, steps) => steps.iter().any(Step::is_kept),
        }
    }
}

/// The steps that become ops, with their index among all.
fn kept(steps: &[Step]) -> Vec<(usize, &Step)> {
    steps.iter().enumerate().filter(|(_, step)| step.is_kept()).collect()
}

/// The pipeline that the steps are.
pub(super) fn pipeline(steps: &[Step]) -> v1::Pipeline {
    v1::Pipeline { ops: steps.iter().filter_map(Step::message).collect(), ..Default::default() }
}

/// The step that a field of the pipeline belongs to: `ops[3].one_of.ops[1].gauss_noise.std`, with or without `pipeline.` before
/// it. The innermost one; none if the field is that of no op.
pub(super) fn at<'s>(steps: &'s mut [Step], field: &str) -> Option<&'s mut Step> {
    let (first, rest) = way(steps, field).split_first().map(|(first, rest)| (*first, rest.to_vec()))?;
    rest.into_iter().try_fold(steps.get_mut(first)?, |step, index| match &mut step.kind {
        Kind::Group(_, steps) => steps.get_mut(index),
        _ => None,
    })
}

/// Index of the step in each list on the way to a field.
fn way(steps: &[Step], field: &str) -> Vec<usize> {
    let mut rest = field.strip_prefix("pipeline.").unwrap_or(field);
    let (mut way, mut steps) = (Vec::new(), steps);
    while let Some((number, behind)) = rest.strip_prefix("ops[").and_then(|rest| rest.split_once(']')) {
        let found = number.parse().ok().and_then(|number: usize| kept(steps).get(number).copied());
        let Some((index, step)) = found else { break };
        way.push(index);
        let Kind::Group(_, inner) = &step.kind else { break };
        steps = inner;
        // Behind the index stands the name of the group, and below it its ops.
        rest = behind.strip_prefix('.').and_then(|behind| behind.split_once('.')).map_or("", |(_, inner)| inner);
    }
    way
}

/// The steps as a TOML file for `--pipeline`, each with a comment that says where it came from.
pub(super) fn toml(steps: &[Step]) -> String {
    let mut out = String::from("ops = [\n");
    list(&mut out, steps, 1);
    out.push_str("]\n");
    out
}

fn list(out: &mut String, steps: &[Step], depth: usize) {
    let indent = "  ".repeat(depth);
    for step in steps {
        if let Kind::LeftOut(finding) = &step.kind {
            let _ = writeln!(out, "{indent}# left out: {}", line(finding));
            continue;
        }
        let Some(message) = step.message() else { continue };
        let Ok(Value::Object(op)) = serde_json::to_value(&message) else { continue };
        let _ = writeln!(out, "{indent}# {}", line(&step.place));
        for (name, fields) in &op {
            match &step.kind {
                Kind::Group(_, steps) => {
                    let fields = fields.as_object().into_iter().flatten().filter(|(field, _)| *field != "ops");
                    let fields: String =
                        fields.map(|(field, value)| format!("{field} = {}, ", inline(value))).collect();
                    let _ = writeln!(out, "{indent}{{ {name} = {{ {fields}ops = [");
                    list(out, steps, depth + 1);
                    let _ = writeln!(out, "{indent}] }} }},");
                }
                _ => {
                    let _ = writeln!(out, "{indent}{{ {name} = {} }},", inline(fields));
                }
            }
        }
    }
}

/// What a comment can hold: one line without control characters.
pub(super) fn line(text: impl std::fmt::Display) -> String {
    text.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A value as TOML has it on one line.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::Array(values) => format!("[{}]", values.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) if fields.is_empty() => "{}".into(),
        Value::Object(fields) => {
            let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name} = {}", inline(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        // JSON's numbers, words and escapes are TOML's.
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flip(place: &str) -> Step {
        Step::new(place, Op::HorizontalFlip(v1::HorizontalFlip { p: Some(0.5) }))
    }

    fn left_out(place: &str) -> Step {
        let finding = Finding { place: place.into(), found: "a\nb".into(), why: "no".into() };
        Step { place: place.into(), kind: Kind::LeftOut(finding), weight: 9.0 }
    }

    fn steps() -> Vec<Step> {
        let one_of = Op::OneOf(v1::OneOf { p: Some(0.25), ..Default::default() });
        let inner = vec![left_out("b"), Step { weight: 2.0, ..flip("c") }, flip("d")];
        vec![
            left_out("a"),
            flip("first"),
            Step::group("group", one_of, inner),
            Step::sequence("none", vec![left_out("x")], 0.5),
        ]
    }

    #[test]
    fn the_toml_is_the_pipeline_and_says_where_it_came_from() {
        let text = toml(&steps());
        let read: v1::Pipeline = toml::from_str(&text).expect("TOML");
        assert_eq!(read, pipeline(&steps()), "{text}");
        assert_eq!(read.ops.len(), 2, "a group of nothing is none");
        for comment in ["# first\n", "# left out: a: a b: no\n", "    # c\n", "    # left out: b: a b: no\n"] {
            assert!(text.contains(comment), "{text}");
        }
    }

    #[test]
    fn weights_are_those_of_what_is_kept() {
        let Some(Op::OneOf(group)) = &pipeline(&steps()).ops[1].op else { panic!("one_of") };
        assert_eq!(group.weights, [2.0, 1.0]);
    }

    #[test]
    fn a_field_leads_back_to_its_step() {
        let mut steps = steps();
        let mut place = |field: &str| at(&mut steps, field).map(|step| step.place.clone());
        assert_eq!(place("pipeline.ops[0].horizontal_flip.p").as_deref(), Some("first"));
        assert_eq!(place("ops[1].one_of.ops[1].horizontal_flip").as_deref(), Some("d"));
        assert_eq!(place("ops[1].one_of.weights").as_deref(), Some("group"));
        assert_eq!(place("ops[1].one_of.ops[0]").as_deref(), Some("c"));
        assert_eq!(place("ops[2].sequence"), None);
        assert_eq!(place("pipeline.ops"), None);
    }
}
