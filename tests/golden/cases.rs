//! The golden cases as they are stored: `<op>/cases.json` below the root, and the arrays beside it and in `inputs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use feedline::augment::Recorded;
use feedline::sample::{BoxRules, KeypointRules, Rules};
use feedline_proto::v1;

use crate::npy;

/// One of `cases.json`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// The file in `tests/golden` that wrote it.
    pub(crate) script: String,
    /// Library and version that made what is expected.
    pub(crate) producer: String,
    /// As the contract spells it.
    pub(crate) pipeline: v1::Pipeline,
    /// Name of the image in `inputs`.
    input: String,
    /// Name of its mask in `inputs`.
    mask: Option<String>,
    /// Names in `inputs` of the images of the dataset that ops take something from, by their index.
    #[serde(default)]
    references: Vec<String>,
    /// Value of full brightness of an input of floats; none if it has no meaning.
    pub(crate) full: Option<f32>,
    /// Largest difference of a value.
    pub(crate) tolerance: f64,
    /// Largest mean of the differences.
    pub(crate) mean_tolerance: Option<f64>,
    /// Fraction of the values that may differ by more than `tolerance`.
    #[serde(default)]
    pub(crate) share: f64,
    /// Parameters to replay instead of drawing some.
    pub(crate) params: Option<Vec<Recorded>>,
    /// What is marked on the input, and where it must be in the end.
    #[serde(default)]
    pub(crate) annotations: Annotations,
    /// Its place, `<op>/<case>`.
    #[serde(skip)]
    pub(crate) name: String,
}

/// Boxes as `[x_min, y_min, x_max, y_max]` and keypoints as `[x, y]`, in pixels.
#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Annotations {
    pub(crate) boxes: Vec<[f64; 4]>,
    pub(crate) expected_boxes: Vec<[f64; 4]>,
    pub(crate) keypoints: Vec<[f64; 2]>,
    pub(crate) expected_keypoints: Vec<[f64; 2]>,
    /// Which of the boxes are left, by their places.
    pub(crate) expected_labels: Option<Vec<i64>>,
    /// What becomes of those that leave the image. Absent: they stay as they are.
    pub(crate) rules: Option<NamedRules>,
    /// Largest difference of a coordinate, in pixels.
    pub(crate) tolerance: f64,
    /// Fraction of the mask's pixels that may have another class.
    pub(crate) mask_share: f64,
}

/// Rules by the names that albumentations gives them.
#[derive(Clone, Copy, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NamedRules {
    min_area: f64,
    min_visibility: f64,
    min_width: f64,
    min_height: f64,
    remove_invisible: bool,
}

impl From<NamedRules> for Rules {
    fn from(NamedRules { min_area, min_visibility, min_width, min_height, remove_invisible }: NamedRules) -> Self {
        let boxes = BoxRules { min_area, min_visibility, min_width, min_height, clip: false };
        Rules { boxes, keypoints: KeypointRules { remove_invisible, flip_pairs: Vec::new() } }
    }
}

impl Case {
    /// The op that the case is of, or what else it is a case of.
    pub(crate) fn op(&self) -> &str {
        self.name.split_once('/').map_or("", |(op, _)| op)
    }

    pub(crate) fn input(&self) -> Result<npy::Array, String> {
        npy::read(&shared(&self.input))
    }

    pub(crate) fn expected(&self) -> Result<npy::Array, String> {
        npy::read(&self.expected_file())
    }

    pub(crate) fn mask(&self) -> Result<Option<npy::Array>, String> {
        self.mask.as_deref().map(|name| npy::read(&shared(name))).transpose()
    }

    pub(crate) fn expected_mask(&self) -> Result<npy::Array, String> {
        npy::read(&self.expected_mask_file())
    }

    /// The image of the dataset at an index.
    pub(crate) fn reference(&self, index: u64) -> Result<npy::Array, String> {
        let name = usize::try_from(index).ok().and_then(|index| self.references.get(index));
        npy::read(&shared(name.ok_or("not among the references of the case")?))
    }

    fn expected_file(&self) -> PathBuf {
        root().join(format!("{}.npy", self.name))
    }

    fn expected_mask_file(&self) -> PathBuf {
        root().join(format!("{}.mask.npy", self.name))
    }

    /// All of its arrays.
    fn files(&self) -> impl Iterator<Item = PathBuf> + '_ {
        let inputs = [&self.input].into_iter().chain(&self.mask).chain(&self.references);
        let mask = self.mask.is_some().then(|| self.expected_mask_file());
        inputs.map(|name| shared(name)).chain([self.expected_file()]).chain(mask)
    }
}

/// Every case, sorted by op and name.
pub(crate) fn all() -> Result<Vec<Case>, String> {
    let mut all = Vec::new();
    for folder in inside(&root()) {
        let path = folder.join("cases.json");
        if !path.is_file() {
            continue;
        }
        let of = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(&path).map_err(|error| of(&error))?;
        let cases: BTreeMap<String, Case> = serde_json::from_str(&text).map_err(|error| of(&error))?;
        let op = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        all.extend(cases.into_iter().map(|(name, case)| Case { name: format!("{op}/{name}"), ..case }));
    }
    Ok(all)
}

/// Arrays in the folders of the cases that no case has.
pub(crate) fn strays(cases: &[Case]) -> Vec<PathBuf> {
    let known: BTreeSet<PathBuf> = cases.iter().flat_map(Case::files).collect();
    let folders = inside(&root()).into_iter().filter(|path| path.is_dir());
    let files = folders.flat_map(|folder| inside(&folder));
    files.filter(|path| !path.ends_with("cases.json") && !known.contains(path)).collect()
}

fn shared(name: &str) -> PathBuf {
    root().join("inputs").join(format!("{name}.npy"))
}

/// What is in a folder, sorted.
fn inside(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).map(|entries| entries.flatten().map(|entry| entry.path()).collect());
    let mut entries: Vec<PathBuf> = entries.unwrap_or_default();
    entries.sort();
    entries
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden")
}
