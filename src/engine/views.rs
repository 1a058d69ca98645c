use std::borrow::Cow;

use feedline_proto::v1;

use super::error::{BatchError, RequestError};
use super::targets::Targets;
use crate::augment::resources::Resources;
use crate::augment::{Finish, Pipeline, Scratch, Tail, is_tail};
use crate::batch::Marks;
use crate::image::{Form, Image};
use crate::sample::Sample;
use crate::seed::Key;

/// Raised whenever views would give other bytes; part of the fingerprint of every spec with views.
pub(super) const VERSION: u32 = 1;

/// Views of every sample that share a tensor. A spec without views has one group of one view, with no ops of its own.
pub struct ViewGroup {
    /// Name of its tensor.
    pub tensor: String,
    /// Views per sample.
    pub views: u32,
    /// Number of its first view among those of all groups, from 1: what draws are keyed by. The ops before the views have 0.
    first: u16,
    /// What makes each view of what the spec's pipeline left: one for all, or one for each, or none.
    pipelines: Vec<Pipeline>,
    /// Form of the images, before the tail.
    pub output: Form,
}

impl ViewGroup {
    /// The only view of a spec without views.
    pub(super) fn plain(output: Form) -> ViewGroup {
        ViewGroup { tensor: IMAGE.into(), views: 1, first: 0, pipelines: Vec::new(), output }
    }

    /// Whether its view is what the spec's pipeline leaves: the spec has no views.
    pub(crate) fn is_plain(&self) -> bool {
        self.first == 0
    }

    /// What its tensors' `views` say.
    pub(super) fn announced(&self) -> u32 {
        if self.is_plain() { 0 } else { self.views }
    }

    /// What the names of its tensors end in: nothing, or `_` and its name.
    pub(super) fn suffix(&self) -> &str {
        self.tensor.strip_prefix(IMAGE).unwrap_or_default()
    }

    /// What makes view `view`, and the number that its draws are keyed by. None if the view is what the spec's pipeline left.
    pub(crate) fn view(&self, view: u32) -> Option<(&Pipeline, u16)> {
        let pipeline = self.pipelines.get(view as usize).or(self.pipelines.first())?;
        Some((pipeline, self.first + view as u16))
    }

    /// View `view` of a sample that the spec's pipeline has left, and what is marked on it, if that travels. The only view of a spec
    /// without views takes the marks out of the sample, and `finish` is left undone at it.
    ///
    /// # Errors
    /// [`BatchError::Internal`] if it is not of the size that was announced: a bug.
    pub(super) fn made<'s>(
        &self,
        view: u32,
        sample: &'s mut Sample<'_>,
        finish: &Finish,
        targets: &Targets,
        key: Key,
        scratch: &mut Scratch,
    ) -> Result<(Cow<'s, Image<'s>>, Option<Marks>), BatchError> {
        let (image, marks) = match self.view(view) {
            None => {
                let marks = targets.marks(sample);
                (Cow::Borrowed(&sample.image), marks)
            }
            Some((pipeline, number)) => {
                let mut made = pipeline.run(sample.borrowed(), Key { view: number, ..key }, scratch);
                let marks = targets.marks(&mut made);
                (Cow::Owned(made.image), marks)
            }
        };
        match self.output.fixed() {
            Some(expected) if expected != finish.size(&image) => {
                let found = finish.size(&image);
                Err(BatchError::Internal(format!("the pipeline made an image of {found}, declared {expected}")))
            }
            _ => Ok((image, marks)),
        }
    }

    /// What its pipelines leave undone.
    pub(super) fn tail(&self) -> Option<&Tail> {
        self.pipelines.first()?.tail()
    }

    /// Whether its bytes are the same on every machine.
    pub(super) fn is_bit_exact(&self) -> bool {
        self.pipelines.iter().all(Pipeline::is_bit_exact)
    }

    /// Names and versions of its ops.
    pub(super) fn versions(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.pipelines.iter().flat_map(|pipeline| pipeline.versions().iter().copied())
    }
}

