//! A folder of images is understood as people lay it out, and whatever is not understood is said.

use std::fs;
use std::path::Path;

use feedline::source::{Listing, Location, SourceError, Why, folder};
use tempfile::TempDir;

/// The first bytes of a PNG: enough for a listing.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n----------------";

/// A folder with these files, each with the first bytes of an image; those that end in `/` are folders.
fn tree(paths: &[&str]) -> TempDir {
    let root = tempfile::tempdir().expect("a folder");
    for path in paths {
        let full = root.path().join(path);
        if path.ends_with('/') {
            fs::create_dir_all(full).expect("made");
        } else {
            fs::create_dir_all(full.parent().expect("below the root")).expect("made");
            fs::write(full, PNG).expect("written");
        }
    }
    root
}

fn listed(root: &TempDir) -> Listing {
    folder(root.path(), Some("data")).expect("a dataset")
}

/// Keys and labels of a split.
fn samples<'a>(listing: &'a Listing, split: &str) -> Vec<(&'a str, i64)> {
    let split = listing.splits.iter().find(|own| own.name == split).expect("the split");
    split.entries.iter().map(|entry| (entry.key.as_str(), entry.label)).collect()
}

fn ignored(listing: &Listing) -> Vec<(&str, String)> {
    listing.ignored.iter().map(|ignored| (ignored.path.as_str(), ignored.why.to_string())).collect()
}

#[test]
fn class_folders_are_numbered_in_order_and_are_the_train_split() {
    let root = tree(&["dog/2.png", "cat/b/1.png", "cat/a.png", "dog/1.png", "cat-big/1.png"]);
    let listing = listed(&root);
    assert_eq!(listing.classes, ["cat", "cat-big", "dog"]);
    assert_eq!(listing.splits.len(), 1);
    assert_eq!(
        samples(&listing, "train"),
        // By the bytes of the paths: `-` is before `/`.
        [("cat-big/1.png", 1), ("cat/a.png", 0), ("cat/b/1.png", 0), ("dog/1.png", 2), ("dog/2.png", 2)]
    );
    assert_eq!(listing.ignored, []);
    let entry = &listing.splits[0].entries[0];
    assert_eq!(entry.location, Location::Path(root.path().join("cat-big/1.png")));
    assert_eq!(entry.bytes, PNG.len() as u64);
}

#[test]
fn split_folders_are_known_by_their_usual_names() {
    for (train, validation, test) in [
        ("train", "val", "test"),
        ("Training", "valid", "TESTING"),
        ("TRAIN", "validation", "eval"),
        ("train", "dev", "evaluation"),
    ] {
        let paths = [train, validation, test].map(|split| format!("{split}/cat/1.png"));
        let listing = listed(&tree(&paths.each_ref().map(String::as_str)));
        let names: Vec<_> = listing.splits.iter().map(|split| split.name.as_str()).collect();
        assert_eq!(names, ["train", "validation", "test"]);
        for (name, path) in names.into_iter().zip(&paths) {
            assert_eq!(samples(&listing, name), [(path.as_str(), 0)]);
        }
    }
}

#[test]
fn labels_of_train_hold_everywhere_and_later_classes_follow() {
    let listing = listed(&tree(&[
        "train/b/1.png",
        "train/d/1.png",
        "val/a/1.png",
        "val/d/1.png",
        "test/0/1.png",
        "test/a/1.png",
    ]));
    assert_eq!(listing.classes, ["b", "d", "a", "0"]);
    assert_eq!(samples(&listing, "validation"), [("val/a/1.png", 2), ("val/d/1.png", 1)]);
    assert_eq!(samples(&listing, "test"), [("test/0/1.png", 3), ("test/a/1.png", 2)]);
}

#[test]
fn a_split_inside_of_a_split_is_a_class() {
    let listing = listed(&tree(&["train/test/1.png", "train/bus/1.png"]));
    assert_eq!(listing.classes, ["bus", "test"]);
    assert_eq!(listing.splits.len(), 1);
}

#[test]
fn images_without_class_folders_have_no_label() {
    let flat = listed(&tree(&["2.png", "1.png", "empty/"]));
    assert_eq!((samples(&flat, "train"), flat.classes.len()), (vec![("1.png", -1), ("2.png", -1)], 0));
    assert_eq!(ignored(&flat), [("empty", "a folder without images".into())]);
    let mixed = listed(&tree(&["train/cat/1.png", "test/1.png"]));
    assert_eq!(
        (samples(&mixed, "test"), samples(&mixed, "train")),
        (vec![("test/1.png", -1)], vec![("train/cat/1.png", 0)])
    );
}

