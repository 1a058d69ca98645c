use feedline_proto::{rule, v1};

use super::error::RequestError;
use crate::plan;

/// Takes the list of samples out of `spec` and leaves its digest there, which is all of it that fingerprints and `Describe` see. So
/// nothing that looks at a spec field by field meets a million numbers.
///
/// # Errors
/// [`RequestError`] if there is a subset without a list, or with too long a list or another one than its digest says.
pub(super) fn take(spec: &mut v1::LoaderSpec) -> Result<Option<Vec<u32>>, RequestError> {
    let Some(subset) = &mut spec.subset else { return Ok(None) };
    let indices = std::mem::take(&mut subset.indices);
    if indices.is_empty() {
        let message = if subset.digest.is_empty() {
            "spec.subset.indices is empty, expected at least one sample, or no subset for all of them".to_owned()
        } else {
            format!(
                "spec.subset has the digest {:?} and no indices, expected both, or indices alone: a server knows no list by its \
                 digest, which a resolved spec has in place of it",
                shortened(&subset.digest)
            )
        };
        return Err(RequestError::invalid(message));
    }
    let most = rule::most_items::<v1::Subset>("indices").unwrap_or(usize::MAX);
    if indices.len() > most {
        let found = indices.len();
        return Err(RequestError::invalid(format!("spec.subset.indices has {found} entries, expected at most {most}")));
    }
    let digest = plan::digest(&indices);
    if !subset.digest.is_empty() && subset.digest != digest {
        return Err(RequestError::Mismatch {
            what: "spec.subset.digest",
            found: shortened(&subset.digest),
            expected: digest,
            hint: "the indices are not those, or not in the order, that the digest is of".into(),
        });
    }
    subset.digest = digest;
    Ok(Some(indices))
}

/// As much of it as a digest has, and what shows that it is longer.
fn shortened(digest: &str) -> String {
    digest.chars().take(40).collect()
}
