use crate::augment::policy::chain::{Filter, Name, Step};
use crate::image::Size;
use crate::seed::Rng;

/// An op of timm's policies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::augment::policy) enum Kind {
    /// One of all policies.
    Op(Name),
    /// Take part of the colour away.
    Desaturate,
    /// A Gaussian blur of a radius drawn up to a limit.
    BlurRand,
}

/// How magnitudes become what Pillow's functions take. The greatest is 10 for every op, unless the policy allows more.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::augment::policy) struct Levels {
    /// How far a magnitude strays.
    pub(in crate::augment::policy) noise: Noise,
    /// Magnitudes above are this.
    pub(in crate::augment::policy) most: f64,
    /// Whether the effect of colour and of thresholds grows with the magnitude.
    pub(in crate::augment::policy) increasing: bool,
    pub(in crate::augment::policy) posterize: Posterize,
    /// Of the side, at magnitude 10.
    pub(in crate::augment::policy) translate: f64,
    /// One of both, drawn each time, if it is none.
    pub(in crate::augment::policy) filter: Option<Filter>,
}

/// How far a magnitude strays from the one that the policy names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::augment::policy) enum Noise {
    /// By a normal distribution of this deviation; 0: not at all.
    Normal(f64),
    /// Anywhere from 0 to it.
    Uniform,
}

/// How many bits are left at magnitudes from 0 to 10.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::augment::policy) enum Posterize {
    /// 0 to 4: the TPU models.
    Tpu,
    /// 4 to 0: the research code.
    Increasing,
    /// 4 to 8: the paper.
    Original,
}

impl Levels {
    /// `kind` with the probability `p` and a magnitude about `magnitude`; none if it is not applied.
    pub(in crate::augment::policy) fn draw(
        &self,
        kind: Kind,
        (p, magnitude): (f64, f64),
        size: Size,
        rng: &mut Rng,
    ) -> Option<Step> {
        if !rng.chance(p) {
            return None;
        }
        let magnitude = match self.noise {
            Noise::Uniform => rng.uniform([0.0, magnitude]),
            Noise::Normal(0.0) => magnitude,
            Noise::Normal(deviation) => magnitude + deviation * rng.normal(),
        };
        let level = magnitude.clamp(0.0, self.most) / 10.0;
        let (op, argument) = self.argument(kind, level, size, rng);
        let moves = matches!(op, Name::ShearX | Name::ShearY | Name::TranslateX | Name::TranslateY | Name::Rotate);
        let either = |rng: &mut Rng| if rng.chance(0.5) { Filter::Bilinear } else { Filter::Bicubic };
        let filter = moves.then(|| self.filter.unwrap_or_else(|| either(rng)));
        Some(Step { op, magnitude: argument, filter })
    }

    /// What the function of Pillow takes; `level` is a tenth of the magnitude.
    fn argument(&self, kind: Kind, level: f64, size: Size, rng: &mut Rng) -> (Name, f64) {
        let mut signed = |x: f64| if rng.chance(0.5) { -x } else { x };
        let op = match kind {
            Kind::Desaturate => return (Name::Color, 1.0 - (0.5 + 0.5 * level).clamp(0.5, 1.0)),
            Kind::BlurRand => {
                let most = 2.0 * level.clamp(0.0, 1.0);
                return (Name::GaussianBlur, 0.1 + (most - 0.1) * rng.unit());
            }
            Kind::Op(op) => op,
        };
        let argument = match op {
            Name::Identity | Name::AutoContrast | Name::Equalize | Name::Invert => 0.0,
            Name::ShearX | Name::ShearY => signed(level * 0.3),
            Name::TranslateX => signed(level * self.translate) * f64::from(size.width),
            Name::TranslateY => signed(level * self.translate) * f64::from(size.height),
            Name::Rotate => signed(level * 30.0),
            Name::Brightness | Name::Color | Name::Contrast | Name::Sharpness => match self.increasing {
                true => (1.0 + signed(level * 0.9)).max(0.1),
                false => level * 1.8 + 0.1,
            },
            Name::Posterize => {
                let bits = (level * 4.0).trunc();
                match self.posterize {
                    Posterize::Tpu => bits,
                    Posterize::Increasing => 4.0 - bits,
                    Posterize::Original => 4.0 + bits,
                }
            }
            Name::Solarize => {
                let threshold = (level * 256.0).trunc().min(256.0);
                if self.increasing { 256.0 - threshold } else { threshold }
            }
            Name::SolarizeAdd => (level * 110.0).trunc().min(128.0),
            Name::GaussianBlur => (0.1 + 1.9 * level).clamp(0.1, 2.0),
        };
        (op, argument)
    }
}
