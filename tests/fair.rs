//! Promise: a client whose batches are dear takes no more of the workers' time than one whose batches are cheap.

mod common;

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use common::*;
use feedline::engine::{BatchError, Engine, Lease, Session};
use feedline::store::Mode;
use feedline_proto::v1::{self, op::Op};

/// The photographs decoded, so that the cost of a row is that of its ops.
fn decoded_engine() -> Engine {
    let engine = engine(loaded(photographs(), Mode::Decoded), 1);
    engine.fill(&|_| {});
    engine
}

/// A few thousand pixels per row.
fn light() -> v1::LoaderSpec {
    small_spec(16)
}

/// Fifty times as many, and more ops for each.
fn heavy() -> v1::LoaderSpec {
    let jitter = v1::ColorJitter { brightness: vec![0.6, 1.4], contrast: vec![0.6, 1.4], ..Default::default() };
    let crop = v1::RandomResizedCrop { height: 224, width: 224, ..Default::default() };
    spec_of([Op::RandomResizedCrop(crop), Op::ColorJitter(jitter)], 4)
}

/// A session that has all of its batches under way from the start: it wants more at any time, whoever drives it.
fn open(engine: &Engine, spec: &v1::LoaderSpec, count: u64) -> Session {
    let delivery = v1::Delivery { prefetch_bytes: Some(1 << 40), dtype: v1::Dtype::Uint8.into(), ..from(0, 0, count) };
    engine.open(engine.resolve(spec, &rank(0, 1), &delivery).expect("a sound request")).expect("admitted")
}

/// What a session got so far.
#[derive(Clone, Copy, Debug, Default)]
struct Got {
    batches: u64,
    /// Nanoseconds of the worker.
    work: u64,
}

impl Got {
    /// Takes whatever batches are there, without waiting.
    fn take_all(&mut self, session: &mut Session, waker: &Waker) {
        while let Poll::Ready(batch) = session.poll_next(&mut Context::from_waker(waker)) {
            self.add(batch);
        }
    }

    fn add(&mut self, batch: Option<Result<Arc<Lease>, BatchError>>) {
        let timings = batch.expect("more are wanted to the end").expect("made").timings;
        self.batches += 1;
        self.work += timings.decode_ns + timings.augment_ns + timings.collate_ns;
    }
}

/// Two sessions, both looked at whenever a batch of the first is finished: by the only worker itself, which makes nothing
/// meanwhile. So what is seen is exactly what was made up to that moment, however slow or busy the machine is.
struct Observer {
    sessions: Mutex<[(Session, Got); 2]>,
    /// Batches of the first session after which it is over.
    batches: u64,
    result: Sender<[Got; 2]>,
}

impl Wake for Observer {
    fn wake(self: Arc<Self>) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let [(first, first_got), (second, second_got)] = &mut *sessions;
        second_got.take_all(second, Waker::noop());
        while first_got.batches < self.batches {
            match first.poll_next(&mut Context::from_waker(&Waker::from(Arc::clone(&self)))) {
                Poll::Ready(batch) => first_got.add(batch),
                Poll::Pending => return,
            }
        }
        let _ = self.result.send([*first_got, *second_got]);
    }
}

/// What two sessions have had when the first one gets its last of `batches`.
fn observed(first: Session, second: Session, batches: u64) -> [Got; 2] {
    let (result, results) = channel();
    let sessions = Mutex::new([first, second].map(|session| (session, Got::default())));
    Waker::from(Arc::new(Observer { sessions, batches, result })).wake();
    results.recv_timeout(Duration::from_secs(300)).expect("workers work")
}

fn assert_fair(a: Got, b: Got) {
    let share = a.work as f64 / (a.work + b.work) as f64;
    assert!((0.35..0.65).contains(&share), "a share of {share:.2}: {a:?} beside {b:?}");
}

#[test]
fn a_light_session_keeps_its_share_beside_a_heavy_one() {
    let engine = decoded_engine();
    let [heavy, light] = observed(open(&engine, &heavy(), 40), open(&engine, &light(), 2000), 30);
    assert_fair(heavy, light);
    assert!(light.batches * 16 > 2 * heavy.batches * 4, "shares are of time, not of rows: {light:?} beside {heavy:?}");
}

#[test]
fn a_session_that_comes_late_gets_its_share_from_then_on_and_no_arrears() {
    let engine = decoded_engine();
    let mut early = open(&engine, &heavy(), 80);
    for _ in 0..20 {
        early.next_blocking().expect("more").expect("made");
    }
    let late = open(&engine, &light(), 2000);
    // What the early one has had up to here is not counted.
    let mut before = Got::default();
    before.take_all(&mut early, Waker::noop());
    let [early, late] = observed(early, late, 25);
    assert_fair(early, late);
}
