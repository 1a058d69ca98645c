use super::level::{Kind, Levels, Noise, Posterize};
use crate::augment::op::Refusal;
use crate::augment::policy::chain::Name;
use crate::augment::policy::learned::{IMAGENET, Pairs, V0};

/// What the text of a policy says.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::augment::policy) struct Config {
    pub(in crate::augment::policy) plan: Plan,
    pub(in crate::augment::policy) levels: Levels,
}

/// How chains are drawn.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::augment::policy) enum Plan {
    /// Ops drawn of a set, at one magnitude.
    Rand {
        kinds: Vec<Kind>,
        /// Of each kind, which is drawn but once; empty: all alike, and drawn any number of times.
        weights: Vec<f64>,
        count: u32,
        p: f64,
        magnitude: f64,
    },
    /// Pairs of ops.
    Pairs(&'static Pairs),
    /// One of three ops.
    Three([(Kind, f64); 3]),
    /// Several chains mixed with the image.
    Mix {
        magnitude: f64,
        width: u32,
        /// 0: drawn.
        depth: u32,
        alpha: f64,
        /// Each chain is blended in after the other.
        blended: bool,
    },
}

impl Config {
    /// Reads a policy as timm spells it. `translate` is the greatest translation, if it is not timm's.
    pub(in crate::augment::policy) fn parse(policy: &str, translate: Option<f64>) -> Result<Self, Refusal> {
        let (name, parts) = policy.split_once('-').map_or((policy, None), |(name, rest)| (name, Some(rest)));
        let mut parts = Parts::read(parts)?;
        let levels = |noise, increasing, posterize| Levels {
            noise,
            most: 10.0,
            increasing,
            posterize,
            translate: translate.unwrap_or(if name == "augmix" { 0.3 } else { 0.45 }),
            filter: None,
        };
        let config = match name {
            "rand" => rand(&mut parts, levels)?,
            "augmix" => {
                // Left out, magnitudes are uniform.
                let noise = parts.number("mstd", 0.0, MOST_NOISE)?.map_or(Noise::Uniform, Noise::Normal);
                let plan = Plan::Mix {
                    magnitude: parts.whole("m", 0, 100)?.unwrap_or(3).into(),
                    width: parts.whole("w", 1, 32)?.unwrap_or(3),
                    depth: parts.whole("d", 0, 32)?.unwrap_or(0),
                    alpha: parts.number("a", 0.01, 1000.0)?.unwrap_or(1.0),
                    blended: parts.whole("b", 0, 1)? == Some(1),
                };
                Config { plan, levels: levels(noise, true, Posterize::Increasing) }
            }
            _ => {
                let (plan, posterize) = match name {
                    "original" => (Plan::Pairs(&IMAGENET), Posterize::Original),
                    "originalr" => (Plan::Pairs(&IMAGENET), Posterize::Increasing),
                    "v0" => (Plan::Pairs(&V0), Posterize::Tpu),
                    "v0r" => (Plan::Pairs(&V0), Posterize::Increasing),
                    "3a" => (Plan::Three(THREE), Posterize::Tpu),
                    _ => return Err(refusal(name, "rand, augmix, original, originalr, v0, v0r or 3a first")),
                };
                let noise = Noise::Normal(parts.number("mstd", 0.0, MOST_NOISE)?.unwrap_or(0.0));
                Config { plan, levels: levels(noise, false, posterize) }
            }
        };
        parts.end(name)?;
        Ok(config)
    }
}

