//! Promise: a bad request is refused before anything runs, with the code that says whose fault it is and a message that names
//! the field, what was found and what was expected; and the server goes on.

mod common;
#[path = "refusals/mixing.rs"]
mod mixing;
#[path = "common/raw.rs"]
mod raw;
#[path = "refusals/subset.rs"]
mod subset;

use std::collections::BTreeMap;
use std::time::Duration;

use common::*;
use feedline::client::{Client, ClientError, Loader};
use feedline::engine::{Engine, Options};
use feedline::source;
use feedline::store::Mode;
use feedline_proto::v1::{self, op::Op};
use raw::{Raw, describe, raw, request};
use tonic::{Code, Status};

/// A sound request, and what makes it bad.
type Spoil = fn(&mut v1::StreamRequest);

/// A server of two datasets: the photographs, and the same without classes.
async fn server() -> Running {
    let unlabelled = source::embedded("unlabelled", &[], feedline::demo::photographs());
    let datasets = vec![loaded(photographs(), Mode::Encoded), loaded(unlabelled, Mode::Encoded)];
    let options = Options { threads: 2, batch_budget: 1 << 30, max_batch_bytes: 64 << 20, ..Options::default() };
    Running::start(Engine::new(datasets, BTreeMap::new(), options).expect("threads")).await
}

fn sound() -> v1::StreamRequest {
    let spec = v1::LoaderSpec { dataset: "photographs".into(), ..small_spec(20) };
    request(spec, rank(0, 1), from(0, 0, 1))
}

fn spec(request: &mut v1::StreamRequest) -> &mut v1::LoaderSpec {
    request.spec.get_or_insert_default()
}

fn placement(request: &mut v1::StreamRequest) -> &mut v1::Placement {
    request.placement.get_or_insert_default()
}

fn delivery(request: &mut v1::StreamRequest) -> &mut v1::Delivery {
    request.delivery.get_or_insert_default()
}

fn start(request: &mut v1::StreamRequest) -> &mut v1::Cursor {
    delivery(request).start.get_or_insert_default()
}

fn ops(request: &mut v1::StreamRequest, ops: impl IntoIterator<Item = Op>) {
    let ops = ops.into_iter().map(|op| v1::Op { op: Some(op) }).collect();
    spec(request).pipeline = Some(v1::Pipeline { name: String::new(), ops });
}

fn crop(height: u32, width: u32, scale: &[f64]) -> Op {
    Op::RandomResizedCrop(v1::RandomResizedCrop { height, width, scale: scale.into(), ..Default::default() })
}

/// Asks `Describe` and `Stream` for the same; both must refuse alike.
async fn refused(client: &mut Raw, request: &v1::StreamRequest) -> Status {
    let described = client.describe(describe(request)).await.expect_err("Describe takes it");
    let streamed = client.stream(request.clone()).await.expect_err("Stream takes it");
    assert_eq!((described.code(), described.message()), (streamed.code(), streamed.message()));
    assert!(described.metadata().contains_key(feedline::server::CHOSEN), "{described:?}");
    described
}

async fn all_refused(code: Code, cases: &[(Spoil, &[&str])]) {
    let server = server().await;
    let mut client = raw(&server.address).await;
    for (spoil, says) in cases {
        let mut request = sound();
        spoil(&mut request);
        let status = refused(&mut client, &request).await;
        let message = status.message();
        assert_eq!(status.code(), code, "{message}");
        assert!(says.iter().all(|text| message.contains(text)), "{message:?} does not say {says:?}");
        assert!(message.len() <= 1503, "{} bytes are too long for a header", message.len());
    }
    serves_on(&server, client).await;
}

