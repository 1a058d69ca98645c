//! Promise: a damaged sample is never replaced in silence, whatever is wrong with it, and ends no server.
#![allow(clippy::panic)] // A helper of tests may.
#![cfg(unix)] // For the dangling link.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::*;
use feedline::client::{Batch, Client, ClientError, Loader, Options};
use feedline::engine::{BatchError, Engine};
use feedline::plan::SplitSlice;
use feedline::source;
use feedline::store::{Dataset, Mode};
use feedline_proto::v1::{self, SampleState, op::Op};
use tempfile::TempDir;
use tonic::Code;

/// Files that can't be decoded whole, beside twelve sound photographs of two classes and an image with the wrong name.
const DAMAGED: [(&str, &str); 4] = [
    ("cat/02-a.jpg", "bad/truncated.jpg"),
    ("cat/02-b.jpg", "bad/empty.jpg"),
    ("cat/04-a.jpg", "bad/truncated-progressive.jpg"),
    ("rocket/99.jpg", "bad/text.jpg"),
];
const MISNAMED: (&str, &str) = ("rocket/02-a.jpg", "good/png-named.jpg");

/// A folder of photographs of two classes, six each, with `more` files of the test data among them.
fn folder(more: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().expect("a folder");
    let write = |key: &str, bytes: &[u8]| {
        let path = root.path().join(key);
        std::fs::create_dir_all(path.parent().expect("below the root")).expect("made");
        std::fs::write(path, bytes).expect("written");
    };
    for (key, bytes) in feedline::demo::photographs() {
        let (class, file) = key.split_once('/').expect("a class");
        if ["cat", "rocket"].contains(&class) && file < "06" {
            write(key, bytes);
        }
    }
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for (key, file) in more {
        write(key, &std::fs::read(data.join(file)).expect("test data"));
    }
    root
}

fn dataset(root: &TempDir, mode: Mode) -> Dataset {
    loaded(source::folder(root.path(), Some("pets")).expect("a dataset"), mode)
}

fn damaged() -> TempDir {
    folder(&[&DAMAGED[..], &[MISNAMED]].concat())
}

/// By index, resized without chance: a row is a function of the sample that is in it.
fn sequential(global_batch_size: u32) -> v1::LoaderSpec {
    let mut spec = spec_of([Op::Resize(v1::Resize { height: 16, width: 16, ..Default::default() })], global_batch_size);
    spec.set_order(v1::Order::Sequential);
    spec
}

fn substituting(delivery: v1::Delivery) -> v1::Delivery {
    v1::Delivery { bad_samples: v1::BadSamples::Substitute.into(), ..delivery }
}

fn loader(spec: v1::LoaderSpec, delivery: v1::Delivery) -> Loader {
    Loader { spec, placement: rank(0, 1), delivery }
}

/// Index of each file.
fn indices(engine: &Engine) -> BTreeMap<String, u64> {
    let split = &engine.datasets()[0].splits[0];
    (0..split.len()).map(|index| (split.key(index), index)).collect()
}

/// A client that reports at once what could pass, such as a limit of the server.
fn impatient(server: &Running) -> Client {
    let options = Options { retry_for: std::time::Duration::ZERO, ..Options::default() };
    Client::new(&server.address, options).expect("an address")
}

