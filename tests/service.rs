//! Promise: a client written from the contract alone, in any language, finds what the contract says: datasets, samples,
//! descriptions, parts, tensors, health and reflection.

mod common;
#[path = "common/raw.rs"]
mod raw;

use std::io::Write;
use std::sync::{Arc, Mutex};

use common::*;
use feedline::server::{self, Endpoint, Limits, Listener};
use feedline::store::Mode;
use feedline_proto::v1::{self, Dtype, op::Op};
use raw::{channel, describe, next, raw, request};
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServiceResponse};

const MIB: usize = 1 << 20;

async fn photographs_server() -> Running {
    Running::start(photographs_engine(2)).await
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|x| f32::from_le_bytes(*x)).collect()
}

fn integers(bytes: &[u8]) -> Vec<i64> {
    bytes.as_chunks::<8>().0.iter().map(|x| i64::from_le_bytes(*x)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn datasets_are_listed_with_splits_classes_and_fingerprint() {
    let server = photographs_server().await;
    let mut client = raw(&server.address).await;
    let listed = client.list_datasets(v1::ListDatasetsRequest { contract_revision: 1 }).await.expect("ok").into_inner();
    assert_eq!((listed.contract_revision, listed.server_version.as_str()), (1, env!("CARGO_PKG_VERSION")));
    let [dataset] = &listed.datasets[..] else { panic!("one dataset") };
    assert_eq!((dataset.name.as_str(), dataset.fingerprint.len()), ("photographs", 32));
    assert_eq!(dataset.classes, ["astronaut", "cat", "coffee", "galaxy", "retina", "rocket"]);
    let [train] = &dataset.splits[..] else { panic!("one split") };
    let bytes: usize = feedline::demo::photographs().map(|(_, bytes)| bytes.len()).sum();
    assert_eq!((train.name.as_str(), train.samples, train.bytes, train.damaged), ("train", 96, bytes as u64, 0));
    assert_eq!(train.class_samples, [16; 6]);
    // The only one needs no name.
    let got = client.get_dataset(v1::GetDatasetRequest { contract_revision: 1, dataset: String::new() }).await;
    assert_eq!(got.expect("ok").into_inner().dataset.as_ref(), Some(dataset));
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_are_listed_page_by_page_and_lead_back_to_files() {
    let server = photographs_server().await;
    let mut client = raw(&server.address).await;
    let mut request = v1::ListSamplesRequest { contract_revision: 1, page_size: Some(40), ..Default::default() };
    let (mut pages, mut samples) = (Vec::new(), Vec::new());
    loop {
        let page = client.list_samples(request.clone()).await.expect("ok").into_inner();
        pages.push(page.samples.len());
        samples.extend(page.samples);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(pages, [40, 40, 16]);
    for ((index, sample), (key, bytes)) in (0..).zip(&samples).zip(feedline::demo::photographs()) {
        assert_eq!((sample.index, sample.key.as_str(), sample.label), (index, key, index as i64 / 16));
        assert_eq!((sample.bytes, sample.state()), (bytes.len() as u64, v1::SampleState::Unspecified));
        assert!(sample.width >= 256 && sample.height >= 256 && sample.cause.is_empty(), "{sample:?}");
    }
    // An index is a token; beyond the end there is an empty page. What was decoded is known to be sound.
    let spec = v1::LoaderSpec { order: v1::Order::Sequential.into(), ..small_spec(20) };
    let stream = client.stream(raw::request(spec, rank(0, 1), from(0, 4, 1))).await.expect("sound");
    next(&mut stream.into_inner(), MIB).await.expect("no failure").expect("a batch");
    request.page_token = "79".into();
    let page = client.list_samples(request.clone()).await.expect("ok").into_inner();
    let states: Vec<_> = page.samples.iter().map(|sample| (sample.index, sample.state())).collect();
    assert_eq!(states[0], (79, v1::SampleState::Unspecified));
    assert!(states[1..].iter().all(|(_, state)| *state == v1::SampleState::Sound), "{states:?}");
    request.page_token = "96".into();
    let page = client.list_samples(request).await.expect("ok").into_inner();
    assert_eq!((page.samples.len(), page.next_page_token.as_str()), (0, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn describe_says_what_will_come() {
    let server = photographs_server().await;
    let mut client = raw(&server.address).await;
    let sent = request(small_spec(20), rank(1, 2), from(0, 0, 2));
    let described = client.describe(describe(&sent)).await.expect("sound").into_inner();
    let shapes: Vec<_> = described.tensors.iter().map(|t| (t.name.as_str(), t.dtype(), t.shape.clone())).collect();
    let image = ("image", Dtype::Fp32, vec![10, 3, 32, 32]);
    assert_eq!(shapes, [image, ("label", Dtype::Int64, vec![10])]);
    assert!(described.tensors.iter().all(|tensor| tensor.offset % 64 == 0));
    assert_eq!((described.payload_bytes, described.steps_per_epoch), (10 * 3 * 32 * 32 * 4 + 128, 5));
    assert_eq!((described.samples, described.rows, described.bit_exact), (96, 10, true));
    assert_eq!((described.classes.len(), described.contract_revision), (6, 1));
    assert!(described.warnings.is_empty() && described.normalization.is_none(), "{described:?}");
    let spec = described.spec.as_ref().expect("the spec as understood");
    assert_eq!(
        (spec.dataset.as_str(), spec.dataset_fingerprint.len(), spec.split.as_str()),
        ("photographs", 32, "train")
    );
    assert_eq!((spec.order(), described.spec_fingerprint.len()), (v1::Order::Shuffled, 32));
    let Some(Op::RandomResizedCrop(crop)) = &spec.pipeline.as_ref().expect("there").ops[0].op else { panic!("a crop") };
    assert_eq!(crop.scale, [0.08, 1.0], "defaults are filled in");
    // The resolved spec means the same.
    let again = request(spec.clone(), rank(1, 2), from(0, 0, 2));
    let again = client.describe(describe(&again)).await.expect("sound").into_inner();
    assert_eq!((again.spec_fingerprint, again.spec), (described.spec_fingerprint, described.spec));
    // And what comes is what was described.
    let mut stream = client.stream(sent).await.expect("sound").into_inner();
    for step in 0..2 {
        let batch = next(&mut stream, MIB).await.expect("no failure").expect("a batch");
        assert_eq!((batch.header.step, &batch.header.tensors), (step, &described.tensors));
        assert_eq!((batch.header.first_row, batch.header.global_rows), (10, 20));
    }
    assert!(next(&mut stream, MIB).await.expect("OK after count batches").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_surprise_is_a_warning() {
    let server = photographs_server().await;
    let mut client = raw(&server.address).await;
    let mut warnings = async |spec: v1::LoaderSpec, placement: v1::Placement, dtype: Dtype| {
        let delivery = v1::Delivery { dtype: dtype.into(), ..Default::default() };
        let described = client.describe(describe(&request(spec, placement, delivery))).await;
        described.expect("sound").into_inner().warnings
    };
    let cut = warnings(mixed(small_spec(40), cutmix()), rank(0, 4), Dtype::Fp32).await;
    assert!(cut.len() == 1 && cut[0].contains("rows 0..10 cut a mixing group of 16"), "{cut:?}");
    assert_eq!(warnings(mixed(small_spec(64), cutmix()), rank(0, 4), Dtype::Fp32).await, [""; 0]);
    let rounded = warnings(mixed(small_spec(32), mixup()), rank(0, 1), Dtype::Uint8).await;
    assert!(rounded.len() == 1 && rounded[0].contains("rounds"), "{rounded:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn normalising_uint8_as_described_gives_the_fp32_bytes() {
    let server = photographs_server().await;
    let mut client = raw(&server.address).await;
    let mut batches = Vec::new();
    for dtype in [Dtype::Uint8, Dtype::Fp32] {
        let delivery = v1::Delivery { dtype: dtype.into(), ..from(0, 0, 1) };
        let request = request(spec("imagenet-train", 4), rank(0, 1), delivery);
        let described = client.describe(describe(&request)).await.expect("sound").into_inner();
        let mut stream = client.stream(request).await.expect("sound").into_inner();
        batches.push((described.normalization, next(&mut stream, MIB).await.expect("no failure").expect("a batch")));
    }
    let [(Some(rest), bytes), (None, expected)] = &batches[..] else { panic!("UINT8 alone leaves something undone") };
    let ((shape, bytes), (same, expected)) = (bytes.tensor("image"), expected.tensor("image"));
    assert!(shape == [4, 3, 224, 224] && shape == same, "{shape:?} and {same:?}");
    let divisor = (1.0 / rest.scale) as f32;
    assert_eq!(divisor, 255.0);
    for (place, (byte, expected)) in bytes.iter().zip(floats(expected)).enumerate() {
        let channel = place / (224 * 224) % 3;
        let (mean, std) = (rest.mean[channel] as f32, rest.std[channel] as f32);
        assert_eq!((f32::from(*byte) / divisor - mean) / std, expected, "value {place}");
        // Multiplied, as devices rather do, it is as good as equal.
        let multiplied = (f32::from(*byte) * rest.scale as f32 - mean) / std;
        assert!((multiplied - expected).abs() < 1e-6, "{multiplied} and {expected}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_are_as_small_as_asked_for_and_the_same_batch() {
    let server = photographs_server().await;
    let mut client = raw(&server.address).await;
    let mut payloads = Vec::new();
    for (asked, parts) in [(4096, 61), (100_000, 3), (64 * MIB, 1)] {
        let delivery = v1::Delivery { part_bytes: Some(asked as u32), ..from(0, 0, 1) };
        let mut stream =
            client.stream(request(small_spec(20), rank(0, 1), delivery)).await.expect("sound").into_inner();
        let batch = next(&mut stream, asked).await.expect("no failure").expect("a batch");
        assert_eq!((batch.payload.len(), batch.parts), (245_952, parts));
        payloads.push(batch.payload);
    }
    assert!(payloads.windows(2).all(|two| two[0] == two[1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_30_mb_passes_the_usual_limit_of_4_mib() {
    let server = Running::start(engine(loaded(photographs(), Mode::Encoded), 2)).await;
    let mut client = raw(&server.address).await;
    let crop = Op::RandomResizedCrop(v1::RandomResizedCrop { height: 288, width: 288, ..Default::default() });
    let mut stream = client.stream(request(spec_of([crop], 30), rank(0, 1), from(0, 0, 1))).await.expect("sound");
    let batch = next(stream.get_mut(), MIB).await.expect("no failure").expect("a batch");
    assert_eq!((batch.payload.len(), batch.parts), (30 * 3 * 288 * 288 * 4 + 256, 29));
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_of_large_batches_travel_as_a_tensor() {
    let server = Running::start(engine(loaded(photographs(), Mode::Decoded), 2)).await;
    let mut client = raw(&server.address).await;
    let small = || Op::Resize(v1::Resize { height: 4, width: 4, antialias: Some(false), ..Default::default() });
    for rows in [2048, 2049] {
        let mut spec = spec_of([small()], rows);
        spec.set_last_batch(v1::LastBatch::Wrap);
        let mut stream = client.stream(request(spec, rank(0, 1), from(0, 0, 1))).await.expect("sound").into_inner();
        let batch = next(&mut stream, MIB).await.expect("no failure").expect("a batch");
        let samples: Vec<i64> = if rows == 2048 {
            assert_eq!(batch.header.tensors.len(), 2);
            batch.header.samples.iter().map(|sample| *sample as i64).collect()
        } else {
            assert!(batch.header.samples.is_empty());
            integers(batch.tensor("sample").1)
        };
        let labels: Vec<i64> = samples.iter().map(|sample| sample / 16).collect();
        assert_eq!((samples.len(), integers(batch.tensor("label").1)), (rows as usize, labels));
        assert_eq!(batch.header.wrapped_rows, (96..rows).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rank_without_rows_gets_a_batch_of_none() {
    let server = photographs_server().await;
    let mut client = raw(&server.address).await;
    // Three steps of 40 rows: the last has 16, of which rank 0 of 20 gets none.
    let delivery = v1::Delivery { layout: v1::Layout::Nhwc.into(), ..from(0, 2, 1) };
    let mut stream = client.stream(request(small_spec(40), rank(0, 20), delivery)).await.expect("sound").into_inner();
    let batch = next(&mut stream, MIB).await.expect("no failure").expect("a batch all the same");
    assert_eq!((batch.tensor("image"), batch.tensor("label")), ((&[0, 32, 32, 3][..], &[][..]), (&[0][..], &[][..])));
    assert_eq!((batch.payload.len(), batch.parts, batch.header.global_rows), (0, 1, 16));
    let beyond = batch.header.next.expect("the next epoch");
    assert_eq!((beyond.epoch, beyond.step), (1, 0));
    assert!(next(&mut stream, MIB).await.expect("OK after count batches").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn images_of_any_size_come_one_by_one() {
    let server = photographs_server().await;
    let mut client = raw(&server.address).await;
    let delivery = v1::Delivery { dtype: Dtype::Uint8.into(), layout: v1::Layout::Nhwc.into(), ..from(0, 0, 96) };
    let request = request(spec("none", 1), rank(0, 1), delivery);
    let described = client.describe(describe(&request)).await.expect("sound").into_inner();
    let largest = described.largest_image_shape;
    assert!(largest.len() == 3 && largest[2] == 3, "{largest:?}");
    let listed = client.list_samples(v1::ListSamplesRequest::default()).await.expect("ok").into_inner().samples;
    let mut stream = client.stream(request).await.expect("sound").into_inner();
    let mut seen = std::collections::BTreeSet::new();
    while let Some(batch) = next(&mut stream, MIB).await.expect("no failure") {
        let sample = &listed[batch.header.samples[0] as usize];
        let shape = [1, u64::from(sample.height), u64::from(sample.width), 3];
        assert_eq!(batch.tensor("image").0, shape, "{}", sample.key);
        assert!(
            batch.header.payload_bytes <= described.payload_bytes && shape[1] <= largest[0] && shape[2] <= largest[1]
        );
        seen.insert((sample.width, sample.height));
    }
    assert!(seen.len() > 1, "the photographs differ in size: {seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_reflection_are_the_standard_ones() {
    let server = photographs_server().await;
    let mut health = HealthClient::new(channel(&server.address).await);
    for service in ["", "feedline.v1.FeedlineService"] {
        let answer = health.check(HealthCheckRequest { service: service.into() }).await.expect("an answer");
        assert_eq!(answer.into_inner().status(), ServingStatus::Serving, "{service:?}");
    }
    let unknown = health.check(HealthCheckRequest { service: "other".into() }).await.expect_err("no such service");
    assert_eq!(unknown.code(), Code::NotFound);
    let ask = async |message: MessageRequest| {
        let request = ServerReflectionRequest { host: String::new(), message_request: Some(message) };
        let mut client = ServerReflectionClient::new(channel(&server.address).await);
        let answers = client.server_reflection_info(tokio_stream::once(request)).await.expect("an answer");
        let answer = answers.into_inner().message().await.expect("no failure").expect("one");
        answer.message_response.expect("set")
    };
    let MessageResponse::ListServicesResponse(list) = ask(MessageRequest::ListServices(String::new())).await else {
        panic!("a list")
    };
    let names: Vec<_> = list.service.into_iter().map(|ServiceResponse { name }| name).collect();
    for name in ["feedline.v1.FeedlineService", "grpc.health.v1.Health"] {
        assert!(names.iter().any(|known| known == name), "{names:?}");
    }
    let symbol = MessageRequest::FileContainingSymbol("feedline.v1.LoaderSpec".into());
    let MessageResponse::FileDescriptorResponse(files) = ask(symbol).await else { panic!("a file") };
    assert!(!files.file_descriptor_proto.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn older_tools_find_reflection_under_its_older_name() {
    use tonic_reflection::pb::v1alpha::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1alpha::{
        ServerReflectionRequest, server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };

    let server = photographs_server().await;
    let message_request = Some(MessageRequest::ListServices(String::new()));
    let request = ServerReflectionRequest { host: String::new(), message_request };
    let mut client = ServerReflectionClient::new(channel(&server.address).await);
    let answers = client.server_reflection_info(tokio_stream::once(request)).await.expect("an answer");
    let answer = answers.into_inner().message().await.expect("no failure").expect("one");
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else { panic!("a list") };
    assert!(list.service.iter().any(|service| service.name == "feedline.v1.FeedlineService"), "{list:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unix_socket_serves_as_well_and_is_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("socket");
    let engine = photographs_engine(2);
    let expected = made_hashes(&engine, &small_spec(20), &from(0, 0, 5));
    for _ in 0..2 {
        // What a server that was killed left behind is no obstacle.
        drop(std::os::unix::net::UnixListener::bind(&path).expect("free"));
        let listener = Listener::bind(&Endpoint::Unix(path.clone())).await.expect("nobody answers there");
        let address = listener.endpoint().to_string();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let shutdown = async {
            let _ = stopped.await;
        };
        let server = tokio::spawn(server::run(vec![listener], engine.clone(), Limits::default(), shutdown));
        let busy = Listener::bind(&Endpoint::Unix(path.clone())).await.expect_err("a live server has it");
        assert!(busy.to_string().contains("another server has it"), "{busy}");
        let loader = feedline::client::Loader { spec: small_spec(20), delivery: from(0, 0, 5), ..Default::default() };
        assert_eq!(hashes(&pulled(&client(&address), loader).await), expected);
        stop.send(()).expect("running");
        server.await.expect("no panic").expect("no failure");
        assert!(!path.exists());
    }
}

/// A log that can be read.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_live_streams_of_one_job_and_rank_are_reported() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).init();
    let server = photographs_server().await;
    let mut client = raw(&server.address).await;
    let mut open = async |job: &str, name: &str, rank_of_two: u32| {
        let client_info = Some(v1::ClientInfo { name: name.into(), job: job.into() });
        let request = request(small_spec(20), rank(rank_of_two, 2), v1::Delivery::default());
        client.stream(v1::StreamRequest { client: client_info, ..request }).await.expect("sound").into_inner()
    };
    let reports = |log: &Log| {
        let text = String::from_utf8(log.0.lock().expect("no panic").clone()).expect("UTF-8");
        text.lines().filter(|line| line.contains("two live streams")).map(str::to_owned).collect::<Vec<_>>()
    };
    let _others = [open("a", "x", 0).await, open("a", "y", 1).await, open("b", "z", 0).await, open("", "z", 0).await];
    let _unnamed = open("", "z", 0).await;
    assert_eq!(reports(&log), [""; 0]);
    let _second = open("a", "late", 0).await;
    let found = reports(&log);
    assert!(
        found.len() == 1
            && ["WARN", "job=\"a\"", "rank=0", "client=\"late\"", "streams=2"]
                .iter()
                .all(|text| found[0].contains(text)),
        "{found:?}"
    );
}
