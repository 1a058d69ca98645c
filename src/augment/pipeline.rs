/// Ops and groups made of messages.
mod builder;

use feedline_proto::v1;

use super::convert::Tail;
use super::finish::Finish;
use super::op::{AnyOp, Refusal, Scratch};
use super::registry;
use super::resources::{Photographs, Resources};
use crate::image::{Depth, Excerpt, Form, Size};
use crate::sample::Sample;
use crate::seed::{Key, Purpose, Rng};
use builder::Builder;

mod limits;

pub use limits::check_size;

/// An ordered list of ops, built for images of one form.
pub struct Pipeline {
    nodes: Vec<Node>,
    /// Form of the images before the tail.
    output: Form,
    tail: Option<Tail>,
    versions: Vec<(&'static str, u32)>,
    /// Number of the op that resizes the image, if nothing but steps comes after it: then it may wait with them.
    resized_last: Option<u32>,
}

/// An op or a group in its place.
struct Node {
    /// Its number in the pipeline, counted depth first: what its draws are keyed by.
    number: u32,
    p: f64,
    action: Action,
}

enum Action {
    Op(Box<dyn AnyOp>),
    Sequence(Vec<Node>),
    /// One of several, with the sum of the weights up to each.
    OneOf(Vec<Node>, Vec<f64>),
    SomeOf(Vec<Node>, usize),
    /// Some of several with replacement. Each repetition has nodes of its own, since draws are keyed by a node's number.
    Repeated(Vec<Vec<Node>>),
    RandomOrder(Vec<Node>, usize),
}

/// What one op drew for one sample.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Recorded {
    /// Number of the op in the pipeline.
    pub number: u32,
    /// Its name.
    pub op: String,
    /// Its parameters.
    pub params: serde_json::Value,
}

impl Pipeline {
    /// Builds the ops of `pipeline` (its defaults filled in) for images of the form `input`, where no dataset is at hand: those
    /// that want images of it get the photographs that the program carries with it. For pictures, measurements and tests.
    ///
    /// # Errors
    /// As [`Pipeline::build_with`].
    pub fn build(pipeline: &v1::Pipeline, input: Form) -> Result<Self, Refusal> {
        Pipeline::build_with(pipeline, input, &Photographs)
    }

    /// Builds the ops of `pipeline` (its defaults filled in) for images of the form `input`, with what they need of `resources`.
    ///
    /// # Errors
    /// The first op that can't be built, with its place in the pipeline.
    pub fn build_with(pipeline: &v1::Pipeline, input: Form, resources: &dyn Resources) -> Result<Self, Refusal> {
        let mut builder = Builder::new(resources);
        let tail_start = tail_start(&pipeline.ops);
        let (body, rest) = pipeline.ops.split_at(tail_start);
        let (mut nodes, mut output) = builder.list(body, "pipeline.ops", 0, 0, input)?;
        let tail = (output.depth == Depth::U8).then(|| Tail::of(rest, output.channels)).flatten();
        // The tail's ops are built in any case: they check their parameters and have their versions.
        let (rest_nodes, rest_output) = builder.list(rest, "pipeline.ops", tail_start, 0, output)?;
        if tail.is_none() {
            nodes.extend(rest_nodes);
            output = rest_output;
        }
        builder.versions.sort_unstable();
        builder.versions.dedup();
        let resized_last = resized_last(&nodes);
        Ok(Pipeline { nodes, output, tail, versions: builder.versions, resized_last })
    }

    /// Form of the images that leave [`Pipeline::run`], before the tail.
    pub fn output(&self) -> Form {
        self.output
    }

    /// The last `to_float` and `normalize` of 8-bit images, which [`Pipeline::run`] leaves undone: they are a table of 256
    /// values per channel, applied while the image is written into its batch, or by the client.
    pub fn tail(&self) -> Option<&Tail> {
        self.tail.as_ref()
    }