/// What a spec with views means: the ops that run once per sample, and the groups after them.
pub(super) struct Views {
    pub(super) common: Pipeline,
    pub(super) groups: Vec<ViewGroup>,
}

impl Views {
    /// Builds the pipelines of `views` after the ops of `pipeline`, for images of the form `input`.
    ///
    /// # Errors
    /// [`RequestError`], naming the field.
    pub(super) fn new(
        views: &v1::Views,
        pipeline: &v1::Pipeline,
        input: Form,
        resources: &dyn Resources,
    ) -> Result<Views, RequestError> {
        let tail_start = pipeline.ops.len() - pipeline.ops.iter().rev().take_while(|op| is_tail(op)).count();
        let (body, tail) = pipeline.ops.split_at(tail_start);
        let copies;
        let (body, groups) = match (views.count, &views.groups[..]) {
            (0, []) => {
                return Err(RequestError::invalid("spec.views is empty, expected count or groups, or no views at all"));
            }
            (0, groups) => (body, groups),
            (count, []) => {
                copies = [v1::ViewGroup { count: Some(count), ops: body.to_vec(), ..Default::default() }];
                (&body[..0], &copies[..])
            }
            _ => return Err(RequestError::invalid("spec.views has both count and groups, expected one of them")),
        };
        let common = Pipeline::build_with(&pipeline_of(body.to_vec()), input, resources)?;
        let mut built: Vec<ViewGroup> = Vec::new();
        let mut first = 1;
        for (index, group) in groups.iter().enumerate() {
            let at = format!("spec.views.groups[{index}]");
            let tensor = tensor_name(&group.name, &at)?;
            if built.iter().any(|other| other.tensor == tensor) {
                return Err(RequestError::invalid(format!("{at}.name is {:?}, which another group has", group.name)));
            }
            let made = build_group((group, tail), common.output(), &at, resources)?;
            let views = made.views;
            built.push(ViewGroup { tensor, first, ..made });
            first += views as u16;
        }
        if built.iter().any(|group| group.tail().map(normal) != built[0].tail().map(normal)) {
            return Err(RequestError::invalid(
                "spec.views.groups end in different to_float and normalize ops, expected the same for all; put them at the end of \
                 spec.pipeline",
            ));
        }
        Ok(Views { common, groups: built })
    }
}

fn normal(tail: &Tail) -> &v1::Normalization {
    &tail.normalization
}

fn build_group(
    (group, tail): (&v1::ViewGroup, &[v1::Op]),
    input: Form,
    at: &str,
    resources: &dyn Resources,
) -> Result<ViewGroup, RequestError> {
    let count = group.count.unwrap_or(1);
    let invalid = |what: &str| Err(RequestError::invalid(format!("{at}.{what}")));
    let crops = matches!(group.test_time(), v1::TestTime::FiveCrop | v1::TestTime::TenCrop);
    if crops != (group.height > 0 && group.width > 0) || crops != (group.height > 0 || group.width > 0) {
        return invalid("height and width are for test_time five_crop and ten_crop, which need both");
    }
    let makers = match group.test_time() {
        v1::TestTime::Unspecified => vec![Vec::new()],
        _ if count > 1 => {
            return Err(RequestError::invalid(format!(
                "{at}.count is {count} beside test_time, which has its own number of views"
            )));
        }
        test_time => makers(test_time, group.height, group.width),
    };
    let views = if makers.len() > 1 { makers.len() as u32 } else { count };
    let mut pipelines: Vec<Pipeline> = Vec::new();
    for (view, maker) in makers.into_iter().enumerate() {
        let before = maker.len();
        let ops: Vec<v1::Op> = maker.into_iter().chain(group.ops.iter().cloned()).chain(tail.iter().cloned()).collect();
        let pipeline = Pipeline::build_with(&pipeline_of(ops), input, resources).map_err(|refusal| {
            let text = refusal.to_string();
            match text.strip_prefix("pipeline.ops") {
                Some(rest) if before == 0 => RequestError::invalid(format!("{at}.ops{rest}")),
                // Ops that make the view stand in no list of the request.
                _ => RequestError::invalid(format!(
                    "{at}, view {view} of {views}, its first {before} ops by test_time: {text}"
                )),
            }
        })?;
        if pipeline.output().fixed().is_none() {
            let Form { smallest, largest, .. } = pipeline.output();
            return Err(RequestError::invalid(format!(
                "{at} leaves images of different sizes, {smallest} to {largest}; end its ops in a resize or a crop to one size"
            )));
        }
        if pipelines.first().is_some_and(|other| other.output() != pipeline.output()) {
            return invalid(
                "test_time makes views of different sizes, expected square images: resize or crop them before",
            );
        }
        pipelines.push(pipeline);
    }
    let output = pipelines.first().map_or(input, Pipeline::output);
    Ok(ViewGroup { tensor: String::new(), views, first: 0, pipelines, output })
}

