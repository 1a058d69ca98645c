//! Promise: of several replicas a client goes on with another one when one fails: none lost, none twice, bytes equal. And a stream
//! that repeats its first batch makes it once.

mod common;

use std::time::Duration;

use common::*;
use feedline::client::{Batch, Client, ClientError, Loader, Options};
use feedline_proto::v1;

/// Five steps an epoch, two epochs. Nothing is made ahead, so that what a dead server had sent is little.
fn loader() -> Loader {
    let delivery = v1::Delivery { prefetch_bytes: Some(0), ..from(0, 0, 10) };
    Loader { spec: mixed(small_spec(20), cutmix()), placement: rank(0, 1), delivery }
}

fn client_of(addresses: &[&str], retry_for: Duration) -> Client {
    Client::new(&addresses.join(", "), Options { retry_for, ..Options::default() }).expect("addresses")
}

async fn replica() -> Running {
    Running::start(photographs_engine(1)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_replica_goes_on_where_one_stopped() {
    let mut replicas = [replica().await, replica().await, replica().await];
    let whole = hashes(&pulled(&replicas[0].client(), loader()).await);
    let addresses: Vec<_> = replicas.iter().map(|server| server.address.clone()).collect();
    let addresses: Vec<_> = addresses.iter().map(String::as_str).collect();
    let mut stream = client_of(&addresses, Duration::from_secs(60)).stream(loader()).await.expect("a sound request");
    let mut batches: Vec<Batch> = Vec::new();
    while let Some(batch) = stream.next().await.expect("a batch") {
        batches.push(batch);
        // A draining server ends its streams after a batch; the next replica has it from there.
        match batches.len() {
            2 => replicas[0].ask_to_stop(),
            5 => replicas[1].ask_to_stop(),
            _ => {}
        }
    }
    assert_eq!(hashes(&batches), whole);
    drop(stream);
    for server in replicas {
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_not_there_costs_no_more_than_a_try() {
    let server = replica().await;
    // Nobody listens at port 9 here; the first request meets it first.
    let client = client_of(&["127.0.0.1:9", &server.address], Duration::from_secs(60));
    assert_eq!(pulled(&client, loader()).await.len(), 10);
    let nobody = client_of(&["127.0.0.1:9", "127.0.0.1:9"], Duration::from_millis(200));
    let error = nobody.describe(&loader()).await.expect_err("nobody is there");
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("127.0.0.1:9, 127.0.0.1:9"), "{error}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeating_stream_gives_its_first_batch_count_times_and_makes_it_once() {
    let server = replica().await;
    let Loader { spec, placement, delivery } = loader();
    let delivery = v1::Delivery { repeat: true, ..delivery };
    let batches = pulled(&server.client(), Loader { spec: spec.clone(), placement, delivery: delivery.clone() }).await;
    let headers: Vec<_> = batches.iter().map(|batch| batch.header.repeated_batch).collect();
    assert_eq!(headers, [vec![false], vec![true; 9]].concat());
    let hashes = hashes(&batches);
    assert_eq!(hashes, vec![hashes[0].clone(); 10]);
    assert_eq!(server.engine.statistics().batches, 1);
    // The same without a server, and none at all.
    let count = |count| v1::Delivery { count: Some(count), ..delivery.clone() };
    assert_eq!(made_hashes(&server.engine, &spec, &count(3)), hashes[..3]);
    assert!(made_hashes(&server.engine, &spec, &count(0)).is_empty());
    server.stop().await;
}
