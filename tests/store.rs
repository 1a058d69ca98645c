//! Every sample is held in memory exactly as its file was, within the budget, and what is wrong with one is said.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use feedline::header::Format;
use feedline::image::Size;
use feedline::source::{Entry, ListedSplit, Listing, Location, folder};
use feedline::store::{Dataset, Event, LoadOptions, Mode, State, StoreError, load};
use image::{ImageFormat, Rgb, RgbImage};
use tempfile::TempDir;

const OPTIONS: LoadOptions = LoadOptions { mode: Mode::Auto, budget: 1 << 20, max_pixels: 10_000, threads: 2 };

fn encoded(width: u32, height: u32, shade: u8, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let image = RgbImage::from_pixel(width, height, Rgb([shade, 2, 3]));
    image.write_to(&mut bytes, format).expect("written");
    bytes.into_inner()
}

fn png(width: u32, height: u32, shade: u8) -> Vec<u8> {
    encoded(width, height, shade, ImageFormat::Png)
}

fn write(root: &Path, path: &str, content: &[u8]) {
    let full = root.join(path);
    fs::create_dir_all(full.parent().expect("below the root")).expect("made");
    fs::write(full, content).expect("written");
}

/// Two classes, two splits, seven sound images.
fn pets() -> TempDir {
    let root = tempfile::tempdir().expect("a folder");
    for n in 0..3 {
        write(root.path(), &format!("train/cat/{n}.png"), &png(4 + n, 3, n as u8));
        write(root.path(), &format!("train/dog/{n}.png"), &png(5, 6 + n, 100 + n as u8));
    }
    write(root.path(), "val/dog/0.bmp", &encoded(7, 7, 9, ImageFormat::Bmp));
    root
}

fn listing(root: &TempDir) -> Listing {
    folder(root.path(), Some("pets")).expect("a dataset")
}

fn load_one(listing: Listing, options: &LoadOptions) -> Result<Dataset, StoreError> {
    load(vec![listing], options, &|_| {}).map(|mut datasets| datasets.remove(0))
}

fn loaded(root: &TempDir) -> Dataset {
    load_one(listing(root), &OPTIONS).expect("loaded")
}

/// Pixels of the right number for a sample.
fn pixels(dataset: &Dataset, index: u64) -> Vec<u8> {
    let size = dataset.splits[0].size(index).expect("a size");
    vec![index as u8; size.area() as usize * 3]
}

#[test]
fn samples_are_what_the_files_are() {
    let root = pets();
    let dataset = loaded(&root);
    assert_eq!((dataset.name.as_str(), &dataset.classes[..]), ("pets", &["cat".to_string(), "dog".into()][..]));
    let mut bytes = 0;
    for split in &dataset.splits {
        for index in 0..split.len() {
            let file = fs::read(root.path().join(split.key(index))).expect("read");
            assert_eq!(split.encoded(index), file);
            assert_eq!((split.state(index), split.cause(index)), (State::Unknown, None));
            bytes += file.len() as u64;
        }
    }
    let (train, validation) = (dataset.split("train").expect("there"), dataset.split("validation").expect("there"));
    assert_eq!((train.len(), validation.len(), train.is_empty()), (6, 1, false));
    assert_eq!((train.key(4), train.label(4), train.size(4)), ("train/dog/1.png".into(), 1, Some(Size::new(5, 7))));
    assert_eq!((train.format(4), validation.format(0)), (Some(Format::Png), Some(Format::Bmp)));
    assert_eq!((train.smallest(), train.largest()), (Some(Size::new(4, 3)), Some(Size::new(6, 8))));
    assert_eq!((train.class_counts(), validation.class_counts()), (&[3, 3][..], &[0, 1][..]));
    assert_eq!(train.bytes() + validation.bytes(), bytes);
    assert_eq!(dataset.memory().encoded, bytes);
    assert!(dataset.split("test").is_none());
}