    /// Names and versions of the ops, sorted.
    pub fn versions(&self) -> &[(&'static str, u32)] {
        &self.versions
    }

    /// Whether equal seeds give equal bytes on every machine: true but for ops that run a model.
    pub fn is_bit_exact(&self) -> bool {
        self.versions.iter().all(|(op, _)| !registry::MODELS.contains(op))
    }

    /// Applies every op but the tail's. `key` is the row's; number of the op and purpose are set here.
    pub fn run<'a>(&self, sample: Sample<'a>, key: Key, scratch: &mut Scratch) -> Sample<'a> {
        let (mut sample, mut finish) = self.run_unfinished(sample, None, key, scratch);
        finish.apply(&mut sample.image, scratch);
        sample
    }

    /// As [`Pipeline::run`], but for steps that are left to whoever looks at the image next. If there is an `excerpt`,
    /// [`Pipeline::excerpt`], that is all there is of the image, and the sample has no annotations.
    pub fn run_unfinished<'a>(
        &self,
        mut sample: Sample<'a>,
        excerpt: Option<Excerpt>,
        key: Key,
        scratch: &mut Scratch,
    ) -> (Sample<'a>, Finish) {
        let mut nodes = &self.nodes[..];
        // What is marked on an image has to be moved by the size that it has.
        let resized_last = self.resized_last.filter(|_| sample.is_bare());
        let mut run = Run { key, scratch, finish: Finish::default(), resized_last, watch: None };
        if let (Some(excerpt), Some((first, op))) = (excerpt, self.first()) {
            let mut rng = Key { op: first.number, ..key }.rng();
            rng.chance(first.p);
            run.scratch.resizing_may_wait = resized_last == Some(first.number);
            sample.image = op.run_on_cut(sample.image, excerpt, &mut rng, run.scratch, &mut run.finish);
            nodes = &nodes[1..];
        }
        let sample = run.all(nodes, sample);
        run.scratch.resizing_may_wait = false;
        (sample, run.finish)
    }

    /// All that [`Pipeline::run`] would look at of an image of `size`, if that is less than the whole: the window that the first op cuts
    /// out; and if `scaled`, reduced as far as that op shrinks it anyway.
    pub fn excerpt(&self, size: Size, key: Key, scaled: bool) -> Option<Excerpt> {
        let (first, op) = self.first()?;
        let mut rng = Key { op: first.number, ..key }.rng();
        // The same draws as in `Run::one`.
        let cut = rng.chance(first.p).then(|| op.cut(&mut rng, size))??;
        let excerpt = Excerpt { window: cut.window, reduction: if scaled { cut.reduction() } else { 1 } };
        (excerpt.reduction > 1 || cut.window.size != size).then_some(excerpt)
    }

    /// As [`Pipeline::run`], for a sample without annotations of whose image only [`Pipeline::excerpt`] is there.
    pub fn run_on_excerpt<'a>(
        &self,
        sample: Sample<'a>,
        excerpt: Excerpt,
        key: Key,
        scratch: &mut Scratch,
    ) -> Sample<'a> {
        let (mut sample, mut finish) = self.run_unfinished(sample, Some(excerpt), key, scratch);
        finish.apply(&mut sample.image, scratch);
        sample
    }

    /// Whether images may be reduced as they are decoded: the first op makes its result of one window, and resizes that.
    pub fn may_reduce(&self) -> bool {
        // Whatever is drawn, and for images of any size.
        let key = Key { seed: 0, epoch: 0, position: 0, view: 0, op: 0, purpose: Purpose::Op };
        let cut = self.first().and_then(|(_, op)| op.cut(&mut key.rng(), Size::new(1, 1)));
        cut.is_some_and(|cut| cut.to.is_some())
    }

    /// The first op, if nothing decides whether it or another is the first.
    fn first(&self) -> Option<(&Node, &dyn AnyOp)> {
        let first = self.nodes.first()?;
        let Action::Op(op) = &first.action else { return None };
        Some((first, op.as_ref()))
    }

    /// As [`Pipeline::run`], and what was drawn.
    pub fn run_recorded<'a>(&self, sample: Sample<'a>, key: Key, scratch: &mut Scratch) -> (Sample<'a>, Vec<Recorded>) {
        let mut record = Vec::new();
        let sample = self.run_watched(sample, key, scratch, &mut |entry, _| record.push(entry));
        (sample, record)
    }

    /// As [`Pipeline::run`]; `watch` gets what each op drew, and the sample as it left that op.
    pub fn run_watched<'a>(
        &self,
        sample: Sample<'a>,
        key: Key,
        scratch: &mut Scratch,
        watch: &mut dyn FnMut(Recorded, &Sample<'_>),
    ) -> Sample<'a> {
        Run { key, scratch, finish: Finish::default(), resized_last: None, watch: Some(watch) }.all(&self.nodes, sample)
    }

    /// Numbers and names of the ops that [`Pipeline::run`] may apply, in the order written.
    pub fn ops(&self) -> Vec<(u32, &'static str)> {
        let mut ops = Vec::new();
        list(&self.nodes, &mut ops);
        ops
    }

    /// Applies what was drawn before, in that order.
    ///
    /// # Errors
    /// If a record does not fit its op.
    pub fn replay<'a>(
        &self,
        sample: Sample<'a>,
        record: &[Recorded],
        scratch: &mut Scratch,
    ) -> Result<Sample<'a>, Refusal> {
        self.replay_watched(sample, record, scratch, &mut |_, _| {})
    }

    /// As [`Pipeline::replay`]; `watch` gets each entry, and the sample as it left that op.
    ///
    /// # Errors
    /// If a record does not fit its op.
    pub fn replay_watched<'a>(
        &self,
        mut sample: Sample<'a>,
        record: &[Recorded],
        scratch: &mut Scratch,
        watch: &mut dyn FnMut(&Recorded, &Sample<'_>),
    ) -> Result<Sample<'a>, Refusal> {
        for entry in record {
            let op = find(&self.nodes, entry.number).filter(|op| op.name() == entry.op);
            let op = op.ok_or_else(|| Refusal::new("op", &entry.op, format!("op number {}", entry.number)))?;
            let replayed = op.replay(&entry.params, sample, scratch);
            sample = replayed.map_err(|error| Refusal::new("params", error, format!("parameters of {}", entry.op)))?;
            watch(entry, &sample);
        }
        Ok(sample)
    }
}

