use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use feedline_proto::v1;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::ledger::{Arrival, Ledger, Sequence};
use super::meter::{Kind, Meter};
use crate::client::{BatchStream, Client, ClientError, Loader, Options};
use crate::seed::Rng;

/// One client of the test: it reads batches as a training does, until the test ends or it is told to go away for good.
pub(super) struct Trainer {
    pub(super) index: u32,
    pub(super) address: String,
    pub(super) loader: Loader,
    pub(super) kind: Kind,
    /// How long it thinks after each batch.
    pub(super) think: Duration,
    /// When it starts.
    pub(super) start: Instant,
    /// When the test ends.
    pub(super) deadline: Instant,
    /// How long it tries again when the server is away.
    pub(super) retry_for: Duration,
    pub(super) shared_memory: bool,
    /// Draws when it vanishes, if it is one of those that do.
    pub(super) vanishing: Option<Rng>,
    pub(super) ledger: Arc<Mutex<Ledger>>,
    pub(super) meter: Arc<Meter>,
    /// The end of the test.
    pub(super) end: CancellationToken,
}

/// What became of one client.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) kind: Kind,
    pub(super) batches: u64,
    /// Time that it spent waiting for a batch or a connection.
    pub(super) waiting: Duration,
    /// Time that it had vanished.
    pub(super) away: Duration,
    /// From its start to its end.
    pub(super) lifetime: Duration,
    /// How often it dropped its connection on purpose.
    pub(super) vanished: u64,
    /// How often the client library tried again after a failure.
    pub(super) retries: u64,
}

/// When a client that vanishes will do so next.
struct Leave {
    /// After so many batches more.
    batches: u64,
    /// While the batch after those is on its way, so long after it was asked for; none: when it has come.
    midway: Option<Duration>,
}

/// Why a client does not read on from its stream.
enum Stop {
    End,
    Vanish(v1::Cursor),
    Failed,
}

