use std::collections::HashMap;

use serde_json::Value;

use super::line::{Wrong, shown};

/// Names of classes with their labels: those of a header, or those that were met.
#[derive(Debug, Default)]
pub(super) struct Labels {
    known: HashMap<String, i64>,
    names: Vec<String>,
    /// Whether a header gave them: then there are no others, and a label may be a number.
    given: bool,
    /// Where the names begin that only a later split has.
    sections: Vec<usize>,
}

impl Labels {
    /// Takes the names of a header.
    pub(super) fn give(&mut self, field: &str, names: Vec<String>) -> Result<(), Wrong> {
        if self.given && self.names != names {
            return Err(Wrong::new(field, "another list than in the manifest of an earlier split", "the same list"));
        }
        if !self.given && !self.names.is_empty() {
            let found = "a list that the manifest of an earlier split did not have";
            return Err(Wrong::new(field, found, "the same header in the manifests of all splits"));
        }
        self.known = names.iter().cloned().zip(0..).collect();
        (self.names, self.given) = (names, true);
        Ok(())
    }

    /// The label that `value` says: a name, or a number if a header gave names to numbers.
    pub(super) fn label(&mut self, field: &str, value: &Value) -> Result<i64, Wrong> {
        match value {
            Value::String(name) => self.named(field, name),
            Value::Number(_) if self.given => {
                let label = value.as_i64().filter(|label| (0..self.names.len() as i64).contains(label));
                let expected = || format!("a name or a whole number from 0 to {}", self.names.len() as i64 - 1);
                label.ok_or_else(|| Wrong::new(field, shown(value), expected()))
            }
            Value::Number(_) => Err(Wrong::new(
                field,
                shown(value),
                "the name of a class; a number needs a header that names the classes",
            )),
            _ => Err(Wrong::new(field, shown(value), "the name of a class")),
        }
    }

    fn named(&mut self, field: &str, name: &str) -> Result<i64, Wrong> {
        if let Some(label) = self.known.get(name) {
            return Ok(*label);
        }
        if self.given || name.is_empty() {
            let expected = if self.given { "one of the names in the header" } else { "the name of a class" };
            return Err(Wrong::new(field, format!("{name:?}"), expected));
        }
        let label = self.names.len() as i64;
        self.known.insert(name.to_owned(), label);
        self.names.push(name.to_owned());
        Ok(label)
    }

    /// Ends a split: names that are met from here on come after those there are.
    pub(super) fn close(&mut self) {
        self.sections.push(self.names.len());
    }

    /// The names in their final order, and what gives a label its final number. Without a header the order is bytewise, as that of
    /// class folders is: those of the first split, then those that only the second has, and so on.
    pub(super) fn sorted(self) -> (Vec<String>, impl Fn(i64) -> i64) {
        let mut order: Vec<usize> = (0..self.names.len()).collect();
        if !self.given {
            let mut start = 0;
            for end in self.sections {
                order[start..end].sort_by(|a, b| self.names[*a].cmp(&self.names[*b]));
                start = end;
            }
        }
        let mut new = vec![-1; order.len()];
        order.iter().zip(0..).for_each(|(old, label)| new[*old] = label);
        let names = order.iter().map(|old| self.names[*old].clone()).collect();
        let label = move |old: i64| usize::try_from(old).ok().and_then(|old| new.get(old)).copied().unwrap_or(-1);
        (names, label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_split_by_split() {
        let mut labels = Labels::default();
        let mut label = |name: &str| labels.label("label", &name.into()).expect("a name");
        let train = [label("dog"), label("cat"), label("dog")];
        assert_eq!(train, [0, 1, 0]);
        labels.close();
        assert_eq!(labels.label("label", &"ant".into()), Ok(2));
        labels.close();
        let (names, new) = labels.sorted();
        assert_eq!(names, ["cat", "dog", "ant"]);
        assert_eq!([0, 1, 2, -1].map(new), [1, 0, 2, -1]);
    }

    #[test]
    fn names_of_a_header_keep_their_order_and_have_numbers() {
        let mut labels = Labels::default();
        labels.give("classes", vec!["dog".into(), "cat".into()]).expect("the first");
        assert_eq!(labels.label("label", &1.into()), Ok(1));
        assert_eq!(labels.label("label", &"dog".into()), Ok(0));
        for wrong in [Value::from(2), Value::from(-1), Value::from(0.5), Value::from("ant"), Value::Null] {
            labels.label("label", &wrong).expect_err("no class");
        }
        labels.give("classes", vec!["cat".into()]).expect_err("another list");
        assert_eq!(labels.sorted().0, ["dog", "cat"]);
        let error = Labels::default().label("label", &1.into()).expect_err("no header");
        assert!(error.expected.contains("header"), "{error:?}");
    }
}
