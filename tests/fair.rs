//! Promise: a client whose batches are dear takes no more of the workers' time than one whose batches are cheap.

mod common;

use std::collections::BTreeMap;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use common::*;
use feedline::engine::{BatchError, Engine, Lease, Options, Session};
use feedline::store::Mode;
use feedline_proto::v1::{self, op::Op};

/// The photographs decoded, so that the cost of a row is that of its ops.
fn decoded_engine() -> Engine {
    let engine = engine(loaded(photographs(), Mode::Decoded), 1);
    engine.fill(&|_| {});
    engine
}

/// A few thousand pixels per row.
fn light_spec() -> v1::LoaderSpec {
    small_spec(16)
}

/// Fifty times as many, and more ops for each.
fn heavy_spec() -> v1::LoaderSpec {
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
    fn take_all(&mut self, session: &mut Session) {
        while let Poll::Ready(batch) = session.poll_next(&mut Context::from_waker(Waker::noop())) {
            self.add(batch);
        }
    }

    fn add(&mut self, batch: Option<Result<Arc<Lease>, BatchError>>) {
        let timings = batch.expect("more are wanted to the end").expect("made").timings;
        self.batches += 1;
        self.work += timings.decode_ns + timings.augment_ns + timings.collate_ns;
    }
}

/// A heavy session and a light one that comes when the heavy one has had `before` batches. Both are looked at whenever a batch
/// of the heavy one is finished: by the only worker itself, which makes nothing meanwhile. So what is seen is exactly what was
/// made up to that moment, however slow or busy the machine is.
struct Observer {
    engine: Engine,
    sessions: Mutex<Sessions>,
    before: u64,
    /// Batches of the heavy one while both are there; then it is over.
    batches: u64,
    result: Sender<[Got; 2]>,
}

struct Sessions {
    heavy: (Session, Got),
    light: Option<(Session, Got)>,
}

impl Wake for Observer {
    fn wake(self: Arc<Self>) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let Sessions { heavy: (heavy, heavy_got), light } = &mut *sessions;
        if let Some((session, got)) = light {
            got.take_all(session);
        }
        loop {
            if light.is_none() && heavy_got.batches == self.before {
                *light = Some((open(&self.engine, &light_spec(), 2000), Got::default()));
                *heavy_got = Got::default();
            }
            if let (Some((_, light_got)), true) = (&light, heavy_got.batches == self.batches) {
                let _ = self.result.send([*heavy_got, *light_got]);
                return;
            }
            match heavy.poll_next(&mut Context::from_waker(&Waker::from(Arc::clone(&self)))) {
                Poll::Ready(batch) => heavy_got.add(batch),
                Poll::Pending => return,
            }
        }
    }
}

/// What both have had while both were there.
fn observed(before: u64, batches: u64) -> [Got; 2] {
    let engine = decoded_engine();
    let (result, results) = channel();
    let heavy = open(&engine, &heavy_spec(), before + batches + 10);
    let sessions = Mutex::new(Sessions { heavy: (heavy, Got::default()), light: None });
    Waker::from(Arc::new(Observer { engine, sessions, before, batches, result })).wake();
    results.recv_timeout(Duration::from_secs(300)).expect("workers work")
}

fn assert_fair(a: Got, b: Got) {
    let share = a.work as f64 / (a.work + b.work) as f64;
    assert!((0.35..0.65).contains(&share), "a share of {share:.2}: {a:?} beside {b:?}");
}

#[test]
fn a_light_session_keeps_its_share_beside_a_heavy_one() {
    let [heavy, light] = observed(0, 25);
    assert_fair(heavy, light);
    assert!(light.batches * 16 > 2 * heavy.batches * 4, "shares are of time, not of rows: {light:?} beside {heavy:?}");
}

#[test]
fn a_session_that_comes_late_gets_its_share_from_then_on_and_no_arrears() {
    let [early, late] = observed(30, 15);
    assert_fair(early, late);
}

#[test]
fn many_sessions_with_little_memory_are_all_served_while_their_batches_are_let_go_elsewhere() {
    const SESSIONS: u32 = 64;
    const BATCHES: u64 = 12;
    let spec = small_spec(2 * SESSIONS);
    let request = |engine: &Engine, at: u32| {
        let delivery = v1::Delivery { prefetch_bytes: Some(1 << 40), ..from(0, 0, BATCHES) };
        engine.resolve(&spec, &rank(at, SESSIONS), &delivery).expect("a sound request")
    };
    let one = request(&photographs_engine(1), 0).batch_bytes();
    // A batch for each, and a few to be borrowed: who gets those is looked at whenever one is let go, while others let theirs go.
    let options = Options { threads: 2, batch_budget: (u64::from(SESSIONS) + 6) * one, ..Options::default() };
    let engine = Engine::new(vec![loaded(photographs(), Mode::Encoded)], BTreeMap::new(), options).expect("threads");
    let mut sessions: Vec<Session> =
        (0..SESSIONS).map(|at| engine.open(request(&engine, at)).expect("admitted")).collect();
    let served: u64 = std::thread::scope(|scope| {
        let drivers = sessions.chunks_mut(8).map(|sessions| {
            scope.spawn(move || {
                let mut served = 0;
                let mut held = Vec::new();
                for _ in 0..BATCHES {
                    for session in &mut *sessions {
                        let batch = session.next_blocking().expect("more are due").expect("made");
                        served += 1;
                        held.push(batch);
                        // Let go a while after, before the same session is asked again: it is owed one batch, and not two.
                        if held.len() > 3 {
                            held.remove(0);
                        }
                    }
                }
                served
            })
        });
        drivers.collect::<Vec<_>>().into_iter().map(|driver| driver.join().expect("no panic")).sum()
    });
    assert_eq!(served, u64::from(SESSIONS) * BATCHES);
}