fn rand(parts: &mut Parts<'_>, levels: impl Fn(Noise, bool, Posterize) -> Levels) -> Result<Config, Refusal> {
    let increasing = parts.whole("inc", 0, 1)? == Some(1);
    let noise = match parts.number("mstd", 0.0, MOST_NOISE)? {
        Some(deviation) if deviation > 100.0 => Noise::Uniform,
        deviation => Noise::Normal(deviation.unwrap_or(0.0)),
    };
    let count = parts.whole("n", 0, 32)?.unwrap_or(2);
    // Sets that have a name hold the ops whose effect grows, whatever `inc` is.
    let (kinds, weights, increasing) = match parts.set {
        None => (RAND.map(Kind::Op).to_vec(), vec![], increasing),
        Some("3a") => (vec![Kind::Op(Name::Solarize), Kind::Desaturate, Kind::Op(Name::GaussianBlur)], vec![], true),
        Some("3aw") => (split(&WEIGHTED_THREE).0, split(&WEIGHTED_THREE).1, true),
        Some("weights") => (split(&WEIGHTED).0, split(&WEIGHTED).1, true),
        Some(other) => return Err(refusal(&format!("t{other}"), "tweights, t3a or t3aw")),
    };
    if !weights.is_empty() && count as usize > kinds.len() {
        let expected = format!("at most {}, the ops of the set, each of which is drawn once", kinds.len());
        return Err(refusal(&format!("n{count}"), &expected));
    }
    let plan = Plan::Rand {
        kinds,
        weights,
        count,
        p: parts.number("p", 0.0, 1.0)?.unwrap_or(0.5),
        magnitude: parts.whole("m", 0, 100)?.unwrap_or(10).into(),
    };
    let posterize = if increasing { Posterize::Increasing } else { Posterize::Tpu };
    let mut levels = levels(noise, increasing, posterize);
    if let Some(most) = parts.whole("mmax", 0, 100)?.filter(|most| *most > 0) {
        levels.most = most.into();
    }
    Ok(Config { plan, levels })
}

/// The parts of a policy after the first.
struct Parts<'p> {
    /// Key, value and the whole of each that is not read yet.
    rest: Vec<(&'p str, &'p str, &'p str)>,
    /// Name of the set of ops.
    set: Option<&'p str>,
}

impl<'p> Parts<'p> {
    fn read(text: Option<&'p str>) -> Result<Self, Refusal> {
        let mut parts = Parts { rest: Vec::new(), set: None };
        for part in text.iter().flat_map(|text| text.split('-')) {
            if let Some(set) = part.strip_prefix('t') {
                if parts.set.replace(set).is_some() {
                    return Err(refusal(part, "one set of ops"));
                }
                continue;
            }
            let Some(at) = part.find(|letter: char| letter.is_ascii_digit()) else {
                return Err(refusal(part, "letters and a number, such as m9"));
            };
            let (key, value) = part.split_at(at);
            if parts.rest.iter().any(|(known, ..)| *known == key) {
                return Err(refusal(part, &format!("{key} once")));
            }
            parts.rest.push((key, value, part));
        }
        Ok(parts)
    }

    fn take(&mut self, key: &str) -> Option<(&'p str, &'p str)> {
        let index = self.rest.iter().position(|(known, ..)| *known == key)?;
        let (_, value, part) = self.rest.remove(index);
        Some((value, part))
    }

    fn whole(&mut self, key: &str, least: u32, most: u32) -> Result<Option<u32>, Refusal> {
        let Some((value, part)) = self.take(key) else { return Ok(None) };
        let number = value.parse().ok().filter(|number| (least..=most).contains(number));
        let expected = || refusal(part, &format!("{key} with a whole number from {least} to {most}"));
        number.map(Some).ok_or_else(expected)
    }

    fn number(&mut self, key: &str, least: f64, most: f64) -> Result<Option<f64>, Refusal> {
        let Some((value, part)) = self.take(key) else { return Ok(None) };
        let number = value.parse().ok().filter(|number| (least..=most).contains(number));
        let expected = || refusal(part, &format!("{key} with a number from {least} to {most}"));
        number.map(Some).ok_or_else(expected)
    }

