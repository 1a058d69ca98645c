use feedline_proto::{rule, v1};

use super::report::{Finding, Report};
use super::step::{self, Kind, Step};
use crate::augment::{Pipeline, check_size};
use crate::image::{Depth, Form, Size};

/// Builds what was imported, as a server will, and takes out what it would refuse: all of it, not only the first.
pub(super) fn check(steps: &mut [Step], report: &mut Report) {
    // Each turn takes a step out, or it is the last.
    while let Some((field, found, why)) = refusal(&step::pipeline(steps)) {
        let Some(step) = step::at(steps, &field) else {
            report.unsupported("the whole pipeline", found, why);
            return;
        };
        let finding = Finding { place: step.place.clone(), found, why };
        report.unsupported.push(finding.clone());
        step.kind = Kind::LeftOut(finding);
    }
    let message = rule::with_defaults(&step::pipeline(steps));
    if let Err(refusal) = Pipeline::build(&message, images(PHOTOGRAPH, PHOTOGRAPH)) {
        let place = step::at(steps, &refusal.field).map_or_else(|| "pipeline".into(), |step| step.place.clone());
        report.notice(&place, format!("an image of {PHOTOGRAPH} would be refused"), refusal.to_string());
    }
    // Of two sizes of images that every crop fits into.
    if let Ok(pipeline) = Pipeline::build(&message, images(SMALLER, LARGE))
        && pipeline.output().fixed().is_none()
    {
        let why = "a batch needs rows of one size: end in a resize or a crop, or ask for batches of one row";
        report.notice("the whole pipeline", "images leave it in different sizes", why);
    }
}

/// The first field that a server would refuse whatever the dataset, what was found there, and why it is refused.
fn refusal(message: &v1::Pipeline) -> Option<(String, String, String)> {
    if let Err(refusal) = check_size(&message.ops) {
        return Some((refusal.field, refusal.found, format!("expected {}", refusal.expected)));
    }
    if let Err(violations) = rule::check(message) {
        let violation = violations.into_iter().next()?;
        let found = format!("{} would be {}", tail(&violation.field), violation.found);
        return Some((violation.field, found, format!("expected {}", violation.expected)));
    }
    let refusal = Pipeline::build(&rule::with_defaults(message), images(LARGE, LARGE)).err()?;
    let found = format!("{} would be {}", tail(&refusal.field), refusal.found);
    Some((refusal.field, found, format!("expected {}", refusal.expected)))
}

/// The op and its field, without the way there.
fn tail(field: &str) -> &str {
    field.rsplit_once("].").map_or(field, |(_, tail)| tail)
}

fn images(smallest: Size, largest: Size) -> Form {
    Form { smallest, largest, channels: 3, depth: Depth::U8 }
}

/// What ImageNet has most.
const PHOTOGRAPH: Size = Size::new(500, 375);
const SMALLER: Size = Size::new(4096, 4096);
/// Larger than what is cropped out of images, and square, so that what needs that is taken.
const LARGE: Size = Size::new(8192, 8192);