#[test]
fn whatever_is_no_sample_is_listed_with_its_reason() {
    let root =
        tree(&["cat/1.png", "cat/.DS_Store", "cat/._1.png", ".git/1.png", "loose.png", "dog/", "__MACOSX/cat/._1.png"]);
    fs::write(root.path().join("cat/notes.txt"), "cats").expect("written");
    fs::write(root.path().join("cat/empty"), "").expect("written");
    #[cfg(unix)]
    let _socket = std::os::unix::net::UnixListener::bind(root.path().join("cat/socket.jpg")).expect("bound");
    let listing = listed(&root);
    assert_eq!(samples(&listing, "train"), [("cat/1.png", 0)]);
    assert_eq!(listing.classes, ["cat"]);
    let mut expected = vec![
        (".git", Why::Hidden),
        ("__MACOSX", Why::NoImages),
        ("__MACOSX/cat/._1.png", Why::Hidden),
        ("cat/.DS_Store", Why::Hidden),
        ("cat/._1.png", Why::Hidden),
        ("cat/empty", Why::NotAnImage),
        ("cat/notes.txt", Why::NotAnImage),
        ("cat/socket.jpg", Why::NotAFile),
        ("dog", Why::NoImages),
        ("loose.png", Why::BesideClasses),
    ];
    expected.retain(|(_, why)| cfg!(unix) || *why != Why::NotAFile);
    let expected: Vec<_> = expected.into_iter().map(|(path, why)| (path, why.to_string())).collect();
    assert_eq!(ignored(&listing), expected);
}

#[test]
fn a_file_counts_by_its_name_or_by_its_content() {
    let root = tree(&["cat/no-extension", "cat/odd.data"]);
    for (name, content) in [("text.JPG", "no image"), ("empty.jpeg", "")] {
        fs::write(root.path().join("cat").join(name), content).expect("written");
    }
    let listing = listed(&root);
    // What is named as an image and is none is damaged, not passed over: loading says so.
    let keys = ["cat/empty.jpeg", "cat/no-extension", "cat/odd.data", "cat/text.JPG"];
    assert_eq!(samples(&listing, "train"), keys.map(|key| (key, 0)));
    assert_eq!(listing.ignored, []);
}

#[test]
fn two_spellings_of_a_split_are_refused_by_name() {
    let error =
        folder(tree(&["val/a/1.png", "train/a/1.png", "Validation/a/1.png"]).path(), None).expect_err("ambiguous");
    let text = error.to_string();
    assert!(text.contains("\"val\"") && text.contains("\"Validation\"") && text.contains("validation split"), "{text}");
}

#[test]
fn a_lone_split_folder_beside_other_images_is_refused_since_it_may_be_a_class() {
    let error = folder(tree(&["bus/1.png", "train/1.png"]).path(), None).expect_err("ambiguous");
    assert!(
        matches!(&error, SourceError::SplitOrClass { split, other } if split == "train" && other == "bus"),
        "{error}"
    );
    let root = tree(&["train/cat/1.png", "docs/"]);
    fs::write(root.path().join("docs/notes.txt"), "no images").expect("written");
    assert_eq!(ignored(&listed(&root)), [("docs", "beside the split folders".into())]);
}

#[test]
fn what_lies_beside_two_splits_is_passed_over() {
    let root = tree(&["train/cat/1.png", "test/cat/1.png", "masks/1.png", "sample.png", "val/"]);
    fs::write(root.path().join("readme"), "cats").expect("written");
    let listing = listed(&root);
    let beside = "beside the split folders";
    let expected =
        [("masks", beside), ("readme", "not an image"), ("sample.png", beside), ("val", "a folder without images")];
    assert_eq!(ignored(&listing), expected.map(|(path, why)| (path, why.to_string())));
    assert_eq!((listing.classes.len(), listing.splits.len()), (1, 2));
}

#[test]
fn the_folder_above_a_dataset_is_refused_and_the_right_one_named() {
    let root = tree(&["imagenet/train/cat/1.png", "imagenet/val/cat/1.png"]);
    let error = folder(root.path(), None).expect_err("one level too high").to_string();
    assert!(error.contains(&format!("use {}", root.path().join("imagenet").display())), "{error}");
    // A class that merely has such a folder is fine.
    assert_eq!(listed(&tree(&["cat/1.png", "cat/train/2.png"])).classes, ["cat"]);
}

