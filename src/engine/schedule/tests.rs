use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;
use std::task::Context;

use feedline_proto::v1::{self, op::Op};

use super::*;
use crate::engine::{Engine, Options, Session};
use crate::seed::{Key, Purpose, Rng};
use crate::source;
use crate::store::{self, LoadOptions, Mode};

const PHOTOGRAPH: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/cat/00.jpg"));
const SESSIONS: u64 = 24;

/// Ten samples and two workers, and memory for hardly more than a batch of each session.
fn engine() -> Engine {
    let names = ["a/0", "a/1", "a/2", "a/3", "a/4", "a/5", "a/6", "a/7", "a/8", "a/9"];
    let listing = source::embedded("cats", &["a"], names.into_iter().map(|name| (name, PHOTOGRAPH)));
    let options = LoadOptions { mode: Mode::Decoded, budget: 1 << 30, max_pixels: 1 << 20, threads: 1 };
    let datasets = store::load(vec![listing], &options, &|_| {}).expect("small enough");
    let one = 8 << 10;
    let options = Options { threads: 2, batch_budget: SESSIONS * one, ..Options::default() };
    Engine::new(datasets, BTreeMap::new(), options).expect("threads")
}

/// Any of many streams: mixed or not, of rank 0 or 1, with and without an end; the first one that is admitted.
fn open(engine: &Engine, rng: &mut Rng) -> Session {
    loop {
        if let Ok(session) = engine.open(request(engine, rng)) {
            return session;
        }
    }
}

fn request(engine: &Engine, rng: &mut Rng) -> Request {
    let crop = v1::RandomResizedCrop { height: 16, width: 16, ..Default::default() };
    let mixup = v1::mixing::Kind::Mixup(v1::MixUp { alpha: Some(0.4), ..Default::default() });
    let spec = v1::LoaderSpec {
        pipeline: Some(v1::Pipeline {
            name: String::new(),
            ops: vec![v1::Op { op: Some(Op::RandomResizedCrop(crop)) }],
        }),
        global_batch_size: 4,
        mixing: rng.chance(0.5).then(|| v1::Mixing { kind: Some(mixup), ..Default::default() }),
        ..Default::default()
    };
    let placement = v1::Placement { rank: rng.below(2) as u32, world_size: Some(2), ..Default::default() };
    let start = v1::Cursor { step: rng.below(3), ..Default::default() };
    let delivery = v1::Delivery {
        dtype: v1::Dtype::Uint8.into(),
        prefetch_bytes: Some(1 << (8 + rng.below(8))),
        start: Some(start),
        count: rng.chance(0.5).then(|| 1 + rng.below(40)),
        ..Default::default()
    };
    engine.resolve(&spec, &placement, &delivery).expect("a sound request")
}

/// Looks every session up in every list, and every batch of a window among those that are known.
fn check(engine: &Engine) {
    let schedule = engine.shared.schedule.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(
        schedule.sessions.are_all_in_their_places(),
        "a list differs from what is found by looking at all sessions"
    );
    let mut held = BTreeMap::<_, BTreeSet<u64>>::new();
    for (id, session) in schedule.sessions.iter() {
        for making in &session.window {
            let known = schedule.known.get(&making.key).expect("known while it is in a window");
            assert!(Arc::ptr_eq(known, making) && !making.is_cancelled(), "{} is made twice", making.key.cursor);
            held.entry(Arc::as_ptr(making) as usize).or_default().insert(id);
            let holders: BTreeSet<u64> = schedule.known.holders(&making.key).iter().copied().collect();
            assert!(holders.contains(&id));
        }
    }
    for making in schedule.known.all() {
        let holders: BTreeSet<u64> = schedule.known.holders(&making.key).iter().copied().collect();
        assert_eq!(holders, held.remove(&(Arc::as_ptr(making) as usize)).unwrap_or_default());
        let awaited = schedule
            .sessions
            .iter()
            .any(|(_, session)| session.group == making.key.group && session.is_behind(making.key.cursor));
        assert_eq!(schedule.sessions.await_it(&making.key), awaited);
        assert!(
            !holders.is_empty() || schedule.known.is_kept(&making.key) && awaited,
            "nobody wants {}",
            making.key.cursor
        );
    }
}

/// Whose tasks come in which order if each takes so long: three sessions that want one batch of 8 rows each, and one worker.
fn turns(engine: &Engine, nanoseconds: u64) -> Vec<u64> {
    let mut schedule = Schedule::new(1);
    let (memory, statistics, mut after) = (Memory::new(1 << 20), Statistics::default(), After::default());
    let crop = v1::RandomResizedCrop { height: 16, width: 16, ..Default::default() };
    for seed in 0..3 {
        let pipeline =
            v1::Pipeline { name: String::new(), ops: vec![v1::Op { op: Some(Op::RandomResizedCrop(crop.clone())) }] };
        let spec = v1::LoaderSpec { pipeline: Some(pipeline), global_batch_size: 8, seed, ..v1::LoaderSpec::default() };
        let delivery = v1::Delivery { count: Some(1), ..Default::default() };
        let request = engine.resolve(&spec, &v1::Placement::default(), &delivery).expect("a sound request");
        let id = schedule.add(Arc::new(request));
        schedule.fill(id, &memory, &statistics, &mut after);
    }
    let (mut turns, mut spent) = (Vec::new(), None);
    while let Some((id, _, _)) = schedule.next(spent) {
        turns.push(id);
        spent = Some((id, nanoseconds));
    }
    turns.dedup();
    turns
}

#[test]
fn a_turn_lasts_for_a_batch_but_no_further_than_five_milliseconds_ahead_of_others() {
    let engine = engine();
    assert_eq!(turns(&engine, 1000), [0, 1, 2], "each batch is made in one go");
    let turns = turns(&engine, TURN_NANOSECONDS + 1);
    assert!(turns.starts_with(&[0, 1, 2, 0]), "none waits for the whole batch of another one: {turns:?}");
}

#[test]
fn every_session_is_where_it_is_looked_for_whatever_came_before() {
    let engine = engine();
    let drive = |seed: u64| {
        let mut rng = Key { seed, epoch: 0, position: 0, view: 0, op: 0, purpose: Purpose::Vanish }.rng();
        let mut sessions: Vec<_> = (0..SESSIONS / 3).map(|_| (open(&engine, &mut rng), None)).collect();
        for _ in 0..600 {
            let at = rng.below(sessions.len() as u64) as usize;
            let (session, in_hand) = &mut sessions[at];
            let is_over = match rng.below(8) {
                0 => true,
                1 => {
                    *in_hand = None;
                    false
                }
                // With what it took still in hand it may have to wait for memory, so it does not wait.
                2 => session.poll_next(&mut Context::from_waker(Waker::noop())).is_ready(),
                _ => {
                    *in_hand = None;
                    let batch = session.next_blocking().map(|batch| batch.expect("made"));
                    *in_hand = batch;
                    in_hand.is_none()
                }
            };
            check(&engine);
            if is_over {
                // The old one goes first: there is memory for so many and no more.
                drop(sessions.swap_remove(at));
                sessions.push((open(&engine, &mut rng), None));
            }
        }
    };
    std::thread::scope(|scope| (0..3).for_each(|seed| drop(scope.spawn(move || drive(seed)))));
    let schedule = engine.shared.schedule.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!((schedule.sessions.len(), schedule.known.all().count()), (0, 0));
}
