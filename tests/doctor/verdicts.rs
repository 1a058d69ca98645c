//! What the figures of two statuses mean, case by case.

use feedline::doctor::{Bound, Diagnosis, Restarted, diagnose};
use feedline_proto::v1::{Dtype, GetStatusResponse, StreamStatus};

const SECOND: u64 = 1_000_000_000;
const GIB: u64 = 1 << 30;

/// A stream of ten seconds, of which it spent `making` without a batch.
fn stream(making: f64) -> StreamStatus {
    let making_ns = (making * SECOND as f64) as u64;
    StreamStatus {
        client: "trainer-0".into(),
        job: "resnet".into(),
        dtype: Dtype::Fp32.into(),
        batch_bytes: 40 << 20,
        prefetch_bytes: 256 << 20,
        batches: 100,
        rows: 14_800,
        bytes: 2_220_000_000,
        making_ns,
        sending_ns: 10 * SECOND - making_ns,
        ..Default::default()
    }
}

/// The stages of the work for a stream, in seconds.
fn with_work(stream: StreamStatus, [decode, augment, collate]: [u64; 3]) -> StreamStatus {
    let (decode_ns, augment_ns, collate_ns) = (decode * SECOND, augment * SECOND, collate * SECOND);
    StreamStatus { decode_ns, augment_ns, collate_ns, ..stream }
}

/// A server of two threads that worked for `work` of their 20 seconds.
fn server(work: f64, streams: Vec<StreamStatus>) -> GetStatusResponse {
    GetStatusResponse {
        uptime_ns: 110 * SECOND,
        threads: 2,
        processors: 2,
        work_ns: 50 * SECOND + (work * SECOND as f64) as u64,
        batch_budget_bytes: 64 << 20,
        all_decoded_bytes: 3 * GIB,
        decoded_budget_bytes: 3 * GIB,
        decoded_bytes: 3 * GIB,
        streams,
        ..Default::default()
    }
}

/// The server ten seconds before, when the streams that `began` had sent nothing yet.
fn before(began: &[StreamStatus]) -> GetStatusResponse {
    let streams = began.iter().map(|stream| StreamStatus { id: stream.id, ..Default::default() }).collect();
    GetStatusResponse { uptime_ns: 100 * SECOND, work_ns: 50 * SECOND, streams, ..Default::default() }
}

fn all(after: &GetStatusResponse) -> Vec<Diagnosis> {
    diagnose(&before(&after.streams), after).expect("the same server")
}