#[test]
fn a_path_that_is_no_dataset_has_a_clear_error() {
    let root = tree(&["cat/1.png", "none/sub/"]);
    let error = |path: &Path| folder(path, None).expect_err("no dataset");
    assert!(matches!(error(&root.path().join("dog")), SourceError::NotFound { .. }));
    assert!(matches!(error(&root.path().join("cat/1.png")), SourceError::NotAFolder { .. }));
    let below_a_file = error(&root.path().join("cat/1.png/deeper"));
    assert!(matches!(below_a_file, SourceError::NotAFolder { .. } | SourceError::NotFound { .. }), "{below_a_file}");
    let text = error(&root.path().join("none/sub")).to_string();
    assert!(text.starts_with("no images in") && text.ends_with("it is empty"), "{text}");
    fs::write(root.path().join("none/a.csv"), "1,2").expect("written");
    let text = error(&root.path().join("none")).to_string();
    assert!(text.contains("a.csv: not an image"), "{text}");
}

#[test]
fn a_dataset_is_called_as_its_folder_unless_it_has_a_name() {
    let root = tree(&["pets/cat/1.png"]);
    assert_eq!(folder(&root.path().join("pets"), None).expect("a dataset").name, "pets");
    assert_eq!(folder(&root.path().join("pets/cat/.."), None).expect("a dataset").name, "pets");
    assert_eq!(folder(&root.path().join("pets"), Some("p")).expect("a dataset").name, "p");
}

#[cfg(unix)]
mod links {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_followed_to_files_and_folders() {
        let (root, elsewhere) = (tree(&["cat/1.png"]), tree(&["a/1.png", "2.png"]));
        symlink(elsewhere.path().join("a"), root.path().join("dog")).expect("linked");
        symlink(elsewhere.path().join("2.png"), root.path().join("cat/2.png")).expect("linked");
        let listing = listed(&root);
        assert_eq!(samples(&listing, "train"), [("cat/1.png", 0), ("cat/2.png", 0), ("dog/1.png", 1)]);
        symlink(root.path(), elsewhere.path().join("current")).expect("linked");
        assert_eq!(folder(&elsewhere.path().join("current"), None).expect("a dataset").name, "current");
    }

    #[test]
    fn loops_end_and_are_listed() {
        let root = tree(&["data/cat/1.png", "data/dog/1.png", "other/"]);
        let data = root.path().join("data");
        symlink(".", data.join("cat/self")).expect("linked");
        symlink(&data, data.join("dog/up")).expect("linked");
        symlink(root.path(), data.join("dog/over")).expect("linked");
        symlink("round", data.join("cat/round")).expect("linked");
        let listing = folder(&data, None).expect("a dataset");
        assert_eq!(samples(&listing, "train"), [("cat/1.png", 0), ("dog/1.png", 1)]);
        let listed = ignored(&listing);
        let loops: Vec<_> = listed
            .iter()
            .filter(|(_, why)| why == "a link to a folder that contains it")
            .map(|(path, _)| *path)
            .collect();
        assert_eq!(loops, ["cat/self", "dog/over/data", "dog/up"]);
        assert!(matches!(&listed[0], ("cat/round", why) if why.starts_with("can't be read")), "{listed:?}");
    }

    #[test]
    fn a_link_to_nowhere_is_a_sample_if_it_is_named_as_an_image() {
        let root = tree(&["cat/1.png"]);
        symlink("/nowhere/at/all", root.path().join("cat/2.jpg")).expect("linked");
        symlink("/nowhere/at/all", root.path().join("cat/notes")).expect("linked");
        let listing = listed(&root);
        assert_eq!(samples(&listing, "train"), [("cat/1.png", 0), ("cat/2.jpg", 0)]);
        assert_eq!(listing.splits[0].entries[1].bytes, 0);
        assert!(
            matches!(&listing.ignored[..], [one] if one.path == "cat/notes" && matches!(one.why, Why::Unreadable(_)))
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8_keep_all_their_bytes() {
    use std::os::unix::ffi::OsStrExt as _;
    let root = tree(&["k\\o/ž.png"]);
    let class = root.path().join(std::ffi::OsStr::from_bytes(b"k\xff"));
    fs::create_dir(&class).expect("made");
    fs::write(class.join(std::ffi::OsStr::from_bytes(b"\xfe.png")), PNG).expect("written");
    let listing = listed(&root);
    assert_eq!(listing.classes, [r"k\\o", r"k\xff"]);
    assert_eq!(samples(&listing, "train"), [(r"k\\o/ž.png", 0), (r"k\xff/\xfe.png", 1)]);
    let Location::Path(path) = &listing.splits[0].entries[1].location else { unreachable!("a file") };
    assert_eq!(fs::read(path).expect("read"), PNG);
}
