//! A sample costs at most 64 bytes of memory beside its encoded bytes, its key included. Alone in its file, since it counts all
//! memory of the process.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use feedline::source::{Entry, ListedSplit, Listing, Location};
use feedline::store::{LoadOptions, Mode, load};

/// The system's allocator, with a count of the bytes that are in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to the system's allocator as it came, and a count has no part in what is returned.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of this same method.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

const SAMPLES: usize = 20_000;

/// A picture of one dot, as short as a GIF can be.
const DOT: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

#[test]
fn a_sample_costs_at_most_64_bytes_beside_its_content() {
    let before = IN_USE.load(Ordering::Relaxed);
    let entry = |number: usize| Entry {
        key: format!("train/n{:08}/n{:08}_{:05}.JPEG", number / 20, number / 20, number % 20),
        label: (number / 20) as i64,
        location: Location::Embedded(DOT),
        bytes: DOT.len() as u64,
    };
    let listing = Listing {
        name: "dots".into(),
        classes: (0..1000).map(|class| format!("n{class:08}")).collect(),
        box_classes: Vec::new(),
        keypoint_names: Vec::new(),
        splits: vec![ListedSplit {
            name: "train".into(),
            entries: (0..SAMPLES).map(entry).collect(),
            annotations: None,
        }],
        ignored: Vec::new(),
    };
    let options = LoadOptions { mode: Mode::Auto, budget: 1 << 30, max_pixels: 1 << 20, threads: 1 };
    let datasets = load(vec![listing], &options, &|_| {}).expect("loaded");
    let memory = datasets[0].memory();
    // What is left of the threads that loaded is not the store's; it is far less than the margin.
    let beside = (IN_USE.load(Ordering::Relaxed) - before).saturating_sub(memory.encoded as usize);
    println!("{} bytes per sample; the index says {}", beside / SAMPLES, memory.index / SAMPLES as u64);
    assert_eq!(memory.encoded as usize, SAMPLES * DOT.len());
    assert!(beside <= SAMPLES * 64, "{} bytes per sample", beside.div_ceil(SAMPLES));
    let index = memory.index as usize;
    assert!(index <= beside && beside <= index + index / 4, "the index says {index} bytes, {beside} are in use");
}
