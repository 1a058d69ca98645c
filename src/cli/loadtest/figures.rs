use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::client::Record;
use super::meter::Kind;
use super::run::{Outcome, Point};
use super::{Args, Ranks};
use crate::store::Human;

/// What the last line of standard output says. Times in the unit that their name ends with.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    clients: u32,
    ranks: Ranks,
    seconds: f64,
    interrupted: bool,
    /// How much of the start the rates leave out: nothing if the test ended before `--warm-up` did.
    warm_up_s: f64,
    images_per_s: f64,
    mb_per_s: f64,
    images: u64,
    batches: u64,
    bytes: u64,
    /// From asking for a batch to having it; the first one of each connection is counted in `first_batch_ms`.
    latency_ms: Latency,
    first_batch_ms: Latency,
    /// Share of its time that a client waited.
    wait_share: Spread,
    kinds: Vec<OfKind>,
    clients_without_batch: u32,
    /// Clients that waited when the test ended, and for how long the one that had waited longest.
    unanswered: u32,
    longest_unanswered_s: f64,
    vanished: u64,
    retries: u64,
    pub(super) errors: BTreeMap<String, u64>,
    load_cpu_s: Option<f64>,
    load_peak_memory_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<Server>,
}

/// Quantiles of a time.
#[derive(Debug, Serialize)]
struct Latency {
    count: u64,
    p50: f64,
    p90: f64,
    p99: f64,
    p99_9: f64,
    max: f64,
}

#[derive(Debug, Serialize)]
struct Spread {
    min: f64,
    median: f64,
    max: f64,
}

/// The clients of one kind.
#[derive(Debug, Serialize)]
struct OfKind {
    kind: Kind,
    clients: u32,
    batches: u64,
    /// Jain's index over batches per second: 1 if all get the same, 1/n if one gets all.
    fairness: f64,
    latency_ms: Latency,
}

/// What the server used.
#[derive(Debug, Serialize)]
struct Server {
    cpu_s: f64,
    cpu_s_per_gb: f64,
    memory_bytes: u64,
    peak_memory_bytes: u64,
}

impl Figures {
    pub(super) fn of(args: &Args, outcome: &Outcome) -> Figures {
        let Outcome { records, totals, timeline, lasted, server, own, .. } = outcome;
        let (seconds, end) = (lasted.as_secs_f64(), timeline.last().copied().unwrap_or_default());
        let warm = warm(timeline, args.warm_up);
        let rate = |of: fn(&Point) -> u64| (of(&end) - of(&warm)) as f64 / (*lasted - warm.at).as_secs_f64();
        let mut latency = totals.latency[0].clone();
        let both = latency.add(&totals.latency[1]);
        debug_assert!(both.is_ok(), "both have the same bounds");
        let kinds = Kind::ALL.into_iter().filter_map(|kind| OfKind::of(kind, records, &totals.latency[kind as usize]));
        let (gb, unanswered) = (end.bytes as f64 / 1e9, &totals.unanswered);
        Figures {
            clients: args.clients,
            ranks: args.ranks,
            seconds: rounded(seconds),
            interrupted: outcome.interrupted,
            warm_up_s: rounded(warm.at.as_secs_f64()),
            images_per_s: rounded(rate(|point| point.images)),
            mb_per_s: rounded(rate(|point| point.bytes) / 1e6),
            images: end.images,
            batches: end.batches,
            bytes: end.bytes,
            latency_ms: Latency::of(&latency),
            first_batch_ms: Latency::of(&totals.first),
            wait_share: Spread::of(records.iter().map(wait_share).collect()),
            kinds: kinds.collect(),
            clients_without_batch: records.iter().filter(|record| record.batches == 0).count() as u32,
            unanswered: unanswered.len() as u32,
            longest_unanswered_s: rounded(unanswered.iter().max().copied().unwrap_or_default().as_secs_f64()),
            vanished: records.iter().map(|record| record.vanished).sum(),
            retries: records.iter().map(|record| record.retries).sum(),
            errors: totals.errors.clone(),
            load_cpu_s: own.map(|own| rounded(own.cpu.as_secs_f64())),
            load_peak_memory_bytes: own.map(|own| own.peak_memory),
            server: server.map(|(before, last)| {
                let cpu = last.cpu.saturating_sub(before.cpu).as_secs_f64();
                Server {
                    cpu_s: rounded(cpu),
                    cpu_s_per_gb: if gb > 0.0 { rounded(cpu / gb) } else { 0.0 },
                    memory_bytes: last.memory,
                    peak_memory_bytes: last.peak_memory,
                }
            }),
        }
    }