/// Gets what an op drew, and the sample as it left the op.
type Watch<'r> = dyn FnMut(Recorded, &Sample<'_>) + 'r;

struct Run<'r> {
    key: Key,
    scratch: &'r mut Scratch,
    /// What is left undone of the image; nothing while somebody watches.
    finish: Finish,
    /// See [`Pipeline::resized_last`].
    resized_last: Option<u32>,
    watch: Option<&'r mut Watch<'r>>,
}

impl Run<'_> {
    fn all<'a>(&mut self, nodes: &[Node], sample: Sample<'a>) -> Sample<'a> {
        nodes.iter().fold(sample, |sample, node| self.one(node, sample))
    }

    fn one<'a>(&mut self, node: &Node, sample: Sample<'a>) -> Sample<'a> {
        let mut rng = Key { op: node.number, ..self.key }.rng();
        if !rng.chance(node.p) {
            return sample;
        }
        match &node.action {
            Action::Op(op) => self.leaf(node.number, op.as_ref(), &mut rng, sample),
            Action::Sequence(nodes) => self.all(nodes, sample),
            Action::OneOf(nodes, sums) => {
                let total = sums.last().copied().unwrap_or(0.0);
                let drawn = rng.unit() * total;
                let chosen = sums.iter().position(|sum| drawn < *sum).unwrap_or(nodes.len() - 1);
                self.one(&nodes[chosen], sample)
            }
            Action::SomeOf(nodes, count) => {
                let mut chosen: Vec<usize> = (0..nodes.len()).collect();
                rng.shuffle(&mut chosen);
                chosen.truncate(*count);
                chosen.sort_unstable();
                chosen.into_iter().fold(sample, |sample, index| self.one(&nodes[index], sample))
            }
            Action::Repeated(repetitions) => {
                // Each as long as the first: they are built of the same ops.
                let among = repetitions.first().map_or(0, Vec::len) as u64;
                let mut chosen: Vec<usize> = repetitions.iter().map(|_| rng.below(among) as usize).collect();
                chosen.sort_unstable();
                let drawn = repetitions.iter().zip(chosen);
                drawn.fold(sample, |sample, (nodes, index)| self.one(&nodes[index], sample))
            }
            Action::RandomOrder(nodes, count) => {
                let mut order: Vec<usize> = (0..nodes.len()).collect();
                rng.shuffle(&mut order);
                order.truncate(*count);
                order.into_iter().fold(sample, |sample, index| self.one(&nodes[index], sample))
            }
        }
    }

    fn leaf<'a>(&mut self, number: u32, op: &dyn AnyOp, rng: &mut Rng, sample: Sample<'a>) -> Sample<'a> {
        let finish = &mut self.finish;
        self.scratch.resizing_may_wait = self.resized_last == Some(number);
        let Some(watch) = &mut self.watch else { return op.run(rng, sample, self.scratch, finish, None) };
        let mut params = serde_json::Value::Null;
        let mut sample = op.run(rng, sample, self.scratch, finish, Some(&mut params));
        finish.apply(&mut sample.image, self.scratch);
        watch(Recorded { number, op: op.name().to_owned(), params }, &sample);
        sample
    }
}

