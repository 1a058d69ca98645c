use std::collections::BTreeMap;
use std::fmt::Display;

use serde_json::Value;

use super::report::Report;

/// One object of a file, taken apart argument by argument: what nobody has asked for in the end is reported, so nothing is
/// dropped in silence. An argument that can't be taken is reported when it is read, and stands for its default from there on;
/// [`Node::finish`] says whether there was any.
pub(super) struct Node<'r> {
    place: String,
    values: BTreeMap<String, Value>,
    report: &'r mut Report,
    /// How much was unsupported before.
    before: usize,
}

impl<'r> Node<'r> {
    pub(super) fn new(place: &str, values: BTreeMap<String, Value>, report: &'r mut Report) -> Node<'r> {
        let before = report.unsupported.len();
        Node { place: place.into(), values, report, before }
    }

    /// Reports `found` at the argument `name`.
    pub(super) fn refuse(&mut self, name: &str, found: impl Display, why: impl Into<String>) {
        self.report.unsupported(&format!("{}.{name}", self.place), found, why);
    }

    pub(super) fn notice(&mut self, name: &str, found: impl Display, why: impl Into<String>) {
        self.report.notice(&format!("{}.{name}", self.place), found, why);
    }

    /// A notice for the whole object.
    pub(super) fn notice_all(&mut self, found: impl Display, why: impl Into<String>) {
        self.report.notice(&self.place, found, why);
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| !value.is_null())
    }

    /// The argument of that name, left where it is: null if it stands there as null.
    pub(super) fn peek(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// The argument of that name; none if it is absent or null.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.values.remove(name).filter(|value| !value.is_null())
    }

    fn typed<T>(&mut self, name: &str, expected: &str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let value = self.take(name)?;
        let read = read(&value);
        if read.is_none() {
            self.refuse(name, &value, format!("expected {expected}"));
        }
        read
    }

    pub(super) fn number(&mut self, name: &str) -> Option<f64> {
        self.typed(name, "a number", Value::as_f64)
    }

    /// A whole number, not negative.
    pub(super) fn whole(&mut self, name: &str) -> Option<u32> {
        self.typed(name, "a whole number, not negative", whole)
    }

    /// A number of pixels that must be there.
    pub(super) fn pixels(&mut self, name: &str) -> u32 {
        if !self.has(name) {
            self.refuse(name, "missing", "expected a number of pixels");
        }
        self.whole(name).unwrap_or_default()
    }

    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        self.typed(name, "true or false", Value::as_bool)
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.typed(name, "a text", |value| value.as_str().map(ToOwned::to_owned))
    }

    /// A list of numbers.
    pub(super) fn numbers(&mut self, name: &str) -> Option<Vec<f64>> {
        self.typed(name, "a list of numbers", |value| value.as_array()?.iter().map(Value::as_f64).collect())
    }

    /// Two numbers.
    pub(super) fn range(&mut self, name: &str, default: [f64; 2]) -> Vec<f64> {
        let read = |value: &Value| {
            let pair: Option<Vec<f64>> = value.as_array()?.iter().map(Value::as_f64).collect();
            pair.filter(|pair| pair.len() == 2)
        };
        self.typed(name, "two numbers [low, high]", read).unwrap_or_else(|| default.to_vec())
    }

    /// Two whole numbers, not negative, such as a height and a width.
    pub(super) fn two_whole(&mut self, name: &str) -> Option<[u32; 2]> {
        let read = |value: &Value| {
            let pair: Option<Vec<u32>> = value.as_array()?.iter().map(whole).collect();
            pair?.try_into().ok()
        };
        self.typed(name, "two whole numbers, not negative", read)
    }

    /// An argument that has to be one of `allowed`, since feedline does no other.
    pub(super) fn only(&mut self, name: &str, allowed: &[Value], why: &str) {
        let Some(value) = self.take(name) else { return };
        // 0 and 0.0 are the same.
        let same = |a: &Value, b: &Value| a == b || (a.is_number() && a.as_f64() == b.as_f64());
        if !allowed.iter().any(|allowed| same(allowed, &value)) {
            self.refuse(name, &value, why);
        }
    }

    /// An argument that says nothing about pixels: a notice if it is not what it mostly is.
    pub(super) fn drop(&mut self, name: &str, usual: &Value, why: &str) {
        if let Some(value) = self.take(name).filter(|value| value != usual) {
            self.notice(name, &value, why);
        }
    }

    /// Reports every argument that nobody asked for, and whether all could be taken.
    pub(super) fn finish(mut self) -> bool {
        for (name, value) in std::mem::take(&mut self.values) {
            self.refuse(&name, shortened(&value), "an argument that feedline does not know here");
        }
        self.report.unsupported.len() == self.before
    }
}

/// A value as a line of a report shows it.
pub(super) fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn whole(value: &Value) -> Option<u32> {
    let number = value.as_f64().filter(|number| number.trunc() == *number)?;
    (0.0..=f64::from(u32::MAX)).contains(&number).then_some(number as u32)
}

/// Characters of a value that a report shows.
const MOST_SHOWN: usize = 80;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_is_dropped_in_silence() {
        let mut report = Report::default();
        let values = [("known", json!(3.0)), ("typo", json!(1)), ("wrong", json!("x")), ("fixed", json!(0.0))];
        let mut node = Node::new("a", values.map(|(name, value)| (name.to_owned(), value)).into(), &mut report);
        assert_eq!((node.whole("known"), node.number("wrong"), node.number("absent")), (Some(3), None, None));
        node.only("fixed", &[json!(0)], "why");
        assert!(!node.finish());
        let places: Vec<_> = report.unsupported.iter().map(|finding| &finding.place[..]).collect();
        assert_eq!(places, ["a.wrong", "a.typo"]);
    }

    #[test]
    fn numbers_are_read_as_meant() {
        assert_eq!(
            [json!(7), json!(7.0), json!(7.5), json!(-1), json!(1e300)].map(|x| whole(&x)),
            [Some(7), Some(7), None, None, None]
        );
        assert_eq!(shortened(&json!("é".repeat(200))).chars().count(), MOST_SHOWN + 1);
    }
}
