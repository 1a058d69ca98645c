use feedline_proto::v1;
use serde_json::Value;

use super::step;

/// What of a loader spec is set, as lines of TOML: all of it on one line each, so that no table follows that would swallow what
/// comes after.
pub(super) fn toml(spec: &v1::LoaderSpec) -> String {
    let Ok(Value::Object(fields)) = serde_json::to_value(spec) else { return String::new() };
    fields.iter().map(|(name, value)| format!("{name} = {}\n", step::inline(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let cutmix = v1::CutMix { alpha: Some(1.0), p: Some(0.5), ..Default::default() };
        let mixing = v1::Mixing { kind: Some(v1::mixing::Kind::Cutmix(cutmix)), ..Default::default() };
        let spec = v1::LoaderSpec {
            targets: vec![v1::Target::Boxes.into(), v1::Target::Keypoints.into()],
            box_rules: Some(v1::BoxRules { min_area: 4.0, clip: true, ..Default::default() }),
            keypoint_rules: Some(v1::KeypointRules { remove_invisible: true, ..Default::default() }),
            mixing: Some(mixing),
            ..Default::default()
        };
        let read: v1::LoaderSpec = toml::from_str(&toml(&spec)).expect("TOML");
        assert_eq!(read, spec);
        assert_eq!(toml(&v1::LoaderSpec::default()), "");
    }
}