    /// The same for people: names and values.
    pub(super) fn rows(&self) -> Vec<(String, String)> {
        let mut rows: Vec<(String, String)> = Vec::new();
        let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
        let ranks = match self.ranks {
            Ranks::Distinct => "one rank each",
            Ranks::Shared => "all the same batches",
            Ranks::Separate => "one training each",
        };
        let ended = if self.interrupted { ", interrupted" } else { "" };
        row("clients", format!("{}, {ranks}, for {:.1} s{ended}", self.clients, self.seconds));
        let warm = if self.warm_up_s > 0.0 { format!(", from {:.1} s on", self.warm_up_s) } else { String::new() };
        row("images/s", format!("{:.0}{warm}", self.images_per_s));
        row("payload", format!("{:.0} MB/s", self.mb_per_s));
        row("batches", format!("{}, {} images, {}", self.batches, self.images, Human(self.bytes)));
        row("batch latency", self.latency_ms.in_words());
        row("first batch", self.first_batch_ms.in_words());
        let Spread { min, median, max } = self.wait_share;
        row("share of waiting", format!("min {min:.3}, median {median:.3}, max {max:.3}"));
        for OfKind { kind, clients, batches, fairness, latency_ms } in &self.kinds {
            let median = millis(latency_ms.p50);
            let name = kind.name();
            row(
                &format!("{name} clients"),
                format!(
                    "{clients}, {batches} batches, fairness {fairness:.4}, p50 {median}, p99 {}",
                    millis(latency_ms.p99)
                ),
            );
        }
        row("vanished", format!("{} times", self.vanished));
        row("tried again", format!("{} times", self.retries));
        if self.clients_without_batch > 0 {
            row("got no batch", format!("{} of {}", self.clients_without_batch, self.clients));
        }
        let longest = self.longest_unanswered_s;
        row("waiting at the end", format!("{} of {}, the longest for {longest:.3} s", self.unanswered, self.clients));
        let errors: Vec<String> = self.errors.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        row("errors", if errors.is_empty() { "none".into() } else { errors.join(", ") });
        if let (Some(cpu), Some(memory)) = (self.load_cpu_s, self.load_peak_memory_bytes) {
            row("this process", format!("{cpu:.1} CPU-s, {} at most", Human(memory)));
        }
        if let Some(server) = &self.server {
            let Server { cpu_s, cpu_s_per_gb, memory_bytes, peak_memory_bytes } = *server;
            let memory = format!("{}, {} at most", Human(memory_bytes), Human(peak_memory_bytes));
            row("server", format!("{cpu_s:.1} CPU-s, {cpu_s_per_gb:.2} per GB of payload; {memory}"));
        }
        rows
    }
}

impl Latency {
    fn of(histogram: &Histogram<u64>) -> Latency {
        let at = |quantile: f64| rounded(histogram.value_at_quantile(quantile) as f64 / 1e3);
        let (count, max) = (histogram.len(), rounded(histogram.max() as f64 / 1e3));
        Latency { count, p50: at(0.5), p90: at(0.9), p99: at(0.99), p99_9: at(0.999), max }
    }

    fn in_words(&self) -> String {
        if self.count == 0 {
            return "none came".into();
        }
        let Latency { p50, p90, p99, p99_9, max, .. } = *self;
        let named = [("p50", p50), ("p90", p90), ("p99", p99), ("p99.9", p99_9), ("max", max)];
        named.map(|(name, value)| format!("{name} {}", millis(value))).join(", ")
    }
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Spread {
        values.sort_by(f64::total_cmp);
        let at = |index: usize| rounded(values.get(index).copied().unwrap_or(0.0));
        Spread { min: at(0), median: at(values.len() / 2), max: at(values.len().saturating_sub(1)) }
    }
}

