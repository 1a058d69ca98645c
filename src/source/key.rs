/// A path as text: a byte that is not UTF-8 becomes `\xNN`, a backslash is doubled. Different paths give different texts.
pub(super) fn text(path: &[u8]) -> String {
    let mut text = String::with_capacity(path.len());
    for chunk in path.utf8_chunks() {
        for (number, part) in chunk.valid().split('\\').enumerate() {
            if number > 0 {
                text.push_str(r"\\");
            }
            text.push_str(part);
        }
        for byte in chunk.invalid() {
            text.push_str(&format!(r"\x{byte:02x}"));
        }
    }
    text
}

/// `name` below `folder`, which is empty for the dataset itself.
pub(super) fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(folder.len() + 1 + name.len());
    if !folder.is_empty() {
        path.extend_from_slice(folder);
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

/// What comes after the folder in the path of a file below it, and of that the class folder if there is one.
pub(super) fn class<'a>(folder: &[u8], path: &'a [u8]) -> Option<&'a [u8]> {
    let skipped = if folder.is_empty() { 0 } else { folder.len() + 1 };
    let below = path.get(skipped..)?;
    below.iter().position(|byte| *byte == b'/').map(|end| &below[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf8_stays_as_it_is_and_anything_else_is_spelled_out() {
        assert_eq!(text("kočka/1 %.jpg".as_bytes()), "kočka/1 %.jpg");
        assert_eq!(text(b"a\xff\xfeb\\"), r"a\xff\xfeb\\");
        assert_ne!(text(b"\xff"), text(br"\xff"));
    }

    #[test]
    fn the_class_is_the_first_folder_below_the_split() {
        assert_eq!(class(b"", b"cat/deep/1.jpg"), Some(&b"cat"[..]));
        assert_eq!(class(b"train", b"train/cat/1.jpg"), Some(&b"cat"[..]));
        assert_eq!(class(b"train", b"train/1.jpg"), None);
        assert_eq!(join(b"", b"cat"), b"cat");
        assert_eq!(join(b"cat", b"1.jpg"), b"cat/1.jpg");
    }
}
