use std::path::Path;

use super::Failure;

/// Reads a list of samples: a text file with an index on each line, in the order of the list. Empty lines count for nothing.
pub(super) fn read(path: &Path) -> Result<Vec<u32>, Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| Failure::usage(format!("can't read {shown}: {error}")))?;
    let mut indices = Vec::new();
    for (number, line) in (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty()) {
        let index = line.parse().map_err(|_| {
            let found: String = line.chars().take(40).collect();
            Failure::usage(format!("{shown}: line {number} is {found:?}, expected a sample's index, 0 to {}", u32::MAX))
        })?;
        indices.push(index);
    }
    if indices.is_empty() {
        return Err(Failure::usage(format!("{shown} is empty, expected a sample's index on each line")));
    }
    Ok(indices)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Vec<u32>, String> {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), text).expect("writable");
        read(file.path()).map_err(|failure| failure.message)
    }

    #[test]
    fn a_list_has_an_index_on_each_line() {
        assert_eq!(read_text("3\n17\r\n\n 4 \n4294967295"), Ok(vec![3, 17, 4, u32::MAX]));
    }

    #[test]
    fn what_is_no_index_is_refused_with_its_line() {
        for (text, says) in [
            ("3\n\n-1\n", "line 3 is \"-1\", expected a sample's index"),
            ("3, 17", "line 1 is \"3, 17\""),
            ("4294967296", "line 1 is \"4294967296\""),
            ("1.0", "line 1 is \"1.0\""),
            ("\n \n", "is empty, expected a sample's index on each line"),
        ] {
            let message = read_text(text).expect_err(text);
            assert!(message.contains(says), "{message}");
        }
        let message = read(Path::new("no/such/list.txt")).expect_err("not there").message;
        assert!(message.contains("can't read no/such/list.txt"), "{message}");
    }
}
