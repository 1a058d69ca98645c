use std::ops::Range;

use super::copy_paste::Objects;
use super::mosaic::Mosaic;
use crate::image::{Size, Window};
use crate::seed::{Key, Purpose, Rng};

/// Raised whenever mixing would give other bytes; part of the fingerprint of every spec that mixes.
pub const VERSION: u32 = 1;

/// How rows of a global batch are mixed with one another.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixing {
    /// One kind, or one of two each time.
    pub how: How,
    /// What shares one draw.
    pub per: DrawPer,
    /// Consecutive rows of the global batch that may be partners.
    pub group: u32,
    /// Share of a label's weight that all classes divide among them.
    pub smoothing: f64,
    /// First epoch in which rows stay as they are.
    pub off_from_epoch: Option<u32>,
}

/// Which mixing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum How {
    /// Always this one.
    One(Kind),
    /// The first with this probability, else the second.
    Either(f64, Kind, Kind),
}

/// One way of mixing, and how often.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kind {
    /// Which way, and how much of it.
    pub kind: MixKind,
    /// Probability that a row, or batch, is mixed.
    pub p: f64,
}

/// The ways of mixing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MixKind {
    /// A box of the partner is pasted into the row.
    CutMix {
        /// The weight of the row is drawn from Beta(alpha, alpha).
        alpha: f64,
    },
    /// Row and partner are blended.
    MixUp {
        /// The weight of the row is drawn from Beta(alpha, alpha).
        alpha: f64,
    },
    /// Four rows are put together around a centre.
    Mosaic {
        /// Where the centre may be, as shares of width and height.
        centre_range: [f64; 2],
    },
    /// Objects of the partner are pasted into the row.
    CopyPaste(Objects),
}

impl MixKind {
    /// How many other rows one row is mixed with.
    fn partners(self) -> usize {
        if matches!(self, MixKind::Mosaic { .. }) { 3 } else { 1 }
    }
}

/// What shares one draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawPer {
    /// Nothing: every row has its own weight, box and partner.
    Row,
    /// The whole global batch; a row's partner is the row before it in its group, the first one's is the last. Of several partners
    /// each is the row before the other.
    Batch,
}

/// What was drawn for one row; pixels and label follow the same draw.
#[derive(Clone, Debug, PartialEq)]
pub struct Mix {
    /// The other rows, of the global batch. A row comes twice only where its group is too small for as many.
    pub partners: Vec<u32>,
    /// How the pixels are mixed.
    pub how: Mixed,
    /// What the row itself and then each partner have of the label, in parts of `whole`. For CutMix and mosaics by the pixels.
    pub shares: Vec<f64>,
    /// The sum of the shares.
    pub whole: f64,
}

/// How the pixels of a row are mixed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mixed {
    /// This window is the partner's.
    CutMix(Window),
    /// This weight of the row, the rest of the partner.
    MixUp(f64),
    /// Four rows around a centre: the row itself and its partners in the order of the quadrants.
    Mosaic(Mosaic),
    /// Objects of the partner, drawn with this key when it is known which it has.
    CopyPaste(Objects, Key),
}

impl Mixing {
    /// What is drawn for row `row` of a global batch whose rows stand at `positions` of the epoch. None if it stays as it is.
    pub fn draw(
        &self,
        seed: u64,
        (epoch, step): (u32, u64),
        positions: &Range<u64>,
        row: u32,
        size: Size,
    ) -> Option<Mix> {
        if self.off_from_epoch.is_some_and(|off| epoch >= off) {
            return None;
        }
        let rows = (positions.end - positions.start) as u32;
        let start = row / self.group * self.group;
        let members = start..(start + self.group).min(rows);
        let others = members.len() as u64 - 1;
        let key = Key { seed, epoch, position: step, view: 0, op: 0, purpose: Purpose::MixBatch };
        let of_row = |purpose| Key { position: positions.start + u64::from(row), purpose, ..key };
        let mut rng = match self.per {
            DrawPer::Batch => key.rng(),
            DrawPer::Row => of_row(Purpose::MixRow).rng(),
        };
        let Kind { kind, p } = match self.how {
            How::One(kind) => kind,
            How::Either(first, one, other) => {
                if rng.chance(first) {
                    one
                } else {
                    other
                }
            }
        };
        if others == 0 || !rng.chance(p) {
            return None;
        }
        let weight = match kind {
            MixKind::CutMix { alpha } | MixKind::MixUp { alpha } => rng.beta(alpha),
            MixKind::Mosaic { .. } | MixKind::CopyPaste(_) => 1.0,
        };
        let partners = match self.per {
            DrawPer::Batch => before(&members, row, kind.partners()),
            DrawPer::Row => drawn(&mut rng, &members, row, kind.partners()),
        };
        let pair = |partners, how, weight| Mix { partners, how, shares: vec![weight, 1.0 - weight], whole: 1.0 };
        Some(match kind {
            MixKind::MixUp { .. } => pair(partners, Mixed::MixUp(weight), weight),
            MixKind::CutMix { .. } => {
                let window = cut_window(&mut rng, weight, size);
                let left = 1.0 - window.size.area() as f64 / size.area() as f64;
                pair(partners, Mixed::CutMix(window), left)
            }
            MixKind::Mosaic { centre_range } => {
                let mosaic = Mosaic::draw(&mut rng, centre_range, size);
                let shares = mosaic.quadrants(size).map(|quadrant| quadrant.window.size.area() as f64).to_vec();
                Mix { partners, how: Mixed::Mosaic(mosaic), shares, whole: size.area() as f64 }
            }
            MixKind::CopyPaste(objects) => {
                pair(partners, Mixed::CopyPaste(objects, of_row(Purpose::MixObjects)), weight)
            }
        })
    }

