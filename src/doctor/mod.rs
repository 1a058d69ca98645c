use std::collections::BTreeMap;

use feedline_proto::v1;
use serde::Serialize;

use interval::{Share, Time, Workers};

mod interval;
mod words;

/// What a job waits for most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Workers, which decode most of the time.
    Decode,
    /// Workers, which run ops most of the time: resizes, crops, colour.
    Augment,
    /// Workers, which mix, convert and write rows most of the time.
    Collate,
    /// The batch budget: workers were idle, and the next batch had no room.
    Memory,
    /// Batches that are begun too late: workers were idle, and there was room.
    Prefetch,
    /// The network, or how fast the client reads from it.
    Wire,
    /// The trainer, or what else the client does between two batches.
    Trainer,
}

/// What bounds a job, or those of its streams that are bound by the same.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diagnosis {
    /// The training job; empty: none, and the stream stands for itself.
    pub job: String,
    /// Names of the clients.
    pub clients: Vec<String>,
    /// Their ranks.
    pub ranks: Vec<u32>,
    /// What bounds it.
    pub bound: Bound,
    /// What was measured.
    pub figures: Figures,
    /// What would help.
    pub advice: String,
}

/// What was measured. Shares are from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// How long.
    pub seconds: f64,
    /// Rows of all streams a second.
    pub images_per_s: f64,
    /// Megabytes of all streams a second.
    pub mb_per_s: f64,
    /// Part of the time in which a batch was ready, or on its way.
    pub ready: f64,
    /// Part of the time in which bytes were under way to the clients.
    pub wire: f64,
    /// Part of the time in which the next batch had no room in the batch budget.
    pub memory_wait: f64,
    /// Worker threads of the server.
    pub threads: u32,
    /// Part of the time in which they were at work, for whomever.
    pub busy: f64,
    /// Part of the work for these streams that was decoding.
    pub decode: f64,
    /// Part of it that was ops.
    pub augment: f64,
    /// Part of it that was mixing, converting and writing.
    pub collate: f64,
}

/// Two statuses that have nothing to do with each other: the server was started anew in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server was restarted between two looks at it")]
pub struct Restarted;

/// Says of every job that streams in `after` what bounded it since `before`. Streams that ended in between are not in it.
///
/// # Errors
/// [`Restarted`].
pub fn diagnose(before: &v1::GetStatusResponse, after: &v1::GetStatusResponse) -> Result<Vec<Diagnosis>, Restarted> {
    let workers = Workers::between(before, after).ok_or(Restarted)?;
    let known: BTreeMap<u64, &v1::StreamStatus> = before.streams.iter().map(|stream| (stream.id, stream)).collect();
    let mut lines: BTreeMap<Line<'_>, Streams<'_>> = BTreeMap::new();
    for stream in &after.streams {
        let time = Time::between(known.get(&stream.id).copied(), stream);
        if time.all() > 0 {
            let alone = stream.job.is_empty().then_some(stream.id);
            let line = lines.entry(Line { job: &stream.job, alone, bound: bound(&workers, &time) }).or_default();
            line.all.push(stream);
            line.time = line.time.plus(&time);
        }
    }
    let diagnosis = |(Line { job, bound, .. }, Streams { all, time }): (Line<'_>, Streams<'_>)| Diagnosis {
        job: job.to_owned(),
        clients: all.iter().map(|stream| stream.client.clone()).collect(),
        ranks: all.iter().map(|stream| stream.rank).collect(),
        bound,
        figures: figures(&workers, &time),
        advice: words::advice(bound, &workers, &all, after),
    };
    Ok(lines.into_iter().map(diagnosis).collect())
}

/// What is said in one line.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Line<'a> {
    job: &'a str,
    /// The number of a stream without a job, which stands for itself.
    alone: Option<u64>,
    bound: Bound,
}

/// The streams of a line, and their time together.
#[derive(Default)]
struct Streams<'a> {
    all: Vec<&'a v1::StreamStatus>,
    time: Time,
}

/// What bounded one stream. If batches had always been ready, it would have taken the time that it spent sending; so the part
/// that it spent without one is all that a better server could save.
fn bound(workers: &Workers, time: &Time) -> Bound {
    if time.making.of(time.all()) < WORTH_SAVING {
        return if time.wire.of(time.sending) >= MOSTLY { Bound::Wire } else { Bound::Trainer };
    }
    if workers.busy() < BUSY {
        return if time.memory_wait.of(time.all()) >= WORTH_SAVING { Bound::Memory } else { Bound::Prefetch };
    }
    // A stream that got no batch yet has none whose work could be looked at.
    let work = if time.work() > 0 { time.stages } else { workers.stages };
    let [decode, augment, collate] = work;
    if decode >= augment.max(collate) {
        Bound::Decode
    } else if augment >= collate {
        Bound::Augment
    } else {
        Bound::Collate
    }
}

/// Part of the time without a batch from which on the server is the bound.
const WORTH_SAVING: f64 = 0.1;
/// Part of the sending in which bytes are under way from which on the network is the bound: there is hardly a moment in which it has
/// nothing to do.
const MOSTLY: f64 = 0.75;
/// Part of their time that workers work when more of anything else would not help: between two rows and at the end of a batch
/// even those of a server that has all it needs are idle for moments.
const BUSY: f64 = 0.75;

fn figures(workers: &Workers, time: &Time) -> Figures {
    let stages = if time.work() > 0 { time.stages } else { workers.stages };
    let [decode, augment, collate] = stages.map(|stage| stage.of(stages.iter().sum()));
    Figures {
        seconds: workers.passed as f64 / 1e9,
        images_per_s: workers.per_second(time.rows),
        mb_per_s: workers.per_second(time.bytes) / 1e6,
        ready: time.sending.of(time.all()),
        wire: time.wire.of(time.all()),
        memory_wait: time.memory_wait.of(time.all()),
        threads: workers.threads,
        busy: workers.busy(),
        decode,
        augment,
        collate,
    }
}