    /// Refuses what nobody has read.
    fn end(&self, name: &str) -> Result<(), Refusal> {
        let expected = match name {
            "rand" => "m, n, p, mstd, mmax, inc or t",
            "augmix" => "m, w, d, a, b or mstd",
            _ => "mstd",
        };
        match (self.rest.first(), self.set) {
            (Some((_, _, part)), _) => Err(refusal(part, &format!("{expected} after {name}"))),
            (None, Some(set)) if name != "rand" => {
                Err(refusal(&format!("t{set}"), &format!("{expected} after {name}")))
            }
            _ => Ok(()),
        }
    }
}

fn refusal(part: &str, expected: &str) -> Refusal {
    let shown: String = part.chars().take(40).collect();
    Refusal::new("policy", format!("a text with the part {shown:?}"), expected)
}

fn split(weighted: &[(Kind, f64)]) -> (Vec<Kind>, Vec<f64>) {
    weighted.iter().copied().unzip()
}

/// Largest deviation of a magnitude that may be written.
const MOST_NOISE: f64 = 1e6;

const RAND: [Name; 15] = [
    Name::AutoContrast,
    Name::Equalize,
    Name::Invert,
    Name::Rotate,
    Name::Posterize,
    Name::Solarize,
    Name::SolarizeAdd,
    Name::Color,
    Name::Contrast,
    Name::Brightness,
    Name::Sharpness,
    Name::ShearX,
    Name::ShearY,
    Name::TranslateX,
    Name::TranslateY,
];

/// What AugMix draws from.
pub(in crate::augment::policy) const MIX: [Name; 13] = [
    Name::AutoContrast,
    Name::Color,
    Name::Contrast,
    Name::Brightness,
    Name::Sharpness,
    Name::Equalize,
    Name::Rotate,
    Name::Posterize,
    Name::Solarize,
    Name::ShearX,
    Name::ShearY,
    Name::TranslateX,
    Name::TranslateY,
];

/// 3-Augment, with magnitudes.
const THREE: [(Kind, f64); 3] = [(Kind::Op(Name::Solarize), 5.0), (Kind::Desaturate, 10.0), (Kind::BlurRand, 10.0)];

const WEIGHTED_THREE: [(Kind, f64); 14] = [
    (Kind::Op(Name::Solarize), 6.0),
    (Kind::Desaturate, 6.0),
    (Kind::Op(Name::GaussianBlur), 6.0),
    (Kind::Op(Name::Rotate), 3.0),
    (Kind::Op(Name::ShearX), 2.0),
    (Kind::Op(Name::ShearY), 2.0),
    (Kind::Op(Name::Posterize), 1.0),
    (Kind::Op(Name::AutoContrast), 1.0),
    (Kind::Op(Name::Color), 1.0),
    (Kind::Op(Name::Sharpness), 1.0),
    (Kind::Op(Name::Contrast), 1.0),
    (Kind::Op(Name::Brightness), 1.0),
    (Kind::Op(Name::Equalize), 1.0),
    (Kind::Op(Name::Invert), 1.0),
];

const WEIGHTED: [(Kind, f64); 15] = [
    (Kind::Op(Name::Rotate), 3.0),
    (Kind::Op(Name::ShearX), 2.0),
    (Kind::Op(Name::ShearY), 2.0),
    (Kind::Op(Name::TranslateX), 1.0),
    (Kind::Op(Name::TranslateY), 1.0),
    (Kind::Op(Name::Color), 0.25),
    (Kind::Op(Name::Sharpness), 0.25),
    (Kind::Op(Name::AutoContrast), 0.25),
    (Kind::Op(Name::Solarize), 0.05),
    (Kind::Op(Name::SolarizeAdd), 0.05),
    (Kind::Op(Name::Contrast), 0.05),
    (Kind::Op(Name::Brightness), 0.05),
    (Kind::Op(Name::Equalize), 0.05),
    (Kind::Op(Name::Posterize), 0.05),
    (Kind::Op(Name::Invert), 0.05),
];
