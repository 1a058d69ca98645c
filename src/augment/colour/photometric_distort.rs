use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::channel_shuffle::permute;
use super::color_jitter::{self, Change};
use super::{full_scale, range};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image};
use crate::sample::Sample;
use crate::seed::Rng;

/// Brightness, contrast, saturation, hue and order of channels, each by chance.
struct PhotometricDistort {
    brightness: [f64; 2],
    contrast: [f64; 2],
    saturation: [f64; 2],
    hue: [f64; 2],
    part_p: f64,
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Brightness, contrast, saturation, hue and a random order of the channels, each by chance; the contrast comes before saturation
and hue or after them. torchvision's `RandomPhotometricDistort`, each part within the tolerance of the op of its name. An image of
one channel keeps its saturation, hue and order.",
    targets: Targets::Image,
    example: "photometric_distort = {}",
};

pub(in crate::augment) fn from_message(message: &v1::PhotometricDistort, input: Form) -> Result<Built, Refusal> {
    let op = PhotometricDistort {
        brightness: range("brightness", &message.brightness)?,
        contrast: range("contrast", &message.contrast)?,
        saturation: range("saturation", &message.saturation)?,
        hue: range("hue", &message.hue)?,
        part_p: message.part_p.unwrap_or(0.5),
        full: full_scale(input)?,
    };
    Built::maybe(op, message.p, input, input)
}

/// What is drawn: the amount of each part that takes place, whether the contrast comes first, and the order of channels.
#[derive(Serialize, Deserialize)]
struct Drawn {
    brightness: Option<f64>,
    contrast: Option<f64>,
    saturation: Option<f64>,
    hue: Option<f64>,
    contrast_before: bool,
    channels: Option<[u8; 3]>,
}

impl Op for PhotometricDistort {
    type Params = Drawn;
    const NAME: &'static str = "photometric_distort";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> Drawn {
        let [brightness, contrast, saturation, hue] = [self.brightness, self.contrast, self.saturation, self.hue]
            .map(|range| rng.chance(self.part_p).then(|| rng.uniform(range)));
        let contrast_before = rng.chance(0.5);
        let channels = rng.chance(self.part_p).then(|| {
            let mut order = [0, 1, 2];
            rng.shuffle(&mut order);
            order
        });
        Drawn { brightness, contrast, saturation, hue, contrast_before, channels }
    }

    fn apply<'a>(&self, drawn: &Drawn, mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        let contrast = drawn.contrast.map(Change::Contrast);
        let (before, after) = if drawn.contrast_before { (contrast, None) } else { (None, contrast) };
        let (brightness, saturation) =
            (drawn.brightness.map(Change::Brightness), drawn.saturation.map(Change::Saturation));
        let changes = [brightness, before, saturation, drawn.hue.map(Change::Hue), after];
        color_jitter::apply(&mut image, changes.into_iter().flatten(), self.full);
        if let Some(order) = drawn.channels.filter(|_| image.channels() == 3) {
            permute(image.values_mut(), order);
        }
        image
    }
}