/// What a stream gives before the server ends it, and how it ends it.
async fn until_refused(server: &Running, loader: Loader) -> (Vec<Batch>, Code, String) {
    let mut stream = impatient(server).stream(loader).await.expect("a sound request");
    let mut batches = Vec::new();
    loop {
        match stream.next().await {
            Ok(batch) => batches.push(batch.expect("the stream fails before it ends")),
            Err(ClientError::Refused { code, message }) => return (batches, code, message),
            Err(other) => panic!("{other} in place of a refusal"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fail_ends_the_stream_with_data_loss_naming_dataset_file_index_and_cause() {
    let causes = [
        ("bad/truncated.jpg", "unexpected end of data"),
        ("bad/empty.jpg", "empty"),
        ("bad/text.jpg", "unknown"),
        ("bad/corrupt-middle.jpg", "corrupt"),
        ("bad/truncated.png", "end of file"),
        ("bad/garbage-after-magic.webp", "header"),
    ];
    for (file, cause) in causes {
        let server = Running::start(engine(dataset(&folder(&[("cat/03-a.jpg", file)]), Mode::Encoded), 2)).await;
        let index = indices(&server.engine)["cat/03-a.jpg"];
        assert_eq!(index, 3, "a hyphen comes before a full stop");
        let (batches, code, message) = until_refused(&server, loader(sequential(2), from(0, 0, 6))).await;
        assert_eq!((batches.len(), code), (1, Code::DataLoss), "what comes before is whole: {message}");
        for part in ["\"pets\"", "cat/03-a.jpg", "sample 3 of train", cause, "bad_samples = substitute"] {
            assert!(message.contains(part), "{part:?} is not in {message:?}");
        }
        // Nothing else ends: what does not need the sample comes, from the same server.
        assert_eq!(pulled(&server.client(), loader(sequential(2), from(0, 2, 4))).await.len(), 4);
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn substitute_takes_the_next_undamaged_sample_of_the_class_and_says_so() {
    let server = Running::start(engine(dataset(&damaged(), Mode::Encoded), 2)).await;
    let at = indices(&server.engine);
    let batches = pulled(&server.client(), loader(sequential(17), substituting(from(0, 0, 1)))).await;
    let batch = &batches[0];
    let listed: Vec<_> =
        batch.header.substitutions.iter().map(|s| (u64::from(s.row), s.damaged, s.substitute)).collect();
    // The last rocket is followed by the first one.
    let expected = [
        ("cat/02-a.jpg", "cat/02.jpg"),
        ("cat/02-b.jpg", "cat/02.jpg"),
        ("cat/04-a.jpg", "cat/04.jpg"),
        ("rocket/99.jpg", "rocket/00.jpg"),
    ];
    assert_eq!(listed, expected.map(|(damaged, substitute)| (at[damaged], at[damaged], at[substitute])));
    assert!(batch.header.substitutions.iter().all(|substitution| !substitution.cause.is_empty()));
    let (image, pixels) = batch.tensor("image").expect("there");
    let row = image.bytes as usize / 17;
    let (_, labels) = batch.tensor("label").expect("there");
    for (damaged, substitute) in expected.map(|(damaged, substitute)| (at[damaged] as usize, at[substitute] as usize)) {
        assert_eq!(pixels[damaged * row..][..row], pixels[substitute * row..][..row]);
        assert_eq!(labels[damaged * 8..][..8], labels[substitute * 8..][..8]);
        assert_eq!(batch.samples()[damaged], substitute as u64, "the samples are those that came");
    }
    assert_eq!(server.engine.statistics().substitutions, 4);
    server.stop().await;
}

#[test]
fn a_substitute_is_of_the_same_slice() {
    let engine = engine(dataset(&damaged(), Mode::Encoded), 2);
    let split = &engine.datasets()[0].splits[0];
    let mut substituted = 0;
    for slice in ["train[:50%]", "train[50%:]"] {
        let members = SplitSlice::parse(slice).expect("a slice").members(split.len(), |sample| split.label(sample));
        let members = members.expect("not empty");
        let spec = v1::LoaderSpec { split: slice.into(), ..small_spec(members.len() as u32) };
        for batch in made(&engine, &spec, &rank(0, 1), &substituting(from(0, 0, 2))) {
            for substitution in &batch.substitutions {
                assert!(members.index_of(substitution.damaged).is_some());
                assert!(members.index_of(substitution.substitute).is_some(), "{slice}: {substitution:?}");
                assert_eq!(split.label(substitution.damaged), split.label(substitution.substitute));
                substituted += 1;
            }
        }
    }
    assert_eq!(substituted, 8, "four damaged samples in two epochs");
}

#[test]
fn a_substitute_is_of_the_same_list() {
    let engine = engine(dataset(&damaged(), Mode::Encoded), 2);
    let at = |key: &str| indices(&engine)[key] as u32;
    // After the damaged cat comes a rocket, and then the first cat of the list, though others are nearer in the split.
    let list = [at("cat/05.jpg"), at("cat/00.jpg"), at("cat/02-a.jpg"), at("rocket/01.jpg")];
    let spec = v1::LoaderSpec { subset: subset(&list), ..sequential(4) };
    let batch = made(&engine, &spec, &rank(0, 1), &substituting(from(0, 0, 1))).remove(0);
    let found = &batch.substitutions[0];
    assert_eq!((found.row, found.damaged, found.substitute), (2, u64::from(list[2]), u64::from(list[0])));
    // Without another cat there is none to take.
    let alone = v1::LoaderSpec { subset: subset(&list[2..]), ..sequential(2) };
    let request = engine.resolve(&alone, &rank(0, 1), &substituting(from(0, 0, 1))).expect("sound");
    let error = engine.open(request).expect("admitted").next_blocking().expect("an end").expect_err("no substitute");
    assert!(matches!(&error, BatchError::NoSubstitute { culprit, .. } if culprit.key == "cat/02-a.jpg"), "{error}");
}

#[test]
fn substitutes_are_the_same_for_all_threads_and_store_modes() {
    let root = damaged();
    for spec in [small_spec(17), small_spec(4), mixed(small_spec(17), cutmix()), mixed(small_spec(4), mixup())] {
        let got = |mode, threads| {
            let engine = engine(dataset(&root, mode), threads);
            let batches = made(&engine, &spec, &rank(0, 1), &substituting(from(0, 0, 10)));
            let all = batches.iter().map(|batch| (hash(batch.payload()), batch.substitutions.clone()));
            all.collect::<Vec<_>>()
        };
        let expected = got(Mode::Encoded, 1);
        assert!(expected.iter().any(|(_, substitutions)| !substitutions.is_empty()));
        for (mode, threads) in [(Mode::Encoded, 8), (Mode::Decoded, 2), (Mode::Auto, 1), (Mode::Auto, 8)] {
            assert_eq!(got(mode, threads), expected, "{mode:?}, {threads} threads");
        }
    }
}

#[test]
fn rows_without_damage_are_the_same_under_both_policies() {
    let engine = engine(dataset(&folder(&[MISNAMED]), Mode::Encoded), 2);
    let failing = made_hashes(&engine, &small_spec(4), &from(0, 0, 4));
    assert_eq!(made_hashes(&engine, &small_spec(4), &substituting(from(0, 0, 4))), failing);
}

#[test]
fn a_class_without_an_undamaged_sample_has_no_substitute() {
    let root = folder(&[("dog/1.jpg", "bad/truncated.jpg"), ("dog/2.jpg", "bad/empty.jpg")]);
    let engine = engine(dataset(&root, Mode::Encoded), 2);
    let request = engine.resolve(&sequential(14), &rank(0, 1), &substituting(from(0, 0, 1))).expect("sound");
    let error = engine.open(request).expect("admitted").next_blocking().expect("an end").expect_err("no substitute");
    assert!(matches!(&error, BatchError::NoSubstitute { culprit, .. } if culprit.key == "dog/1.jpg"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_bounds_how_many_substitutes_a_stream_sees() {
    let server = Running::start(engine(dataset(&damaged(), Mode::Encoded), 2)).await;
    for (budget, whole) in [(0, 1), (1, 1), (2, 3), (3, 8)] {
        // Batches of two: the second has the first two damaged samples, the fourth the next, the ninth the last.
        let delivery = v1::Delivery { bad_sample_budget: Some(budget), ..substituting(from(0, 0, 18)) };
        let (batches, code, message) = until_refused(&server, loader(sequential(2), delivery)).await;
        assert_eq!(code, Code::DataLoss);
        for part in [&format!("bad_sample_budget = {budget}"), "\"pets\""] {
            assert!(message.contains(part), "{part:?} is not in {message:?}");
        }
        let seen: usize = batches.iter().map(|batch| batch.header.substitutions.len()).sum();
        assert!(seen as u64 <= budget, "{seen} substitutes, {budget} are allowed");
        assert_eq!(batches.len(), whole, "budget {budget}: {message}");
    }
    let delivery = v1::Delivery { bad_sample_budget: Some(4), ..substituting(from(0, 0, 9)) };
    assert_eq!(pulled(&server.client(), loader(sequential(2), delivery)).await.len(), 9, "four are allowed");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_over_the_limit_and_a_file_that_could_not_be_read_are_no_damage() {
    let root = folder(&[("cat/03-a.jpg", "bad/huge.jpg")]);
    std::os::unix::fs::symlink("nowhere.jpg", root.path().join("rocket/03-a.jpg")).expect("made");
    let server = Running::start(engine(dataset(&root, Mode::Auto), 2)).await;
    // Sequential, two rows a batch: 0 to 6 are cats, of which 3 is huge; 7 to 13 rockets, of which 10 is unreadable.
    let ends = [
        (0, 1, Code::ResourceExhausted, ["sample 3 of train", "cat/03-a.jpg", "30000x30000", "--max-pixels"]),
        (3, 2, Code::FailedPrecondition, ["sample 10 of train", "rocket/03-a.jpg", "could not be read", "restart"]),
    ];
    for (step, whole, expected, parts) in ends {
        for delivery in [from(0, step, 7), substituting(from(0, step, 7))] {
            let (batches, code, message) = until_refused(&server, loader(sequential(2), delivery)).await;
            assert_eq!((batches.len(), code), (whole, expected), "{message}");
            for part in ["\"pets\""].iter().chain(&parts) {
                assert!(message.contains(part), "{part:?} is not in {message:?}");
            }
        }
    }
    assert_eq!(server.engine.statistics().substitutions, 0);
    assert_eq!(pulled(&server.client(), loader(sequential(2), from(0, 6, 1))).await.len(), 1, "the server goes on");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn list_samples_says_unknown_then_sound_or_damaged() {
    let root = folder(&[&DAMAGED[..], &[MISNAMED, ("rocket/03-a.jpg", "bad/huge.jpg")]].concat());
    std::os::unix::fs::symlink("nowhere.jpg", root.path().join("cat/05-a.jpg")).expect("made");
    let server = Running::start(engine(dataset(&root, Mode::Auto), 2)).await;
    let states = async || {
        let request = v1::ListSamplesRequest { page_size: Some(4), ..Default::default() };
        let (mut states, mut token) = (BTreeMap::new(), String::new());
        loop {
            let request = v1::ListSamplesRequest { page_token: token, ..request.clone() };
            let page = server.client().list_samples(request).await.expect("a page");
            states.extend(page.samples.into_iter().map(|sample| (sample.key.clone(), (sample.state(), sample.cause))));
            token = page.next_page_token;
            if token.is_empty() {
                return states;
            }
        }
    };
    // What a header tells is known from the start, what only decoding tells is not.
    let from_the_start = [
        ("cat/02-b.jpg", SampleState::Damaged, "empty"),
        ("rocket/99.jpg", SampleState::Damaged, "unknown"),
        ("rocket/03-a.jpg", SampleState::TooLarge, "30000x30000 is over the limit"),
        ("cat/05-a.jpg", SampleState::Unreadable, "No such file"),
    ];
    let after_decoding = [
        ("cat/02-a.jpg", SampleState::Damaged, "unexpected end of data"),
        ("cat/04-a.jpg", SampleState::Damaged, "unexpected end of data"),
    ];
    let before = states().await;
    assert_eq!(before.len(), 19);
    for (key, state, cause) in from_the_start {
        assert!(before[key].0 == state && before[key].1.contains(cause), "{key}: {:?}", before[key]);
    }
    let known = |key: &str| from_the_start.iter().any(|(other, ..)| *other == key);
    assert!(before.iter().all(|(key, (state, _))| known(key) || *state == SampleState::Unspecified), "{before:?}");

    let (unreadable, too_large) = (indices(&server.engine)["cat/05-a.jpg"], indices(&server.engine)["rocket/03-a.jpg"]);
    let steps = (0..19).filter(|step| ![unreadable, too_large].contains(step));
    for step in steps {
        pulled(&server.client(), loader(sequential(1), substituting(from(0, step, 1)))).await;
    }
    let after = states().await;
    for (key, state, cause) in from_the_start.into_iter().chain(after_decoding) {
        assert!(after[key].0 == state && after[key].1.contains(cause), "{key}: {:?}", after[key]);
    }
    let bad = |key: &str| known(key) || after_decoding.iter().any(|(other, ..)| *other == key);
    let sound = |entry: &(SampleState, String)| *entry == (SampleState::Sound, String::new());
    assert!(after.iter().all(|(key, entry)| bad(key) || sound(entry)), "{after:?}");
    let split = &server.client().list_datasets().await.expect("datasets").datasets[0].splits[0];
    assert_eq!(split.damaged, 4);
    server.stop().await;
}
