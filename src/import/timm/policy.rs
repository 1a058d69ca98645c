/// A policy of timm's with the parts that it acts on, and those that it passes over: those without a number, and all but one of
/// those that say the same.
pub(super) fn effective(policy: &str) -> (String, Vec<String>) {
    let mut parts = policy.split('-');
    let name = parts.next().unwrap_or_default();
    let parts: Vec<&str> = parts.collect();
    let keys: Vec<Option<&str>> = parts.iter().map(|part| key(name, part)).collect();
    let mut kept = vec![name];
    let mut passed = Vec::new();
    for (index, (part, key)) in parts.iter().zip(&keys).enumerate() {
        // Of these the first counts, of the others the last.
        let others = match key {
            None => &keys[..0],
            Some("t" | "mstd" | "mmax") => &keys[..index],
            Some(_) => &keys[index + 1..],
        };
        match key {
            Some(_) if !others.contains(key) => kept.push(part),
            _ => passed.push((*part).to_owned()),
        }
    }
    (kept.join("-"), passed)
}

/// What a part is about; none if timm passes over it.
fn key<'p>(name: &str, part: &'p str) -> Option<&'p str> {
    if name == "rand" && part.starts_with('t') {
        return Some("t");
    }
    part.find(|letter: char| letter.is_ascii_digit()).map(|digit| &part[..digit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_count_as_in_timm() {
        let kept = |policy: &str| effective(policy).0;
        for same in ["rand-m9-mstd0.5-inc1", "augmix-m5-w4-d2", "original", "v0r-mstd0.5", "rand-tweights-n3", "3a", ""]
        {
            assert_eq!(effective(same), (same.to_owned(), Vec::new()));
        }
        assert_eq!(kept("rand-m3-m9-inc-mstd1-mstd2"), "rand-m9-mstd1");
        assert_eq!(kept("rand-t3a-tweights"), "rand-t3a");
        assert_eq!(effective("rand--m9-x").1, ["", "x"]);
        // Unknown ones are kept, for the op to refuse.
        assert_eq!(kept("augmix-tweights1-q7"), "augmix-tweights1-q7");
    }
}