/// A sound request still gets its batch, on the connection that asked for nonsense, and nothing was made in vain.
async fn serves_on(server: &Running, mut client: Raw) {
    let made = server.engine.statistics().batches;
    let mut stream = client.stream(sound()).await.expect("a sound request").into_inner();
    let batch = raw::next(&mut stream, 1 << 20).await.expect("no failure").expect("a batch");
    assert_eq!(batch.header.samples.len(), 20);
    assert_eq!(made, 0, "something ran for a request that was refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_out_of_range_are_refused_with_field_found_and_expected() {
    let cases: &[(Spoil, &[&str])] = &[
        (|r| r.spec = None, &["spec.global_batch_size is missing, expected a value"]),
        (|r| spec(r).global_batch_size = 0, &["spec.global_batch_size is missing, expected a value"]),
        (|r| spec(r).global_batch_size = 1 << 21, &["spec.global_batch_size is 2097152", "up to 1048576"]),
        (|r| spec(r).seed = 1 << 53, &["spec.seed is 9007199254740992", "up to 9007199254740991"]),
        (|r| placement(r).rank = 4, &["rank is 4, expected less than the world_size 1"]),
        (|r| *placement(r) = rank(7, 4), &["rank is 7, expected less than the world_size 4"]),
        (|r| placement(r).world_size = Some(0), &["placement.world_size is 0", "from 1 to 1048576"]),
        (|r| *placement(r) = rank(0, 3), &["global_batch_size is 20", "world_size 3", "18 or 21", "allow_uneven"]),
        (|r| *placement(r) = rank(0, 64), &["global_batch_size is 20", "world_size 64", "such as 64"]),
        (|r| delivery(r).stride = Some(0), &["delivery.stride is 0", "not below 1"]),
        (|r| delivery(r).part_bytes = Some(100), &["delivery.part_bytes is 100", "from 4096 to 67108864"]),
        (|r| delivery(r).count = Some(1 << 60), &["delivery.count is 1152921504606846976"]),
        (|r| delivery(r).prefetch_bytes = Some(u64::MAX), &["delivery.prefetch_bytes is", "up to 1099511627776"]),
        (
            |r| ops(r, [crop(32, 32, &[f64::NAN, 1.0])]),
            &["spec.pipeline.ops[0].random_resized_crop.scale", "NaN", "expected"],
        ),
        (|r| ops(r, [crop(32, 32, &[0.9, 0.5])]), &["scale is [0.9, 0.5], expected two numbers [low, high]"]),
        (|r| ops(r, [crop(32, 32, &[0.5])]), &["scale is [0.5], expected two numbers [low, high]"]),
        (|r| ops(r, [crop(32, 32, &[0.5, f64::INFINITY])]), &["scale[1] is inf", "a number above 0 to 1"]),
        (|r| ops(r, [crop(0, 32, &[])]), &["random_resized_crop.height is missing, expected a value"]),
        (|r| ops(r, [crop(16385, 32, &[])]), &["random_resized_crop.height is 16385", "up to 16384"]),
    ];
    all_refused(Code::InvalidArgument, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelines_that_do_not_fit_the_images_are_refused_with_advice() {
    let cases: &[(Spoil, &[&str])] = &[
        (
            |r| ops(r, [Op::CenterCrop(v1::CenterCrop { height: 257, width: 256, ..Default::default() })]),
            &["spec.pipeline.ops[0].center_crop.height is 257, expected", "256"],
        ),
        (
            |r| ops(r, [Op::RandomCrop(v1::RandomCrop { height: 64, width: 4000, ..Default::default() })]),
            &["spec.pipeline.ops[0].random_crop.width is 4000, expected", "256"],
        ),
        (|r| ops(r, []), &["spec.pipeline leaves images of different sizes, 256x256 to", "resize or a crop"]),
        (
            |r| {
                ops(r, [Op::CenterCrop(v1::CenterCrop { height: 64, width: 64, ..Default::default() })]);
                spec(r).decode.get_or_insert_default().scaled = true;
            },
            &["spec.decode.scaled is true, expected false", "first op", "does not resize", "random_resized_crop"],
        ),
        (|r| spec(r).pipeline = None, &["spec.pipeline leaves images of different sizes"]),
        (
            |r| ops(r, [Op::Resize(v1::Resize { shortest_edge: 64, ..Default::default() })]),
            &["spec.pipeline leaves images of different sizes, 64x64 to", "global_batch_size of 1"],
        ),
        (|r| spec(r).pipeline.get_or_insert_default().name = "none".into(), &["has both name and ops"]),
        (|r| ops(r, [crop(32, 32, &[]), Op::Normalize(v1::Normalize::default())]), &["ops[1].normalize", "to_float"]),
        (
            |r| ops(r, [Op::SomeOf(v1::SomeOf { ops: vec![v1::Op::default()], count: 1, p: None, replace: false })]),
            &["spec.pipeline.ops[0].some_of.ops[0] is empty, expected an op"],
        ),
        (
            |r| {
                let flip = v1::Op { op: Some(Op::HorizontalFlip(v1::HorizontalFlip::default())) };
                ops(r, [Op::OneOf(v1::OneOf { ops: vec![flip], weights: vec![0.0], p: None })]);
            },
            &["spec.pipeline.ops[0].one_of.weights is [0.0], expected 1 weights"],
        ),
    ];
    all_refused(Code::InvalidArgument, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_orders_and_slices_that_there_are_not_are_refused() {
    let cases: &[(Spoil, &[&str])] = &[
        (|r| delivery(r).dtype = v1::Dtype::Int64.into(), &["delivery.dtype is INT64", "UINT8, FP16, BF16 or FP32"]),
        (
            |r| {
                spec(r).pipeline = Some(v1::Pipeline { name: "tutorial".into(), ..Default::default() });
                delivery(r).dtype = v1::Dtype::Uint8.into();
            },
            &["delivery.dtype is UINT8", "floats", "move to_float to the end"],
        ),
        (|r| delivery(r).dtype = 77, &["delivery.dtype is 77", "DTYPE_UINT8", "DTYPE_FP32"]),
        (|r| delivery(r).layout = 9, &["delivery.layout is 9", "LAYOUT_NHWC"]),
        (|r| delivery(r).bad_samples = -1, &["delivery.bad_samples is -1", "BAD_SAMPLES_SUBSTITUTE"]),
        (|r| spec(r).order = 77, &["spec.order is 77", "ORDER_SHUFFLED"]),
        (|r| spec(r).last_batch = 4, &["spec.last_batch is 4", "LAST_BATCH_WRAP"]),
        (
            |r| ops(r, [Op::Resize(v1::Resize { height: 8, width: 8, filter: 99, ..Default::default() })]),
            &["resize.filter is 99", "FILTER_BILINEAR"],
        ),
        (|r| spec(r).split = "train[50:50]".into(), &["split \"train[50:50]\"", "no sample"]),
        (|r| spec(r).split = "train[:0%]".into(), &["split \"train[", "no sample"]),
        (|r| spec(r).split = "train[:80%".into(), &["the closing ] is missing"]),
        (|r| spec(r).split = "train[a:b]".into(), &["whole numbers or whole percentages"]),
        (|r| spec(r).split = "train[7]".into(), &["a slice needs a colon"]),
        (|r| start(r).step = 6, &["delivery.start.step is 6, expected 0 to 5"]),
        (|r| (start(r).epoch, start(r).step) = (u32::MAX, 5), &["delivery.start is 4294967295:5", "last epoch"]),
        (
            |r| (spec(r).global_batch_size, spec(r).last_batch) = (97, v1::LastBatch::Drop.into()),
            &["96 samples make no batch of 97 rows", "at most 96", "short or wrap"],
        ),
        (|r| spec(r).dataset.clear(), &["dataset is empty, expected one of photographs, unlabelled"]),
    ];
    all_refused(Code::InvalidArgument, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_no_server_of_this_revision_reads_are_refused_when_set() {
    let cases: &[(Spoil, &[&str])] = &[
        (|r| spec(r).mixture = vec![v1::MixtureSource::default()], &["spec.mixture", "does not support"]),
        (|r| spec(r).sampling = Some(v1::Sampling::default()), &["spec.sampling", "does not support"]),
        (|r| spec(r).order = v1::Order::BlockShuffled.into(), &["spec.order is block_shuffled"]),
    ];
    all_refused(Code::InvalidArgument, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_not_there_are_answered_with_those_that_are() {
    let cases: &[(Spoil, &[&str])] = &[
        (|r| spec(r).dataset = "cats".into(), &["no dataset \"cats\", there is photographs, unlabelled"]),
        (|r| spec(r).split = "test".into(), &["no split \"test\", there is train"]),
        (|r| spec(r).split = "test[:50%]".into(), &["no split \"test\", there is train"]),
        (
            |r| spec(r).pipeline = Some(v1::Pipeline { name: "imagenet".into(), ops: Vec::new() }),
            &["no pipeline \"imagenet\", there is imagenet-train, imagenet-eval, tutorial, none"],
        ),
    ];
    all_refused(Code::NotFound, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cursors_of_something_else_are_refused_with_what_differs() {
    let cases: &[(Spoil, &[&str])] = &[
        (|r| spec(r).dataset_fingerprint = "ab".into(), &["spec.dataset_fingerprint is ab, expected", "photographs"]),
        (|r| start(r).dataset_fingerprint = "ab".into(), &["cursor's dataset_fingerprint is ab, expected", "another"]),
        (|r| start(r).spec_fingerprint = "cd".into(), &["cursor's spec_fingerprint is cd, expected", "seed, order"]),
    ];
    all_refused(Code::FailedPrecondition, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_over_the_limit_is_refused_with_the_limit() {
    let cases: &[(Spoil, &[&str])] = &[(
        |r| {
            ops(r, [crop(1000, 1000, &[])]);
            spec(r).global_batch_size = 6;
        },
        &["bytes of one batch is 72000064, the server's limit is 67108864", "fewer rows"],
    )];
    all_refused(Code::ResourceExhausted, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_client_does_not_try_again_what_can_never_succeed() {
    let server = server().await;
    let day = Duration::from_secs(24 * 3600);
    let client = Client::new(&server.address, feedline::client::Options { retry_for: day, ..Default::default() });
    let client = client.expect("an address");
    let cases: [(Spoil, Code); 3] = [
        (|r| spec(r).global_batch_size = 0, Code::InvalidArgument),
        (|r| spec(r).split = "test".into(), Code::NotFound),
        (|r| (ops(r, [crop(1000, 1000, &[])]), spec(r).global_batch_size = 6).1, Code::ResourceExhausted),
    ];
    for (spoil, expected) in cases {
        let mut request = sound();
        spoil(&mut request);
        let spec = request.spec.unwrap_or_default();
        let refused = client.stream(Loader { spec, ..Default::default() });
        let refused = tokio::time::timeout(Duration::from_secs(120), refused).await.expect("no second try");
        let Err(ClientError::Refused { code, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(code, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_without_end_are_refused_before_each_op_is_looked_at() {
    let server = server().await;
    let mut client = raw(&server.address).await;
    // A million ops that say nothing, each of which would be refused, in 2 MB.
    let mut long = sound();
    spec(&mut long).pipeline = Some(v1::Pipeline { name: String::new(), ops: vec![v1::Op::default(); 1_000_000] });
    let status = refused(&mut client, &long).await;
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(status.message(), "spec.pipeline.ops is more than 256 ops, expected at most 256");
    // A million in groups.
    let group = v1::SomeOf { ops: vec![v1::Op::default(); 1_000_000], count: 1, p: None, replace: false };
    ops(&mut long, [Op::SomeOf(group)]);
    assert!(refused(&mut client, &long).await.message().contains("more than 256 ops"));
    // Too many bytes for one message.
    ops(&mut long, vec![Op::HorizontalFlip(v1::HorizontalFlip { p: Some(0.5) }); 500_000]);
    for status in [
        client.describe(describe(&long)).await.expect_err("too long"),
        client.stream(long.clone()).await.expect_err("too long"),
    ] {
        assert_eq!(status.code(), Code::OutOfRange);
        assert!(status.message().contains("limit is: 4194304 bytes"), "{status:?}");
    }
    // Nine levels; and so many that the message itself can't be read.
    let nested = |levels: usize| {
        let flip = Op::HorizontalFlip(v1::HorizontalFlip::default());
        (1..levels)
            .fold(flip, |op, _| Op::Sequence(v1::Sequence { ops: vec![v1::Op { op: Some(op) }], ..Default::default() }))
    };
    let mut deep = sound();
    ops(&mut deep, [crop(32, 32, &[]), nested(8)]);
    client.describe(describe(&deep)).await.expect("eight levels are allowed");
    ops(&mut deep, [crop(32, 32, &[]), nested(9)]);
    assert_eq!(
        refused(&mut client, &deep).await.message(),
        "spec.pipeline.ops is more than 8 levels deep, expected at most 8 levels"
    );
    ops(&mut deep, [nested(300)]);
    client.describe(describe(&deep)).await.expect_err("too deep to be read");
    serves_on(&server, client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_a_newer_contract_are_refused_by_every_call() {
    let server = server().await;
    let mut client = raw(&server.address).await;
    let contract_revision = feedline_proto::CONTRACT_REVISION + 1;
    let newer = v1::StreamRequest { contract_revision, ..sound() };
    let statuses = [
        refused(&mut client, &newer).await,
        client.list_datasets(v1::ListDatasetsRequest { contract_revision }).await.expect_err("newer"),
        client.get_dataset(v1::GetDatasetRequest { contract_revision, ..Default::default() }).await.expect_err("newer"),
        client
            .list_samples(v1::ListSamplesRequest { contract_revision, ..Default::default() })
            .await
            .expect_err("newer"),
    ];
    for status in statuses {
        assert_eq!(status.code(), Code::Unimplemented);
        assert!(status.message().contains("contract_revision is 2, this server knows up to 1"), "{status:?}");
    }
    // Older ones are not: revision 0 is a client that does not say.
    client.list_datasets(v1::ListDatasetsRequest { contract_revision: 0 }).await.expect("an old client");
    serves_on(&server, client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_about_datasets_and_samples_are_refused_alike() {
    let server = server().await;
    let mut client = raw(&server.address).await;
    let dataset = |dataset: &str| v1::GetDatasetRequest { contract_revision: 1, dataset: dataset.into() };
    let status = client.get_dataset(dataset("cats")).await.expect_err("no cats");
    assert_eq!(
        (status.code(), status.message()),
        (Code::NotFound, "no dataset \"cats\", there is photographs, unlabelled")
    );
    assert_eq!(client.get_dataset(dataset("")).await.expect_err("two").code(), Code::InvalidArgument);
    let page = v1::ListSamplesRequest { contract_revision: 1, dataset: "photographs".into(), ..Default::default() };
    // Whatever a client sends is quoted at most so far that the status still fits the headers of every peer.
    let endless = "é".repeat(500_000);
    for (request, code, says) in [
        (
            v1::ListSamplesRequest { split: "test".into(), ..page.clone() },
            Code::NotFound,
            "no split \"test\", there is",
        ),
        (
            v1::ListSamplesRequest { page_size: Some(0), ..page.clone() },
            Code::InvalidArgument,
            "request.page_size is 0",
        ),
        (
            v1::ListSamplesRequest { page_token: "next".into(), ..page.clone() },
            Code::InvalidArgument,
            "page_token is \"next\"",
        ),
        (
            v1::ListSamplesRequest { page_token: endless.clone(), ..page.clone() },
            Code::InvalidArgument,
            "page_token is",
        ),
        (v1::ListSamplesRequest { split: endless.clone(), ..page.clone() }, Code::NotFound, "no split"),
        (v1::ListSamplesRequest { dataset: endless.clone(), ..page }, Code::NotFound, "no dataset"),
    ] {
        let status = client.list_samples(request).await.expect_err("refused");
        assert_eq!(status.code(), code, "{status:?}");
        assert!(status.message().contains(says) && status.message().len() <= 1503, "{status:?}");
    }
    let mut request = sound();
    spec(&mut request).split = format!("{endless}[:50%]");
    assert_eq!(refused(&mut client, &request).await.code(), Code::NotFound);
    spec(&mut request).split = format!("train[{endless}:]");
    assert_eq!(refused(&mut client, &request).await.code(), Code::InvalidArgument);
    serves_on(&server, client).await;
}
