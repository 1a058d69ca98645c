use std::fmt;

use feedline_proto::v1::{Dtype, GetStatusResponse, StreamStatus};

use super::interval::Workers;
use super::{Bound, Diagnosis};
use crate::store::Human;

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Bound::Decode => "decode",
            Bound::Augment => "the ops",
            Bound::Collate => "writing batches",
            Bound::Memory => "memory",
            Bound::Prefetch => "prefetch",
            Bound::Wire => "the wire",
            Bound::Trainer => "the trainer",
        })
    }
}

impl fmt::Display for Diagnosis {
    /// One line: who, what bounds it, the figures, what would help.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let streams = self.clients.len();
        let plural = if streams == 1 { "" } else { "s" };
        match (self.job.as_str(), self.clients.first()) {
            ("", Some(client)) => write!(f, "client {client:?}")?,
            (job, _) => write!(f, "job {job:?} ({streams} stream{plural})")?,
        }
        write!(f, ": bound by {}: ", self.bound)?;
        let figures = &self.figures;
        let threads = if figures.threads == 1 { "thread" } else { "threads" };
        let busy = format!("workers busy {} of {} {threads}", percent(figures.busy), figures.threads);
        let stage = |share: f64, name: &str| format!("{busy}, {} of that in {name}", percent(share));
        let ready = format!("batches lie ready {} of the time", percent(figures.ready));
        f.write_str(&match self.bound {
            Bound::Decode => stage(figures.decode, "decode"),
            Bound::Augment => stage(figures.augment, "ops"),
            Bound::Collate => stage(figures.collate, "mixing, converting and writing"),
            Bound::Memory => format!("{busy}, no room for the next batch {} of the time", percent(figures.memory_wait)),
            Bound::Prefetch => format!("{busy}, and yet no batch ready {} of the time", percent(1.0 - figures.ready)),
            Bound::Wire => format!("{ready}, bytes are under way {} of it", percent(figures.wire)),
            Bound::Trainer => ready,
        })?;
        write!(f, "; {} images/s, {} MB/s. {}", grouped(figures.images_per_s), grouped(figures.mb_per_s), self.advice)
    }
}

/// What would help.
pub(super) fn advice(bound: Bound, workers: &Workers, streams: &[&StreamStatus], server: &GetStatusResponse) -> String {
    let mut advice = match bound {
        Bound::Decode => match stored(server) {
            Some(stored) => format!("{}, or {stored}, would help.", more_cores(server)),
            None => format!("{} would help.", more_cores(server)),
        },
        Bound::Augment => {
            format!("{}, or cheaper ops (`feedline ops NAME` has the cost of each), would help.", more_cores(server))
        }
        Bound::Collate if as_floats(streams) => {
            format!("{}, or dtype UINT8, which leaves the conversion to the device, would help.", more_cores(server))
        }
        Bound::Collate => format!("{} would help.", more_cores(server)),
        Bound::Memory => {
            let wanted = server.streams.iter().fold(0_u64, |sum, stream| {
                sum.saturating_add(stream.prefetch_bytes.max(stream.batch_bytes)).saturating_add(stream.batch_bytes)
            });
            let now = Human(server.batch_budget_bytes);
            format!(
                "A larger --batch-budget than {now} would help; {} holds all that is to be made ahead.",
                Human(wanted)
            )
        }
        Bound::Prefetch => {
            let most = streams.iter().map(|stream| stream.prefetch_bytes.max(stream.batch_bytes)).max().unwrap_or(0);
            format!("More prefetch_bytes than {}, or batches of more rows, would help.", Human(most))
        }
        Bound::Wire if as_floats(streams) => {
            "A faster network would help, or dtype UINT8, a quarter of the bytes of FP32.".to_owned()
        }
        Bound::Wire => "A faster network, or smaller images, would help.".to_owned(),
        Bound::Trainer if streams.iter().all(|stream| stream.repeat) => {
            "It is sent one batch again and again, so this is all that the trainer takes.".to_owned()
        }
        Bound::Trainer => "Nothing to gain here.".to_owned(),
    };
    let at_work = matches!(bound, Bound::Decode | Bound::Augment | Bound::Collate);
    if let Some(scheduled) = workers.scheduled().filter(|scheduled| at_work && *scheduled < ALONE) {
        advice += &format!(
            " Other programs take the processors: workers at work have one {} of the time.",
            percent(scheduled)
        );
    }
    advice
}

/// Part of their work that workers have a processor on a machine that does nothing else.
const ALONE: f64 = 0.75;

fn more_cores(server: &GetStatusResponse) -> String {
    if server.threads < server.processors {
        return format!("--threads {}, as many as there are processors", server.processors);
    }
    "More cores".to_owned()
}

/// How fewer images would be decoded, if any can be spared.
fn stored(server: &GetStatusResponse) -> Option<String> {
    let (all, budget) = (server.all_decoded_bytes, server.decoded_budget_bytes);
    match all.checked_sub(budget).filter(|missing| *missing > 0) {
        // None are kept: the store may have been told so, and the budget may be large enough.
        Some(_) if budget == 0 => {
            Some(format!("--store auto with {} of --memory-budget for decoded images", Human(all)))
        }
        Some(missing) => Some(format!("--store auto with {} more of --memory-budget", Human(missing))),
        None if server.decoded_bytes < all => {
            let kept = percent(server.decoded_bytes as f64 / all as f64);
            Some(format!("the second epoch, since decoded images are kept ({kept} of them are by now)"))
        }
        None => None,
    }
}

fn as_floats(streams: &[&StreamStatus]) -> bool {
    streams.iter().any(|stream| stream.dtype() != Dtype::Uint8)
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// A whole number with a comma before each three digits.
fn grouped(x: f64) -> String {
    let digits = format!("{x:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!([0.0, 999.4, 1480.2, 1_234_567.0].map(grouped), ["0", "999", "1,480", "1,234,567"]);
        assert_eq!([0.0, 0.004, 0.985, 1.0].map(percent), ["0 %", "0 %", "98 %", "100 %"]);
    }
}