fn pipeline_of(ops: Vec<v1::Op>) -> v1::Pipeline {
    feedline_proto::rule::with_defaults(&v1::Pipeline { ops, ..Default::default() })
}

/// The ops that make each view.
fn makers(test_time: v1::TestTime, height: u32, width: u32) -> Vec<Vec<v1::Op>> {
    use v1::op::Op;
    let op = |op| v1::Op { op: Some(op) };
    let mirror = || op(Op::HorizontalFlip(v1::HorizontalFlip { p: Some(1.0) }));
    let upside_down = || op(Op::VerticalFlip(v1::VerticalFlip { p: Some(1.0) }));
    let turn = |turns| op(Op::Rot90(v1::Rot90 { turns: vec![turns], p: Some(1.0) }));
    let corner = |corner: v1::Corner| {
        op(Op::FixedCrop(v1::FixedCrop { height, width, corner: corner.into(), ..Default::default() }))
    };
    let five = || {
        let corners = [v1::Corner::TopLeft, v1::Corner::TopRight, v1::Corner::BottomLeft, v1::Corner::BottomRight];
        let middle = op(Op::CenterCrop(v1::CenterCrop { height, width, ..Default::default() }));
        corners.into_iter().map(corner).chain([middle]).map(|crop| vec![crop]).collect::<Vec<_>>()
    };
    match test_time {
        v1::TestTime::Unspecified => vec![Vec::new()],
        v1::TestTime::Flip => vec![vec![], vec![mirror()]],
        v1::TestTime::Flips => vec![vec![], vec![mirror()], vec![upside_down()], vec![mirror(), upside_down()]],
        v1::TestTime::D4 => vec![
            vec![],
            vec![turn(1)],
            vec![turn(2)],
            vec![turn(3)],
            vec![upside_down()],
            // A quarter turn, then a flip: the two diagonals.
            vec![turn(1), mirror()],
            vec![mirror()],
            vec![turn(1), upside_down()],
        ],
        v1::TestTime::FiveCrop => five(),
        v1::TestTime::TenCrop => {
            let mirrored = five().into_iter().map(|crop| [vec![mirror()], crop].concat());
            five().into_iter().chain(mirrored).collect()
        }
    }
}

fn tensor_name(name: &str, at: &str) -> Result<String, RequestError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.len() > MOST_NAME || !name.chars().all(plain) {
        return Err(RequestError::invalid(format!(
            "{at}.name is {name:?}, expected at most {MOST_NAME} lower-case letters, digits and underscores"
        )));
    }
    Ok(if name.is_empty() { IMAGE.into() } else { format!("{IMAGE}_{name}") })
}

/// Tensor of images of a group without a name.
const IMAGE: &str = "image";

/// Longest name of a group.
const MOST_NAME: usize = 64;