impl Trainer {
    pub(super) async fn run(mut self) -> Record {
        let mut record = Record {
            kind: self.kind,
            batches: 0,
            waiting: Duration::ZERO,
            away: Duration::ZERO,
            lifetime: Duration::ZERO,
            vanished: 0,
            retries: 0,
        };
        let (mut cursor, mut sequence, mut epoch) = (None, None, 0);
        if self.until_end(sleep_until(self.start)).await.is_some() {
            while let Some(next) = self.connection(cursor, &mut sequence, &mut epoch, &mut record).await {
                cursor = Some(next);
                record.vanished += 1;
                let (left, away) = (Instant::now(), self.draw(MOST_AWAY_MS));
                let came_back = self.until_end(sleep(away)).await;
                record.away += left.elapsed();
                if came_back.is_none() {
                    break;
                }
            }
        }
        record.lifetime = self.start.elapsed();
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).leave(epoch);
        record
    }

    /// Connects and reads; returns where to go on if it vanished.
    async fn connection(
        &mut self,
        cursor: Option<v1::Cursor>,
        sequence: &mut Option<Sequence>,
        epoch: &mut u32,
        record: &mut Record,
    ) -> Option<v1::Cursor> {
        let connecting = Instant::now();
        let retry_for = self.retry_for.min(self.deadline.saturating_duration_since(connecting));
        let (name, shared_memory) = (format!("loadtest-{}", self.index), self.shared_memory);
        let options = Options { name, job: String::new(), retry_for, shared_memory };
        let mut loader = self.loader.clone();
        loader.delivery.start = cursor;
        let opened = async { Client::new(&self.address, options)?.stream(loader).await };
        let opened = self.until_end(opened).await;
        record.waiting += connecting.elapsed();
        let mut stream = match opened {
            Some(Ok(stream)) => stream,
            Some(Err(error)) => {
                self.failed(&error);
                return None;
            }
            None => {
                self.meter.unanswered(connecting.elapsed());
                return None;
            }
        };
        let steps = stream.description().steps_per_epoch;
        let sequence = sequence.get_or_insert_with(|| Sequence::new(steps));
        self.meter.streaming.fetch_add(1, Relaxed);
        let stop = self.read(&mut stream, connecting, sequence, epoch, record).await;
        self.meter.streaming.fetch_sub(1, Relaxed);
        record.retries += stream.reconnects();
        if let Stop::Vanish(cursor) = stop { Some(cursor) } else { None }
    }

    async fn read(
        &mut self,
        stream: &mut BatchStream,
        connecting: Instant,
        sequence: &mut Sequence,
        epoch: &mut u32,
        record: &mut Record,
    ) -> Stop {
        let mut leave = self.draw_leave();
        let mut is_first = true;
        loop {
            let (asked, retries) = (Instant::now(), stream.reconnects());
            let midway = leave.as_ref().filter(|leave| leave.batches == 0).and_then(|leave| leave.midway);
            let got = tokio::select! {
                biased;
                () = self.end.cancelled() => None,
                () = sleep(midway.unwrap_or_default()), if midway.is_some() => {
                    record.waiting += asked.elapsed();
                    return Stop::Vanish(stream.cursor().clone());
                }
                got = stream.next() => Some(got),
            };
            record.waiting += asked.elapsed();
            let batch = match got {
                Some(Ok(Some(batch))) => batch,
                // A stream without a count ends with the last epoch that there can be.
                Some(Ok(None)) => return Stop::End,
                Some(Err(error)) => {
                    self.failed(&error);
                    return Stop::Failed;
                }
                None => {
                    self.meter.unanswered(asked.elapsed());
                    if stream.reconnects() > retries {
                        let waited = asked.elapsed().as_secs_f64();
                        self.meter.error("cut_off", self.index, format!("without a server for the last {waited:.1} s"));
                    }
                    return Stop::End;
                }
            };
            let waited = if is_first { connecting.elapsed() } else { asked.elapsed() };
            let arrival = Arrival::of(&batch);
            let (images, bytes) = (batch.samples().len() as u64, batch.payload().len() as u64);
            drop(batch);
            self.meter.batch(self.kind, is_first, waited, images, bytes);
            self.check(&arrival, sequence, epoch);
            record.batches += 1;
            is_first = false;
            if let Some(leave) = &mut leave {
                if leave.batches == 0 {
                    return Stop::Vanish(stream.cursor().clone());
                }
                leave.batches -= 1;
            }
            if !self.think.is_zero() && self.until_end(sleep(self.think)).await.is_none() {
                return Stop::End;
            }
        }
    }

    fn check(&self, arrival: &Arrival, sequence: &mut Sequence, epoch: &mut u32) {
        let out_of_turn = sequence.take(arrival.epoch, arrival.step);
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        if arrival.epoch != *epoch {
            ledger.pass(*epoch, arrival.epoch);
            *epoch = arrival.epoch;
        }
        let twice = ledger.take(self.loader.placement.rank, arrival);
        drop(ledger);
        for violation in out_of_turn.into_iter().chain(twice) {
            self.meter.error(violation.kind(), self.index, &violation);
        }
    }

    fn failed(&self, error: &ClientError) {
        let kind = match error {
            ClientError::Refused { code, .. } => format!("refused_{}", snake_case(&format!("{code:?}"))),
            ClientError::Unreachable { .. } => "unreachable".into(),
            ClientError::Broken { .. } => "broken".into(),
            ClientError::Address { .. } => "address".into(),
        };
        self.meter.error(&kind, self.index, error);
    }

    /// What the future gives, or nothing if the test ends first.
    async fn until_end<R>(&self, future: impl Future<Output = R>) -> Option<R> {
        tokio::select! {
            biased;
            () = self.end.cancelled() => None,
            result = future => Some(result),
        }
    }

    /// When to vanish next: after 1 to 20 batches, every other time with one on its way.
    fn draw_leave(&mut self) -> Option<Leave> {
        let rng = self.vanishing.as_mut()?;
        let batches = rng.below(MOST_BATCHES_BETWEEN);
        let midway = rng.chance(0.5).then(|| Duration::from_millis(rng.below(MOST_MIDWAY_MS)));
        Some(Leave { batches, midway })
    }

    /// A time of up to `most` milliseconds.
    fn draw(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.vanishing.as_mut().map_or(0, |rng| rng.below(most)))
    }
}