#[test]
fn bad_samples_are_listed_and_loading_goes_on() {
    let root = pets();
    write(root.path(), "train/cat/a.jpg", b"");
    write(root.path(), "train/cat/b.jpg", b"no image");
    write(root.path(), "train/cat/c.jpg", &png(9, 9, 9)[..20]);
    write(root.path(), "train/cat/d.jpg", &png(101, 100, 9));
    let mut listing = listing(&root);
    let gone = listing.splits[0].entries.len() - 1;
    listing.splits[0].entries[gone].location = Location::Path(root.path().join("gone.png"));
    let dataset = load_one(listing, &OPTIONS).expect("loaded");
    let train = &dataset.splits[0];
    let bad: Vec<_> = (0..train.len()).filter(|index| train.state(*index) != State::Unknown).collect();
    assert_eq!(bad, [3, 4, 5, 6, 9]);
    let cause = |index| train.cause(index).expect("a cause");
    assert_eq!((train.state(3), cause(3)), (State::Damaged, "the file is empty".into()));
    assert!(cause(4).starts_with("unknown image format"), "{}", cause(4));
    assert!(cause(5).starts_with("damaged Png header"), "{}", cause(5));
    assert_eq!((train.format(5), train.size(5)), (Some(Format::Png), None));
    assert_eq!((train.state(6), cause(6)), (State::TooLarge, "101x100 is over the limit of 10000 pixels".into()));
    assert_eq!(train.largest(), Some(Size::new(6, 7)), "of those within the limit");
    assert_eq!((train.state(9), train.encoded(9)), (State::Unreadable, &[][..]));
    assert!(!cause(9).is_empty());
    assert_eq!(train.with_state(State::Damaged).collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!((train.count(State::Unknown), train.count(State::Unreadable)), (5, 1));
}

#[cfg(unix)]
#[test]
fn a_link_to_nowhere_is_unreadable() {
    let root = pets();
    std::os::unix::fs::symlink("/nowhere/at/all", root.path().join("train/cat/x.jpg")).expect("linked");
    let dataset = loaded(&root);
    let index = dataset.splits[0].with_state(State::Unreadable).next().expect("one");
    assert_eq!(dataset.splits[0].key(index), "train/cat/x.jpg");
    assert_ne!(dataset.fingerprint, loaded(&pets()).fingerprint);
}

#[test]
fn a_file_that_changed_since_it_was_listed_is_taken_as_it_is_now() {
    let root = pets();
    let listing = listing(&root);
    write(root.path(), "train/cat/0.png", &png(40, 30, 200));
    write(root.path(), "train/cat/2.png", b"short");
    write(root.path(), "val/dog/0.bmp", &png(2, 2, 2));
    let dataset = load_one(listing, &OPTIONS).expect("loaded");
    let (train, validation) = (&dataset.splits[0], &dataset.splits[1]);
    assert_eq!((train.encoded(0), train.size(0)), (&png(40, 30, 200)[..], Some(Size::new(40, 30))));
    assert_eq!(train.encoded(1), png(5, 3, 1));
    assert_eq!((train.encoded(2), train.state(2)), (&b"short"[..], State::Damaged));
    assert_eq!((validation.encoded(0), validation.format(0)), (&png(2, 2, 2)[..], Some(Format::Png)));
    let content: u64 = (0..train.len()).map(|index| train.encoded(index).len() as u64).sum();
    assert_eq!(train.bytes(), content);
    assert_eq!(dataset.fingerprint, loaded(&root).fingerprint, "as if it had been listed so");
}

#[test]
fn more_than_the_budget_is_refused_with_both_figures_before_anything_is_read() {
    let root = pets();
    let needed = {
        let memory =
            load_one(listing(&root), &LoadOptions { mode: Mode::Encoded, ..OPTIONS }).expect("loaded").memory();
        assert_eq!(memory.decoded_budget, 0);
        memory.total()
    };
    let options = |budget| LoadOptions { mode: Mode::Encoded, budget, ..OPTIONS };
    assert!(load_one(listing(&root), &options(needed)).is_ok(), "just enough");
    let error =
        load(vec![listing(&root)], &options(needed - 1), &|event| unreachable!("{event:?}")).expect_err("too little");
    let text = error.to_string();
    let figures = [format!("({needed} bytes"), format!("({} bytes)", needed - 1), "--memory-budget".into()];
    assert!(figures.iter().all(|figure| text.contains(figure)), "{text}");
}

#[test]
fn mode_decoded_holds_all_or_is_refused_with_both_figures() {
    let root = pets();
    let options = |budget| LoadOptions { mode: Mode::Decoded, budget, ..OPTIONS };
    let dataset = load_one(listing(&root), &options(1 << 20)).expect("loaded");
    let needed = dataset.memory();
    assert_eq!(needed.decoded_budget, 3 * ((4 + 5 + 6) * 3 + 5 * (6 + 7 + 8) + 49) + 7 * 32);
    let exactly = load_one(listing(&root), &options(needed.total())).expect("just enough");
    for split in &exactly.splits {
        for index in 0..split.len() {
            let area = split.size(index).expect("a size").area() as usize;
            assert!(split.keep_decoded(index, &vec![1; area * 3]));
        }
    }
    let error = load_one(listing(&root), &options(needed.total() - 1)).expect_err("too little");
    assert!(matches!(error, StoreError::DecodedOverBudget { decoded, left }
        if decoded == needed.decoded_budget && left == decoded - 1));
    assert!(error.to_string().contains("--store auto"), "{error}");
}

#[test]
fn decoded_images_are_kept_once_and_only_if_whole() {
    let dataset = loaded(&pets());
    let train = &dataset.splits[0];
    assert_eq!(train.decoded(2), None);
    assert!(!train.keep_decoded(2, &[1, 2, 3]), "not as many as the size says");
    assert!(train.keep_decoded(2, &pixels(&dataset, 2)));
    assert!(train.keep_decoded(2, &[9; 54]), "kept already");
    assert_eq!(train.decoded(2), Some(&pixels(&dataset, 2)[..]));
    let encoded = load_one(listing(&pets()), &LoadOptions { mode: Mode::Encoded, ..OPTIONS }).expect("loaded");
    assert!(!encoded.splits[0].keep_decoded(2, &pixels(&encoded, 2)));
    assert_eq!(encoded.splits[0].decoded(2), None);
}

#[test]
fn mode_auto_never_exceeds_its_budget_whoever_comes_first() {
    let root = tempfile::tempdir().expect("a folder");
    (0..64).for_each(|n| write(root.path(), &format!("cat/{n:02}.png"), &png(10 + n % 7, 10, n as u8)));
    let base = load_one(listing(&root), &LoadOptions { mode: Mode::Auto, ..OPTIONS }).expect("loaded").memory();
    let room = 9_000;
    let options = LoadOptions { budget: base.encoded + base.index + room, ..OPTIONS };
    let dataset = load_one(listing(&root), &options).expect("loaded");
    assert_eq!(dataset.memory().decoded_budget, room);
    let split = &dataset.splits[0];
    let kept = AtomicU64::new(0);
    std::thread::scope(|threads| {
        for thread in 0..8_u64 {
            let (dataset, kept) = (&dataset, &kept);
            threads.spawn(move || {
                for step in 0..64 {
                    let index = (step * 5 + thread * 3) % 64;
                    if split.keep_decoded(index, &pixels(dataset, index)) {
                        kept.fetch_add(1, Ordering::Relaxed);
                        assert_eq!(split.decoded(index), Some(&pixels(dataset, index)[..]));
                    }
                }
            });
        }
    });
    let sum = || (0..64).filter_map(|index| split.decoded(index)).map(|image| image.len() as u64 + 32).sum::<u64>();
    assert!(sum() <= room && kept.load(Ordering::Relaxed) > 0, "{} bytes are kept", sum());
    // Losing a race has given back what it took: what fits still does.
    (0..64).for_each(|index| _ = split.keep_decoded(index, &pixels(&dataset, index)));
    assert!(sum() <= room && sum() + 16 * 10 * 3 + 32 > room, "{} bytes are kept", sum());
}

#[test]
fn datasets_share_the_decoded_budget_by_their_size() {
    let (small, large) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    write(small.path(), "cat/1.png", &png(10, 10, 1));
    (0..3).for_each(|n| write(large.path(), &format!("cat/{n}.png"), &png(10, 10, n)));
    let listings =
        || vec![folder(small.path(), Some("small")).expect("one"), folder(large.path(), Some("large")).expect("one")];
    let budgets = |budget| {
        let datasets = load(listings(), &LoadOptions { budget, ..OPTIONS }, &|_| {}).expect("loaded");
        [datasets[0].memory(), datasets[1].memory()]
    };
    let [a, b] = budgets(1 << 20);
    assert_eq!((a.decoded_budget, b.decoded_budget), (332, 996), "all they can use");
    let [c, d] = budgets(a.encoded + a.index + b.encoded + b.index + 800);
    assert_eq!((c.decoded_budget, d.decoded_budget), (200, 600));
}

#[test]
fn two_datasets_of_one_name_are_refused() {
    let root = pets();
    let error = load(vec![listing(&root), listing(&root)], &OPTIONS, &|_| {}).expect_err("ambiguous");
    assert!(matches!(error, StoreError::SameName { name } if name == "pets"));
}

#[test]
fn a_label_without_a_class_is_refused() {
    let root = pets();
    for label in [2, -2, i64::MAX] {
        let mut listing = listing(&root);
        listing.splits[1].entries[0].label = label;
        let error = load_one(listing, &OPTIONS).expect_err("no class").to_string();
        assert_eq!(error, format!("sample \"val/dog/0.bmp\" has label {label}, the dataset has 2 classes"));
    }
}

#[test]
fn the_fingerprint_is_of_the_samples_alone() {
    let root = pets();
    let first = loaded(&root).fingerprint;
    assert_eq!(first.len(), 32);
    assert_eq!(first, loaded(&pets()).fingerprint, "another place");
    for threads in [1, 3, 8] {
        for mode in [Mode::Encoded, Mode::Decoded, Mode::Auto] {
            let mut listing = listing(&root);
            listing.name = format!("{mode:?} with {threads}");
            let options = LoadOptions { mode, threads, max_pixels: 1, budget: 1 << 30 };
            assert_eq!(load_one(listing, &options).expect("loaded").fingerprint, first);
        }
    }
}

#[test]
fn the_fingerprint_is_the_committed_one() {
    let entry = |key: &str, label, bytes: &'static [u8]| Entry {
        key: key.into(),
        label,
        location: Location::Embedded(bytes),
        bytes: bytes.len() as u64,
    };
    let splits = vec![
        ListedSplit {
            name: "train".into(),
            entries: vec![entry("train/cat/1.png", 0, b"one"), entry("train/2.png", -1, b"")],
            annotations: None,
        },
        ListedSplit { name: "test".into(), entries: vec![entry("3.png", 1, b"three")], annotations: None },
    ];
    let classes = vec!["cat".into(), "dog".into()];
    let listing = Listing {
        name: "pets".into(),
        classes,
        box_classes: Vec::new(),
        keypoint_names: Vec::new(),
        splits,
        ignored: Vec::new(),
    };
    let fingerprint = load_one(listing, &OPTIONS).expect("loaded").fingerprint;
    assert_eq!(
        fingerprint, FINGERPRINT,
        "a change of this invalidates every cursor: it needs another number of the hash"
    );
}