    /// Writes the class weights of one row: to every label its share of `whole`, equal labels together; smoothed. Labels are
    /// indices into `out`.
    pub fn soft_label(&self, shares: &[(i64, f64)], whole: f64, out: &mut [f32]) {
        soft_label(shares, whole, out);
        if self.smoothing > 0.0 {
            let (own, all) = ((1.0 - self.smoothing) as f32, (self.smoothing / out.len() as f64) as f32);
            out.iter_mut().for_each(|weight| *weight = *weight * own + all);
        }
    }

    /// Whether MixUp may happen.
    pub fn blends(&self) -> bool {
        self.may(|kind| matches!(kind, MixKind::MixUp { .. }))
    }

    /// Whether objects are pasted. Labels are then left alone.
    pub fn pastes_objects(&self) -> bool {
        self.may(|kind| matches!(kind, MixKind::CopyPaste(_)))
    }

    /// Of how many rows a mixed row can have all boxes and keypoints, itself counted.
    pub fn most_rows(&self) -> usize {
        if self.may(|kind| kind.partners() == 3) { 4 } else { 2 }
    }

    fn may(&self, is: impl Fn(MixKind) -> bool) -> bool {
        match self.how {
            How::One(kind) => is(kind.kind),
            How::Either(_, one, other) => is(one.kind) || is(other.kind),
        }
    }
}

/// The rows before `row` in its group, in which the first one comes after the last; from the nearest on again where there are
/// fewer than `count` others.
fn before(members: &Range<u32>, row: u32, count: usize) -> Vec<u32> {
    let length = members.end - members.start;
    let back = (1..length).cycle().take(count);
    back.map(|back| members.start + (row - members.start + length - back) % length).collect()
}

/// `count` other rows of the group of `row`: no row twice, as long as there are others.
fn drawn(rng: &mut Rng, members: &Range<u32>, row: u32, count: usize) -> Vec<u32> {
    // In order, so that the drawn number of a row that is left finds it by stepping over those that are taken.
    let mut taken = vec![row];
    let one = |_| {
        if taken.len() >= members.len() {
            taken = vec![row];
        }
        let mut other = members.start + rng.below((members.len() - taken.len()) as u64) as u32;
        for taken in &taken {
            other += u32::from(other >= *taken);
        }
        let place = taken.partition_point(|row| *row < other);
        taken.insert(place, other);
        other
    };
    (0..count).map(one).collect()
}

/// The box of CutMix as torchvision draws it: centre uniform over the pixels, half sides `0.5 sqrt(1 - weight)` of the image's,
/// cut off to whole pixels, and cut at the edges.
fn cut_window(rng: &mut Rng, weight: f64, size: Size) -> Window {
    let half = 0.5 * (1.0 - weight).sqrt();
    let mut span = |side: u32| {
        let centre = rng.below(u64::from(side)) as u32;
        let reach = (half * f64::from(side)) as u32;
        (centre.saturating_sub(reach), (centre + reach).min(side))
    };
    let ((x1, x2), (y1, y2)) = (span(size.width), span(size.height));
    Window { x: x1, y: y1, size: Size::new(x2 - x1, y2 - y1) }
}

/// Class weights of one row, not smoothed.
fn soft_label(shares: &[(i64, f64)], whole: f64, out: &mut [f32]) {
    out.fill(0.0);
    for (label, _) in shares {
        if let Some(out) = usize::try_from(*label).ok().and_then(|label| out.get_mut(label)) {
            // Shares of pixels are whole numbers, so that their sum is exact whatever the order.
            let sum: f64 = shares.iter().filter(|(other, _)| other == label).map(|(_, share)| share).sum();
            *out = (sum / whole) as f32;
        }
    }
}

#[cfg(test)]
mod tests;