fn find(nodes: &[Node], number: u32) -> Option<&dyn AnyOp> {
    nodes.iter().find_map(|node| match &node.action {
        Action::Op(op) => (node.number == number).then_some(op.as_ref()),
        Action::Repeated(repetitions) => repetitions.iter().find_map(|nodes| find(nodes, number)),
        Action::Sequence(nodes)
        | Action::OneOf(nodes, _)
        | Action::SomeOf(nodes, _)
        | Action::RandomOrder(nodes, _) => find(nodes, number),
    })
}

fn list(nodes: &[Node], ops: &mut Vec<(u32, &'static str)>) {
    for node in nodes {
        match &node.action {
            Action::Op(op) => ops.push((node.number, op.name())),
            Action::Repeated(repetitions) => repetitions.iter().for_each(|nodes| list(nodes, ops)),
            Action::Sequence(nodes)
            | Action::OneOf(nodes, _)
            | Action::SomeOf(nodes, _)
            | Action::RandomOrder(nodes, _) => list(nodes, ops),
        }
    }
}

/// See [`Pipeline::resized_last`].
fn resized_last(nodes: &[Node]) -> Option<u32> {
    let last = nodes.iter().rfind(|node| !matches!(&node.action, Action::Op(op) if op.waits()))?;
    matches!(&last.action, Action::Op(op) if op.resizes_last()).then_some(last.number)
}

/// Writes into every op that runs a model which file it is, so that fingerprints tell models of one name apart. `path` is where the
/// ops stand.
///
/// # Errors
/// A model that is not there, or another one than the client insists on.
pub fn pin_models(ops: &mut [v1::Op], path: &str, resources: &dyn Resources) -> Result<(), Refusal> {
    super::style::onnx::pin(ops, path, resources)
}

/// Whether `op` may be part of the tail: a `to_float` or a `normalize`, with nothing else after them.
pub fn is_tail(op: &v1::Op) -> bool {
    matches!(op.op, Some(v1::op::Op::ToFloat(_) | v1::op::Op::Normalize(_)))
}

/// Where the run of `to_float` and `normalize` at the end of `ops` begins.
fn tail_start(ops: &[v1::Op]) -> usize {
    ops.len() - ops.iter().rev().take_while(|op| is_tail(op)).count()
}

#[cfg(test)]
#[path = "pipeline_tests.rs"]
mod tests;