#[test]
fn the_fingerprint_changes_with_every_sample() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 6] = [
        ("another byte", |root| write(root, "train/cat/0.png", &png(4, 3, 50))),
        ("another name", |root| fs::rename(root.join("train/cat/0.png"), root.join("train/cat/9.png")).expect("moved")),
        ("another class", |root| {
            fs::rename(root.join("train/cat/0.png"), root.join("train/dog/a.png")).expect("moved")
        }),
        ("a class renamed", |root| fs::rename(root.join("train/cat"), root.join("train/car")).expect("moved")),
        ("one more", |root| write(root, "val/cat/0.png", &png(1, 1, 1))),
        ("one less", |root| fs::remove_dir_all(root.join("val")).expect("removed")),
    ];
    let mut seen = vec![loaded(&pets()).fingerprint];
    for (what, change) in changes {
        let root = pets();
        change(root.path());
        let changed = loaded(&root).fingerprint;
        assert!(!seen.contains(&changed), "{what}");
        seen.push(changed);
    }
}

#[test]
fn progress_tells_every_sample_once() {
    let root = pets();
    let (splits, sum) = (Mutex::new(Vec::new()), Mutex::new((0, 0)));
    let dataset = load(vec![listing(&root)], &OPTIONS, &|event| match event {
        Event::Split { dataset, split, samples, bytes } => {
            splits.lock().expect("whole").push((format!("{dataset}/{split}"), samples, bytes));
        }
        Event::Sample { bytes } => {
            let mut sum = sum.lock().expect("whole");
            *sum = (sum.0 + 1, sum.1 + bytes);
        }
    });
    let dataset = dataset.expect("loaded").remove(0);
    let (train, validation) = (dataset.splits[0].bytes(), dataset.splits[1].bytes());
    let expected = [("pets/train".to_string(), 6, train), ("pets/validation".into(), 1, validation)];
    assert_eq!(*splits.lock().expect("whole"), expected);
    assert_eq!(*sum.lock().expect("whole"), (7, train + validation));
}

#[test]
fn verdicts_reached_while_serving_are_seen_by_all() {
    let dataset = loaded(&pets());
    let train = &dataset.splits[0];
    std::thread::scope(|threads| {
        threads.spawn(|| train.mark_sound(0));
        threads.spawn(|| train.mark_damaged(1, "torn in row 2"));
    });
    assert_eq!((train.state(0), train.cause(0)), (State::Sound, None));
    assert_eq!((train.state(1), train.cause(1)), (State::Damaged, Some("torn in row 2".into())));
    train.mark_sound(1);
    assert_eq!(train.state(1), State::Damaged, "the first verdict stays");
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8_are_loaded() {
    use std::os::unix::ffi::OsStrExt as _;
    let root = tempfile::tempdir().expect("a folder");
    fs::write(root.path().join(std::ffi::OsStr::from_bytes(b"\xfe.png")), png(1, 2, 3)).expect("written");
    let dataset = loaded(&root);
    assert_eq!((dataset.splits[0].key(0), dataset.splits[0].label(0)), (r"\xfe.png".into(), -1));
    assert_eq!(dataset.splits[0].encoded(0), png(1, 2, 3));
}

const FINGERPRINT: &str = "ae903ba2c6d84d3353335c24674bc480";
