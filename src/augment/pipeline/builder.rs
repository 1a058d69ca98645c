use feedline_proto::v1;

use super::limits::{MOST_DEPTH, MOST_OPS};
use super::{Action, Node};
use crate::augment::op::{Built, Refusal, either};
use crate::augment::registry;
use crate::augment::resources::Resources;
use crate::image::Form;

/// Builds nodes of messages, and counts them.
pub(super) struct Builder<'a> {
    next: u32,
    resources: &'a dyn Resources,
    /// Names and versions of the ops built so far.
    pub(super) versions: Vec<(&'static str, u32)>,
}

impl<'a> Builder<'a> {
    /// A builder that has built nothing.
    pub(super) fn new(resources: &'a dyn Resources) -> Self {
        Builder { next: 0, resources, versions: Vec::new() }
    }

    /// Builds `ops`, which stand from index `first` in the list at `path`.
    pub(super) fn list(
        &mut self,
        ops: &[v1::Op],
        path: &str,
        first: usize,
        depth: u32,
        input: Form,
    ) -> Result<(Vec<Node>, Form), Refusal> {
        let mut form = input;
        let mut nodes = Vec::new();
        for (index, op) in ops.iter().enumerate() {
            let (node, output) = self.node(op, &format!("{path}[{}]", first + index), depth, form)?;
            nodes.push(node);
            form = output;
        }
        Ok((nodes, form))
    }

    /// Builds every op of a group for the same input; the outputs must be of one type.
    fn alternatives(
        &mut self,
        ops: &[v1::Op],
        path: &str,
        depth: u32,
        input: Form,
    ) -> Result<(Vec<Node>, Option<Form>), Refusal> {
        let mut joint: Option<Form> = None;
        let mut nodes = Vec::new();
        for (index, op) in ops.iter().enumerate() {
            let at = format!("{path}[{index}]");
            let (node, output) = self.node(op, &at, depth, input)?;
            joint = Some(joint.map_or(Ok(output), |joint| either(joint, output)).map_err(|r| r.within(&at))?);
            nodes.push(node);
        }
        Ok((nodes, joint))
    }

    fn node(&mut self, op: &v1::Op, at: &str, depth: u32, input: Form) -> Result<(Node, Form), Refusal> {
        use v1::op::Op;
        let Some(op) = &op.op else { return Err(Refusal::new(at, "empty", "an op")) };
        let number = self.next;
        self.next += 1;
        if self.next > MOST_OPS {
            return Err(Refusal::new(
                "pipeline.ops",
                format!("more than {MOST_OPS} ops"),
                format!("at most {MOST_OPS}"),
            ));
        }
        if depth >= MOST_DEPTH {
            return Err(Refusal::new(at, format!("{} levels deep", depth + 1), format!("at most {MOST_DEPTH} levels")));
        }
        let inner = |name: &str| format!("{at}.{name}.ops");
        let (action, p, output) = match op {
            Op::Sequence(m) => {
                let (nodes, output) = self.list(&m.ops, &inner("sequence"), 0, depth + 1, input)?;
                (Action::Sequence(nodes), m.p, output)
            }
            Op::OneOf(m) => {
                let (nodes, output) = self.alternatives(&m.ops, &inner("one_of"), depth + 1, input)?;
                let sums = cumulative(&m.weights, nodes.len()).map_err(|r| r.within(&format!("{at}.one_of")))?;
                (Action::OneOf(nodes, sums), m.p, output.unwrap_or(input))
            }
            Op::SomeOf(m) => {
                let path = inner("some_of");
                let (nodes, output) = self.alternatives(&m.ops, &path, depth + 1, input)?;
                keeps_form(input, output, at, "some_of")?;
                let action = if m.replace {
                    let mut repetitions = vec![nodes];
                    for _ in 1..m.count {
                        repetitions.push(self.alternatives(&m.ops, &path, depth + 1, input)?.0);
                    }
                    Action::Repeated(repetitions)
                } else {
                    at_most(m.count, nodes.len()).map_err(|r| r.within(&format!("{at}.some_of")))?;
                    Action::SomeOf(nodes, m.count as usize)
                };
                (action, m.p, input)
            }
            Op::RandomOrder(m) => {
                let (nodes, output) = self.alternatives(&m.ops, &inner("random_order"), depth + 1, input)?;
                keeps_form(input, output, at, "random_order")?;
                at_most(m.count, nodes.len()).map_err(|r| r.within(&format!("{at}.random_order")))?;
                let count = if m.count == 0 { nodes.len() } else { m.count as usize };
                (Action::RandomOrder(nodes, count), m.p, input)
            }
            op => {
                let Built { op, output, p } = registry::build(op, input, self.resources)
                    .map_err(|(name, refusal)| refusal.within(&format!("{at}.{name}")))?;
                let version = registry::about(op.name()).map_or(0, |(_, about)| about.version);
                self.versions.push((op.name(), version));
                (Action::Op(op), Some(p), output)
            }
        };
        let p = p.unwrap_or(1.0);
        let output = if p < 1.0 { either(input, output).map_err(|r| r.within(at))? } else { output };
        Ok((Node { number, p, action }, output))
    }
}

/// Ops whose number or order is drawn must leave the form of the image alone, or the next one would not know what it gets.
fn keeps_form(input: Form, output: Option<Form>, at: &str, name: &str) -> Result<(), Refusal> {
    match output {
        Some(output) if output != input => {
            let found = format!("ops that change size or type of the image ({} to {})", input.largest, output.largest);
            Err(Refusal::new(format!("{at}.{name}.ops"), found, "ops that keep both"))
        }
        _ => Ok(()),
    }
}

/// Without replacement no more ops can be drawn than there are.
fn at_most(count: u32, ops: usize) -> Result<(), Refusal> {
    if count as usize <= ops {
        return Ok(());
    }
    Err(Refusal::new("count", count, format!("1 to {ops}, the number of ops")))
}

fn cumulative(weights: &[f64], count: usize) -> Result<Vec<f64>, Refusal> {
    let equal = vec![1.0; count];
    let weights = if weights.is_empty() { &equal } else { weights };
    let sums: Vec<f64> = weights
        .iter()
        .scan(0.0, |sum, weight| {
            Some({
                *sum += weight;
                *sum
            })
        })
        .collect();
    if sums.len() != count || sums.last().is_none_or(|total| *total <= 0.0) {
        let expected = format!("{count} weights, one for each op, not all zero");
        return Err(Refusal::new("weights", format!("{weights:?}"), expected));
    }
    Ok(sums)
}
