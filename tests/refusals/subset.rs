//! Lists of samples.

use feedline_proto::v1;
use tonic::Code;

use crate::common::*;
use crate::{Spoil, all_refused, spec};

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_samples_that_can_not_be_meant_are_refused_with_the_place() {
    let cases: &[(Spoil, &[&str])] = &[
        (
            |r| spec(r).subset = Some(v1::Subset::default()),
            &["spec.subset.indices is empty, expected at least one sample, or no subset"],
        ),
        (|r| choose(r, &[3, 96, 4]), &["spec.subset.indices[1] is 96, expected 0 to 95", "96 samples"]),
        (|r| choose(r, &[u32::MAX]), &["spec.subset.indices[0] is 4294967295, expected 0 to 95"]),
        (
            |r| choose(r, &[3, 17, 4, 17, 3]),
            &["spec.subset.indices[3] is 17, expected each sample once: it is indices[1] already"],
        ),
        (
            |r| {
                choose(r, &[3, 17]);
                spec(r).split = "train[:80%]".into();
            },
            &["spec.split is train[0%:80%] beside a subset, expected train", "indices are of the whole split"],
        ),
        (
            |r| {
                choose(r, &[3, 17]);
                spec(r).set_last_batch(v1::LastBatch::Drop);
            },
            &["2 samples make no batch of 20 rows"],
        ),
        // One byte each, so that there is room for them in a request.
        (|r| choose(r, &[0; 4_000_001]), &["spec.subset.indices has 4000001 entries, expected at most 4000000"]),
        (
            |r| spec(r).subset = Some(v1::Subset { digest: "ab".repeat(5000), ..Default::default() }),
            &["spec.subset has the digest \"abab", "no indices, expected both, or indices alone"],
        ),
    ];
    all_refused(Code::InvalidArgument, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_not_the_one_of_its_digest_is_refused() {
    fn digested(request: &mut v1::StreamRequest, of: &[u32], indices: &[u32]) {
        let digest = feedline::plan::digest(of);
        spec(request).subset = Some(v1::Subset { indices: indices.into(), digest });
    }
    let says: &[&str] = &["spec.subset.digest is ", "expected ", "not those, or not in the order"];
    let cases: &[(Spoil, &[&str])] =
        &[(|r| digested(r, &[3, 17, 4], &[3, 4, 17]), says), (|r| digested(r, &[3, 17, 4], &[3, 17]), says)];
    all_refused(Code::FailedPrecondition, cases).await;
}

fn choose(request: &mut v1::StreamRequest, indices: &[u32]) {
    spec(request).subset = subset(indices);
}
