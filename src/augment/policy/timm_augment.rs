use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::chain::{Filter, Kernels, Step};
use super::mix::{self, Mix};
use super::pillow::Pillow;
use super::timm::{Config, Kind, Levels, MIX, Plan};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// A policy of timm's.
struct TimmAugment {
    kernels: Kernels,
    config: Config,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Applies a policy as timm 1.0 spells it, with Pillow's functions on 8 bits as timm calls them: `rand_augment_transform`,
`augment_and_mix_transform` and `auto_augment_transform`. Exact.

Where a policy keeps 0 bits the image is black, as with Pillow before 13, which refuses that.

`rand-m15` is `rand-m10` without an `mmax`, as in timm; a part that timm passes over (such as `inc` without a number) is refused. Boxes,
masks and keypoints move with the image, masks by the nearest pixel; with `augmix` they stay where they are in the original, and
nothing can be said of where things are in the mix.",
    targets: Targets::All,
    example: "timm_augment = { policy = \"rand-m9-mstd0.5-inc1\" }",
};

pub(in crate::augment) fn from_message(message: &v1::TimmAugment, input: Form) -> Result<Built, Refusal> {
    let mut config = Config::parse(&message.policy, message.translate_pct)?;
    config.levels.filter = match message.filter() {
        v1::Filter::Unspecified => None,
        v1::Filter::Bilinear => Some(Filter::Bilinear),
        v1::Filter::Bicubic => Some(Filter::Bicubic),
        other => {
            let found = other.as_str_name().trim_start_matches("FILTER_").to_lowercase();
            return Err(Refusal::new("filter", found, "bilinear, bicubic, or nothing for either"));
        }
    };
    let kernels = Kernels::Pillow(Pillow::new(&message.fill, message.fill_mask, input)?);
    Built::maybe(TimmAugment { kernels, config }, message.p, input, input)
}

/// What is drawn.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Drawn {
    /// Which of the learned policies, from 0: for the reader of a record, since the chain says all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy: Option<u64>,
    /// What is applied in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    chain: Vec<Step>,
    /// What is mixed with the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mix: Option<Mixed>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Mixed {
    /// Part of the mix that is not the image as it is.
    blend: f64,
    /// Of each chain; their sum is 1.
    weights: Vec<f64>,
    chains: Vec<Vec<Step>>,
}

impl Op for TimmAugment {
    type Params = Drawn;
    const NAME: &'static str = "timm_augment";

    fn draw(&self, rng: &mut Rng, sample: &Sample<'_>) -> Drawn {
        let (levels, size) = (&self.config.levels, sample.image.size());
        let mut drawn = Drawn { policy: None, chain: Vec::new(), mix: None };
        match &self.config.plan {
            Plan::Rand { kinds, weights, count, p, magnitude } => {
                let chosen = if weights.is_empty() {
                    (0..*count).map(|_| kinds[rng.below(kinds.len() as u64) as usize]).collect()
                } else {
                    without_repetition(kinds, weights, *count, rng)
                };
                let step = |kind| levels.draw(kind, (*p, *magnitude), size, rng);
                drawn.chain = chosen.into_iter().filter_map(step).collect();
            }
            Plan::Pairs(pairs) => {
                let pair = rng.below(pairs.len() as u64);
                drawn.policy = Some(pair);
                let step =
                    |(op, p, level): &(_, f64, u32)| levels.draw(Kind::Op(*op), (*p, (*level).into()), size, rng);
                drawn.chain = pairs[pair as usize].iter().filter_map(step).collect();
            }
            Plan::Three(policies) => {
                let policy = rng.below(policies.len() as u64);
                drawn.policy = Some(policy);
                let (kind, level) = policies[policy as usize];
                drawn.chain = levels.draw(kind, (1.0, level), size, rng).into_iter().collect();
            }
            Plan::Mix { magnitude, width, depth, alpha, .. } => {
                let weights = rng.dirichlet(*alpha, *width as usize);
                let blend = rng.beta(*alpha);
                let chains = (0..*width).map(|_| chain(levels, (*magnitude, *depth), size, rng)).collect();
                drawn.mix = Some(Mixed { blend, weights, chains });
            }
        }
        drawn
    }

    fn apply<'a>(&self, drawn: &Drawn, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let image = self.kernels.apply(&drawn.chain, image, scratch);
        match &drawn.mix {
            Some(mixed) => self.mixed(mixed, image, scratch),
            None => image,
        }
    }

    fn geometry(&self, drawn: &Drawn, size: Size) -> Option<Geometry> {
        self.kernels.geometry(&drawn.chain, size)
    }

    fn annotate(&self, drawn: &Drawn, sample: &mut Sample<'_>) {
        self.kernels.annotate(&drawn.chain, sample);
    }
}

impl TimmAugment {
    fn mixed<'a>(&self, mixed: &Mixed, mut image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let blended = matches!(self.config.plan, Plan::Mix { blended: true, .. });
        let weights: Vec<f64> = if blended { in_turn(mixed) } else { mixed.weights.clone() };
        let original = mix::copy(&image, scratch);
        let mut sum: Option<Mix> = None;
        for (chain, weight) in mixed.chains.iter().zip(weights) {
            let copy = mix::copy(&original, scratch);
            let made = self.kernels.apply(chain, copy, scratch);
            if blended {
                mix::blend(&mut image, &made, weight);
            } else if let Some(sum) = &mut sum {
                sum.add(&made, weight);
            } else {
                sum = Some(Mix::new(&made, weight, scratch));
            }
            scratch.recycle(made);
        }
        let mut other = original;
        if let Some(sum) = sum {
            sum.write(&mut other, scratch);
            mix::blend(&mut image, &other, mixed.blend);
        }
        scratch.recycle(other);
        image
    }
}

/// A chain of AugMix; a depth of 0 is drawn.
fn chain(levels: &Levels, (magnitude, depth): (f64, u32), size: Size, rng: &mut Rng) -> Vec<Step> {
    let depth = if depth == 0 { 1 + rng.below(3) as u32 } else { depth };
    let step = |_| {
        let op = MIX[rng.below(MIX.len() as u64) as usize];
        levels.draw(Kind::Op(op), (1.0, magnitude), size, rng)
    };
    (0..depth).filter_map(step).collect()
}

/// `count` of `kinds`, by weight, none of them twice.
fn without_repetition(kinds: &[Kind], weights: &[f64], count: u32, rng: &mut Rng) -> Vec<Kind> {
    let mut left: Vec<(Kind, f64)> = kinds.iter().copied().zip(weights.iter().copied()).collect();
    let mut chosen = Vec::new();
    while !left.is_empty() && chosen.len() < count as usize {
        let mut drawn = rng.unit() * left.iter().map(|(_, weight)| weight).sum::<f64>();
        let passed = |(_, weight): &(Kind, f64)| {
            drawn -= weight;
            drawn < 0.0
        };
        let at = left.iter().position(passed).unwrap_or(left.len() - 1);
        chosen.push(left.remove(at).0);
    }
    chosen
}

/// Weights by which chains are blended in one after the other, so that each has its part in the end; in 32-bit floats.
fn in_turn(mixed: &Mixed) -> Vec<f64> {
    let mut rest = 1.0_f32;
    let mut weights: Vec<f64> = Vec::with_capacity(mixed.weights.len());
    for weight in mixed.weights.iter().rev() {
        let part = *weight as f32 * mixed.blend as f32 / rest;
        rest *= 1.0 - part;
        weights.push(part.into());
    }
    weights.reverse();
    weights
}