fn only(work: f64, stream: StreamStatus) -> Diagnosis {
    let mut found = all(&server(work, vec![stream]));
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn each_bound_follows_from_its_figures() {
    let (wire_ns, memory_wait_ns) = (8 * SECOND, 3 * SECOND);
    for (expected, work, stream) in [
        (Bound::Decode, 19.6, with_work(stream(6.0), [14, 4, 2])),
        (Bound::Augment, 19.6, with_work(stream(6.0), [4, 14, 2])),
        (Bound::Collate, 19.6, with_work(stream(6.0), [1, 2, 3])),
        // However busy the network or full the memory is: busy workers and no batch ready are the workers.
        (Bound::Decode, 19.6, with_work(StreamStatus { wire_ns, memory_wait_ns, ..stream(6.0) }, [3, 1, 1])),
        (Bound::Memory, 8.0, with_work(StreamStatus { memory_wait_ns, ..stream(4.0) }, [3, 1, 1])),
        (Bound::Prefetch, 8.0, with_work(stream(4.0), [3, 1, 1])),
        (Bound::Wire, 19.6, with_work(StreamStatus { wire_ns, ..stream(0.5) }, [3, 1, 1])),
        (Bound::Trainer, 19.6, with_work(StreamStatus { memory_wait_ns, ..stream(0.5) }, [3, 1, 1])),
        (Bound::Trainer, 0.0, StreamStatus { wire_ns: 6 * SECOND, repeat: true, ..stream(0.0) }),
        // A tenth of the time is where it begins to be worth something.
        (Bound::Trainer, 19.6, with_work(stream(0.9), [3, 1, 1])),
        (Bound::Decode, 19.6, with_work(stream(1.1), [3, 1, 1])),
    ] {
        let found = only(work, stream.clone());
        assert_eq!(found.bound, expected, "{found}: {stream:?}");
    }
}

#[test]
fn a_stream_that_has_no_batch_yet_is_judged_by_what_the_server_does() {
    let stream = StreamStatus { batches: 0, rows: 0, bytes: 0, ..stream(10.0) };
    let after = GetStatusResponse { augment_ns: 12 * SECOND, decode_ns: 3 * SECOND, ..server(19.0, vec![stream]) };
    let found = all(&after);
    assert_eq!((found[0].bound, found[0].figures.augment), (Bound::Augment, 0.8));
}

#[test]
fn the_line_has_figures_and_the_setting_that_helps() {
    let line = only(19.6, with_work(stream(6.0), [14, 4, 2])).to_string();
    let expected = "job \"resnet\" (1 stream): bound by decode: workers busy 98 % of 2 threads, 70 % of that in decode; 1,480 \
                    images/s, 222 MB/s. More cores would help.";
    assert_eq!(line, expected);
    let line = only(19.6, StreamStatus { job: String::new(), ..stream(0.4) }).to_string();
    let expected = "client \"trainer-0\": bound by the trainer: batches lie ready 96 % of the time; 1,480 images/s, 222 MB/s. \
                    Nothing to gain here.";
    assert_eq!(line, expected);
}

#[test]
fn advice_follows_from_the_servers_settings() {
    let decoding = || vec![with_work(stream(6.0), [14, 4, 2])];
    let advice = |server: GetStatusResponse| all(&server).remove(0).advice;
    let some = GetStatusResponse { decoded_budget_bytes: GIB, decoded_bytes: GIB, ..server(19.6, decoding()) };
    assert_eq!(advice(some), "More cores, or --store auto with 2.00 GiB more of --memory-budget, would help.");
    let none = GetStatusResponse { decoded_budget_bytes: 0, decoded_bytes: 0, ..server(19.6, decoding()) };
    assert!(advice(none).contains("--store auto with 3.00 GiB of --memory-budget for decoded images"));
    let filling = GetStatusResponse { decoded_bytes: GIB, ..server(19.6, decoding()) };
    assert!(advice(filling).contains("the second epoch, since decoded images are kept (33 % of them are by now)"));
    let threads = GetStatusResponse { processors: 8, ..server(19.6, decoding()) };
    assert!(advice(threads).starts_with("--threads 8, as many as there are processors"));
    let shared = GetStatusResponse { cpu_ns: Some(10 * SECOND), ..server(19.6, decoding()) };
    let idle = GetStatusResponse { cpu_ns: Some(0), ..before(&shared.streams) };
    let found = diagnose(&idle, &shared).expect("the same server").remove(0).advice;
    assert!(
        found.contains("Other programs take the processors: workers at work have one 51 % of the time."),
        "{found}"
    );
    let memory = server(8.0, vec![StreamStatus { memory_wait_ns: 3 * SECOND, ..stream(4.0) }]);
    let found = advice(memory);
    assert!(found.contains("--batch-budget than 64.00 MiB") && found.contains("296.00 MiB holds all"), "{found}");
    let full = |dtype: Dtype| {
        let stream = StreamStatus { wire_ns: 9 * SECOND, dtype: dtype.into(), ..stream(0.0) };
        advice(server(19.6, vec![stream]))
    };
    assert!(full(Dtype::Fp32).contains("dtype UINT8") && !full(Dtype::Uint8).contains("dtype"));
}

#[test]
fn streams_of_a_job_are_one_line_where_they_are_bound_by_the_same() {
    let ranks = |making: [f64; 3]| {
        let one = |(rank, making): (u32, f64)| {
            with_work(StreamStatus { id: rank.into(), rank, world_size: 3, ..stream(making) }, [3, 1, 1])
        };
        all(&server(19.6, (0..).zip(making).map(one).collect()))
    };
    let same = ranks([6.0, 5.0, 4.0]);
    assert_eq!((same.len(), &same[0].ranks[..], same[0].figures.ready), (1, &[0, 1, 2][..], 0.5));
    assert!(same[0].to_string().starts_with("job \"resnet\" (3 streams): bound by decode"), "{}", same[0]);
    assert_eq!(same[0].figures.images_per_s, 3.0 * 1480.0);
    let different = ranks([6.0, 0.0, 6.0]);
    let found: Vec<_> = different.iter().map(|found| (found.bound, &found.ranks[..])).collect();
    assert_eq!(found, [(Bound::Decode, &[0, 2][..]), (Bound::Trainer, &[1][..])]);
    // Without a job every stream stands for itself.
    let alone = |id: u64| StreamStatus { id, job: String::new(), ..stream(0.0) };
    assert_eq!(all(&server(1.0, vec![alone(1), alone(2)])).len(), 2);
}

#[test]
fn a_stream_that_began_meanwhile_counts_from_its_beginning_and_one_that_ended_not_at_all() {
    let young = StreamStatus { id: 9, making_ns: SECOND, sending_ns: SECOND, ..stream(0.0) };
    let old = stream(0.0);
    let found = diagnose(&before(&[old]), &server(19.6, vec![young])).expect("the same server");
    assert_eq!((found.len(), found[0].figures.ready), (1, 0.5));
    assert_eq!(all(&server(0.0, Vec::new())), []);
}

#[test]
fn a_server_that_was_restarted_is_told() {
    let after = server(1.0, Vec::new());
    let later = GetStatusResponse { uptime_ns: 111 * SECOND, ..Default::default() };
    assert_eq!(diagnose(&later, &after), Err(Restarted));
    assert_eq!(
        diagnose(&after, &later),
        Err(Restarted),
        "its uptime has passed the other one's, its counters have not"
    );
}