/// A code as gRPC spells it, in small letters: `ResourceExhausted` is `resource_exhausted`.
fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

/// Batches after which a client that vanishes does so at the latest.
const MOST_BATCHES_BETWEEN: u64 = 20;
/// How long it stays away, at most.
const MOST_AWAY_MS: u64 = 1000;
/// How long after asking for a batch it vanishes, at most.
const MOST_MIDWAY_MS: u64 = 50;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::engine::Engine;
    use crate::server::{self, Endpoint, Limits, Listener};
    use crate::store::{LoadOptions, Mode};
    use crate::{demo, engine, source, store};

    /// Serves the photographs in this process until dropped, and returns where.
    async fn serve() -> (String, tokio::sync::oneshot::Sender<()>) {
        let mut classes: Vec<&str> = demo::photographs().filter_map(|(key, _)| key.split('/').next()).collect();
        classes.dedup();
        let listing = source::embedded("photographs", &classes, demo::photographs());
        let options = LoadOptions { mode: Mode::Encoded, budget: 1 << 30, max_pixels: 1 << 20, threads: 1 };
        let datasets = store::load(vec![listing], &options, &|_| {}).expect("small enough");
        let options = engine::Options { threads: 1, batch_budget: 1 << 30, ..Default::default() };
        let engine = Engine::new(datasets, BTreeMap::new(), options).expect("threads");
        let listener = Listener::bind(&Endpoint::Tcp("127.0.0.1:0".into())).await.expect("a free port");
        let address = listener.endpoint().to_string();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let stopped = async {
            let _ = stopped.await;
        };
        tokio::spawn(server::run(vec![listener], engine, Limits::default(), stopped));
        (address, stop)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_does_not_agree_with_what_others_got_is_an_error() {
        let (address, _stop) = serve().await;
        let pipeline = Some(v1::Pipeline { name: "imagenet-eval".into(), ops: Vec::new() });
        let spec = v1::LoaderSpec { pipeline, global_batch_size: 4, ..Default::default() };
        let delivery = v1::Delivery { count: Some(2), ..Default::default() };
        let (meter, start) = (Arc::new(Meter::new()), Instant::now());
        let mut ledger = Ledger::new(1);
        // Of the first batch others got other bytes; of the second, samples that come once per epoch have come before.
        let arrival = |step, samples| Arrival { epoch: 0, step, samples, crc: 0 };
        ledger.take(0, &arrival(0, Vec::new()));
        ledger.take(1, &arrival(1, (0..96).collect()));
        let trainer = Trainer {
            index: 5,
            address,
            loader: Loader { spec, placement: v1::Placement::default(), delivery },
            kind: Kind::Fast,
            think: Duration::ZERO,
            start,
            deadline: start + Duration::from_secs(3600),
            retry_for: Duration::from_secs(60),
            shared_memory: false,
            vanishing: None,
            ledger: Arc::new(Mutex::new(ledger)),
            meter: Arc::clone(&meter),
            end: CancellationToken::new(),
        };
        let record = trainer.run().await;
        let totals = meter.totals().clone();
        let errors: Vec<(&str, u64)> = totals.errors.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
        assert_eq!((record.batches, errors), (2, vec![("other_bytes", 1), ("sample_twice", 4)]));
        assert!(totals.examples[0].starts_with("client 5: batch 0:0 has CRC "), "{:?}", totals.examples);
    }

    #[test]
    fn codes_are_named_as_grpc_spells_them() {
        assert_eq!(["NotFound", "ResourceExhausted", "Ok"].map(snake_case), ["not_found", "resource_exhausted", "ok"]);
    }
}
