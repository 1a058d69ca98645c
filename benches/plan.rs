//! Time of a look-up in the order of an epoch: `cargo bench --bench plan`. It must not grow with the dataset, and takes no memory
//! but the few words of the permutation.

use std::hint::black_box;
use std::time::Instant;

use feedline::plan::Permutation;
use feedline::seed::Purpose;

/// Look-ups of one run.
const LOOKUPS: u64 = 200_000;
/// Runs, of which the least disturbed counts.
const RUNS: u32 = 15;
/// Nanoseconds that a look-up may take, at any length: the plan must vanish beside a decode.
const MOST_NANOSECONDS: f64 = 100.0;

fn main() {
    println!("{:>20}{:>14}{:>14}{:>14}", "samples", "forward ns", "backward ns", "make ns");
    let mut slowest = 0_f64;
    for length in [10, 1_000, 1_000_000, 1_000_000_000, 1_000_000_000_000, u64::MAX / 2 + 2] {
        let order = Permutation::new(length, 7, 0, Purpose::Order);
        // Places of a sequence that no cache or predictor has seen.
        let place = |i: u64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) % length;
        let forward = least(LOOKUPS, |i| order.forward(place(i)));
        let backward = least(LOOKUPS, |i| order.backward(place(i)));
        let make = least(1000, |i| Permutation::new(length, i, 0, Purpose::Order).length());
        println!("{length:>20}{forward:>14.1}{backward:>14.1}{make:>14.1}");
        slowest = slowest.max(forward).max(backward);
    }
    println!("{} bytes each, {} at most on the heap", size_of::<Permutation>(), 256);
    assert!(
        cfg!(debug_assertions) || slowest < MOST_NANOSECONDS,
        "a look-up takes {slowest} ns, expected less than {MOST_NANOSECONDS}"
    );
}

/// Nanoseconds of one call.
fn least(calls: u64, call: impl Fn(u64) -> u64) -> f64 {
    let runs = (0..RUNS).map(|_| {
        let start = Instant::now();
        let sum = (0..calls).fold(0, |sum: u64, i| sum.wrapping_add(call(black_box(i))));
        black_box(sum);
        start.elapsed().as_nanos() as f64 / calls as f64
    });
    runs.fold(f64::INFINITY, f64::min)
}