impl OfKind {
    /// None if there is no client of that kind.
    fn of(kind: Kind, records: &[Record], latency: &Histogram<u64>) -> Option<OfKind> {
        let records: Vec<&Record> = records.iter().filter(|record| record.kind == kind).collect();
        let rates: Vec<f64> = records.iter().map(|record| rate(record)).collect();
        (!records.is_empty()).then(|| OfKind {
            kind,
            clients: records.len() as u32,
            batches: records.iter().map(|record| record.batches).sum(),
            fairness: rounded(jain(&rates)),
            latency_ms: Latency::of(latency),
        })
    }
}

/// What was counted when the warm-up was over: nothing at the start without one, or if nothing came after it.
fn warm(timeline: &[Point], warm_up: Duration) -> Point {
    let before_the_last = timeline.split_last().map_or(timeline, |(_, before)| before);
    let over = before_the_last.iter().find(|point| point.at >= warm_up).filter(|_| !warm_up.is_zero());
    over.copied().unwrap_or_default()
}

/// Batches per second of the time that a client was there: those that start later, or vanish, are not treated worse for that.
fn rate(record: &Record) -> f64 {
    let there = record.lifetime.saturating_sub(record.away).as_secs_f64();
    if there > 0.0 { record.batches as f64 / there } else { 0.0 }
}

/// Jain's index: the square of the sum over n times the sum of the squares. 1 for no values and for values of 0.
fn jain(values: &[f64]) -> f64 {
    let (sum, squares): (f64, f64) = (values.iter().sum(), values.iter().map(|x| x * x).sum());
    if squares > 0.0 { sum * sum / (values.len() as f64 * squares) } else { 1.0 }
}

fn wait_share(record: &Record) -> f64 {
    let seconds = |time: Duration| time.as_secs_f64();
    if record.lifetime.is_zero() { 0.0 } else { (seconds(record.waiting) / seconds(record.lifetime)).min(1.0) }
}

/// Milliseconds with three significant digits, in seconds if there are many.
fn millis(value: f64) -> String {
    match value {
        value if value >= 10_000.0 => format!("{:.1} s", value / 1e3),
        value if value >= 1000.0 => format!("{:.2} s", value / 1e3),
        value if value >= 100.0 => format!("{value:.0} ms"),
        value if value >= 10.0 => format!("{value:.1} ms"),
        value => format!("{value:.2} ms"),
    }
}

fn rounded(x: f64) -> f64 {
    (x * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fairness_is_one_for_equals_and_one_nth_if_one_gets_all() {
        assert_eq!(jain(&[3.0; 7]), 1.0);
        assert_eq!(jain(&[5.0, 0.0, 0.0, 0.0]), 0.25);
        assert_eq!((jain(&[]), jain(&[0.0; 3])), (1.0, 1.0));
    }

    #[test]
    fn rates_begin_when_the_warm_up_is_over() {
        let timeline: Vec<Point> = (0..4)
            .map(|at| Point { at: Duration::from_millis(at * 1010), batches: at * at, ..Point::default() })
            .collect();
        let batches = |warm_up| warm(&timeline, Duration::from_millis(warm_up)).batches;
        assert_eq!([0, 1, 1010, 1011, 2020].map(batches), [0, 1, 1, 4, 4]);
        assert_eq!(batches(2021), 0, "it ended first");
        assert_eq!(warm(&[], Duration::from_secs(1)).at, Duration::ZERO);
    }

    #[test]
    fn times_have_three_digits() {
        let texts = [0.5, 12.34, 123.4, 1234.0, 12_340.0].map(millis);
        assert_eq!(texts, ["0.50 ms", "12.3 ms", "123 ms", "1.23 s", "12.3 s"]);
    }

    #[test]
    fn a_client_that_starts_later_or_vanishes_is_not_treated_worse_for_that() {
        let seconds = Duration::from_secs;
        let record = |batches, lifetime, away| Record {
            kind: Kind::Fast,
            batches,
            waiting: seconds(1),
            away: seconds(away),
            lifetime: seconds(lifetime),
            vanished: 0,
            retries: 0,
        };
        assert_eq!([record(100, 10, 0), record(50, 5, 0), record(50, 10, 5)].map(|r| rate(&r)), [10.0; 3]);
        assert_eq!(wait_share(&record(1, 4, 0)), 0.25);
        assert_eq!(wait_share(&record(0, 0, 0)), 0.0, "it never started");
    }
}
