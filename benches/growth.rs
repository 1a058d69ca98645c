//! What the length of a dataset costs, from a thousand samples to ten million: `cargo bench --workspace --all-features --bench growth`. Looking a
//! sample up must cost the same at every length, loading less than a microsecond a sample, and a sample 64 bytes beside its own.
//! Takes about 3 GB of memory; `-- --most N` stops at N samples.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use feedline::engine::{Engine, Options};
use feedline::plan::Permutation;
use feedline::seed::Purpose;
use feedline::source::{Entry, ListedSplit, Listing, Location};
use feedline::store::{self, LoadOptions, Mode};
use feedline_proto::v1;

/// A picture of one dot, as short as a GIF can be.
const DOT: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";
const CLASSES: u64 = 1000;
/// Batches of the measured stream, of as many rows.
const BATCHES: u64 = 200;
const ROWS: u32 = 64;
const LOOKUPS: u64 = 1_000_000;
/// What a sample may take: nanoseconds of loading, and bytes beside its own.
const MOST: [f64; 2] = [1000.0, 64.0];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let given = arguments.iter().position(|argument| argument == "--most").and_then(|at| arguments.get(at + 1));
    let most = given.map_or(10_000_000, |most| most.parse().expect("--most takes a number of samples"));
    println!(
        "{:>10}{:>10}{:>14}{:>16}{:>14}{:>16}{:>14}",
        "samples", "load s", "ns a sample", "bytes beside", "look-up ns", "first batch ms", "us a row"
    );
    let mut length = 1000;
    while length <= most {
        measure(length);
        length *= 10;
    }
}

fn measure(length: u64) {
    let listing = listing(length);
    let start = Instant::now();
    let options = LoadOptions { mode: Mode::Encoded, budget: 8 << 30, max_pixels: 1 << 20, threads: 2 };
    let dataset = store::load(vec![listing], &options, &|_| {}).expect("it fits").remove(0);
    let load = start.elapsed().as_secs_f64();
    let (nanoseconds, bytes) = (load * 1e9 / length as f64, dataset.memory().index as f64 / length as f64);

    let order = Permutation::new(length, 7, 0, Purpose::Order);
    let start = Instant::now();
    black_box((0..LOOKUPS).fold(0, |sum: u64, i| sum.wrapping_add(order.forward(black_box(i * 7919 % length)))));
    let lookup = start.elapsed().as_secs_f64() * 1e9 / LOOKUPS as f64;

    let engine =
        Engine::new(vec![dataset], BTreeMap::new(), Options { threads: 2, ..Options::default() }).expect("threads");
    let pipeline = Some(v1::Pipeline { name: "none".into(), ops: Vec::new() });
    let spec = v1::LoaderSpec { pipeline, global_batch_size: ROWS, ..Default::default() };
    let delivery = v1::Delivery { count: Some(BATCHES), ..Default::default() };
    let start = Instant::now();
    let request = engine
        .resolve(&spec, &v1::Placement { world_size: Some(1), ..Default::default() }, &delivery)
        .expect("a sound request");
    let mut session = engine.open(request).expect("admitted");
    let batch = || session.next_blocking().expect("a batch").expect("of sound samples");
    let mut batch = batch;
    black_box(batch());
    let first = start.elapsed().as_secs_f64() * 1e3;
    let start = Instant::now();
    (1..BATCHES).for_each(|_| drop(black_box(batch())));
    let row = start.elapsed().as_secs_f64() * 1e6 / ((BATCHES - 1) * u64::from(ROWS)) as f64;
    println!("{length:>10}{load:>10.3}{nanoseconds:>14.0}{bytes:>16.1}{lookup:>14.1}{first:>16.2}{row:>14.2}",);
    // What a dataset costs at any length, such as the names of its classes, is not a sample's.
    if length >= 100_000 {
        assert!(nanoseconds < MOST[0], "{nanoseconds} ns a sample, expected less than {}", MOST[0]);
        assert!(bytes <= MOST[1], "{bytes} bytes a sample, expected at most {}", MOST[1]);
    }
}

/// Pictures in memory with names as long as ImageNet's.
fn listing(length: u64) -> Listing {
    let entry = |number: u64| {
        let class = number * CLASSES / length;
        Entry {
            key: format!("n{class:08}/n{class:08}_{number}.JPEG"),
            label: class as i64,
            location: Location::Embedded(DOT),
            bytes: DOT.len() as u64,
        }
    };
    Listing {
        name: "dots".into(),
        classes: (0..CLASSES).map(|class| format!("n{class:08}")).collect(),
        box_classes: Vec::new(),
        keypoint_names: Vec::new(),
        splits: vec![ListedSplit {
            name: "train".into(),
            entries: (0..length).map(entry).collect(),
            annotations: None,
        }],
        ignored: Vec::new(),
    }
}
