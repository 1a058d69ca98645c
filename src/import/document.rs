use serde_json::Value;

/// How a file is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// JSON.
    Json,
    /// YAML 1.2, one document.
    Yaml,
}

impl Syntax {
    /// By the end of a file's name: `.yaml` and `.yml` are YAML, all else is JSON.
    pub fn of(path: &std::path::Path) -> Syntax {
        let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
        if ["yaml", "yml"].iter().any(|yaml| end.eq_ignore_ascii_case(yaml)) { Syntax::Yaml } else { Syntax::Json }
    }
}

/// Reads a document as plain data: no tags, no classes. Both parsers bound the depth; that of YAML bounds aliases too, so that a
/// few lines can't stand for gigabytes.
///
/// # Errors
/// What is wrong, with line and column.
pub(super) fn read(text: &str, syntax: Syntax) -> Result<Value, String> {
    if text.len() > MOST_BYTES {
        return Err(format!("{} bytes, expected at most {MOST_BYTES}", text.len()));
    }
    match syntax {
        Syntax::Json => serde_json::from_str(text).map_err(|error| error.to_string()),
        Syntax::Yaml => serde_saphyr::from_str(text).map_err(|error| error.to_string()),
    }
}

/// A pipeline is some kilobytes.
const MOST_BYTES: usize = 4 << 20;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_spellings_are_the_same_data() {
        let yaml =
            "transform:\n  p: 1.0\n  list:\n  - 1\n  - -2\n  - 1.0e-05\n  none: null\n  flag: true\n  text: 'no'\n";
        let data = json!({ "transform": {
            "p": 1.0, "list": [1, -2, 1.0e-5], "none": null, "flag": true, "text": "no" } });
        assert_eq!(read(yaml, Syntax::Yaml).expect("YAML"), data);
        assert_eq!(read(&data.to_string(), Syntax::Json).expect("JSON"), data);
        assert_eq!(Syntax::of(std::path::Path::new("a/b.YML")), Syntax::Yaml);
        assert_eq!(Syntax::of(std::path::Path::new("a/b")), Syntax::Json);
    }

    #[test]
    fn hostile_documents_are_refused() {
        let bomb: String =
            (0..30).map(|i| format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i.max(1) - 1); 9].join(","))).collect();
        assert!(read(&bomb.replacen("*a0", "1", 9), Syntax::Yaml).is_err());
        let deep = "[".repeat(5000) + &"]".repeat(5000);
        assert!(read(&deep, Syntax::Json).is_err() && read(&deep, Syntax::Yaml).is_err());
        assert!(read("a: 1\na: 2\n", Syntax::Yaml).is_err(), "which of the two is meant?");
        assert!(read(&" ".repeat(MOST_BYTES + 1), Syntax::Json).is_err());
    }
}
