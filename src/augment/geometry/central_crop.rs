use feedline_proto::v1;

use super::crop;
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size, Window};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// Cuts out the middle by a fraction of each side.
struct CentralCrop {
    fraction: [f64; 2],
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Cuts out the middle by a fraction of each side: `tf.image.central_crop`. Exact; where that would leave nothing, one pixel or
two remain.",
    targets: Targets::All,
    example: "central_crop = { fraction = [0.5, 0.9] }",
};

pub(in crate::augment) fn from_message(message: &v1::CentralCrop, input: Form) -> Result<Built, Refusal> {
    let fraction = super::range("fraction", &message.fraction)?;
    let [low, high] = fraction;
    let (small, large) = (input.smallest, input.largest);
    let (width, height) = (sides([small.width, large.width], fraction), sides([small.height, large.height], fraction));
    if !(low > 0.0 && high <= 1.0) {
        return Err(Refusal::new("fraction", format!("{fraction:?}"), "numbers above 0 to 1"));
    }
    let output = Form { smallest: Size::new(width[0], height[0]), largest: Size::new(width[1], height[1]), ..input };
    Built::always(CentralCrop { fraction }, output)
}

/// First pixel and number of pixels of the middle of a side.
fn middle(side: u32, fraction: f64) -> (u32, u32) {
    let side_f64 = f64::from(side);
    let start = ((side_f64 - side_f64 * fraction) / 2.0) as u32;
    let start = start.min((side - 1) / 2);
    (start, side - 2 * start)
}

/// Bounds of the middle for sides and fractions between two.
fn sides([short, long]: [u32; 2], [low, high]: [f64; 2]) -> [u32; 2] {
    if short == long {
        // A larger fraction never leaves less of the same side.
        return [middle(short, low).1, middle(long, high).1];
    }
    // A longer side may leave less, since both margins are rounded down; but less than two pixels of that.
    let least = (f64::from(short) * low).floor().max(1.0) as u32;
    let most = (f64::from(long) * high).floor() + 2.0;
    [least, (most as u32).min(long)]
}

impl CentralCrop {
    fn window(fraction: f64, size: Size) -> Window {
        let fraction = fraction.clamp(0.0, 1.0);
        let ((x, width), (y, height)) = (middle(size.width, fraction), middle(size.height, fraction));
        Window { x, y, size: Size::new(width, height) }
    }
}

impl Op for CentralCrop {
    /// The fraction.
    type Params = f64;
    const NAME: &'static str = "central_crop";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> f64 {
        rng.uniform(self.fraction)
    }

    fn apply<'a>(&self, fraction: &f64, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let window = CentralCrop::window(*fraction, image.size());
        crop::cut(image, window, scratch)
    }

    fn geometry(&self, fraction: &f64, size: Size) -> Option<Geometry> {
        let window = CentralCrop::window(*fraction, size);
        Some(Geometry::crop(window.x.into(), window.y.into(), window.size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_are_those_of_tensorflow() {
        assert_eq!([middle(5, 0.5), middle(7, 0.5), middle(8, 0.5)], [(1, 3), (1, 5), (2, 4)]);
        assert_eq!([middle(9, 1.0), middle(1, 0.01), middle(2, 1e-300)], [(0, 9), (0, 1), (0, 2)]);
    }

    #[test]
    fn announced_sides_hold_every_side() {
        for fraction in [1e-18, 0.001, 0.04, 0.1, 1.0 / 3.0, 0.5, 0.7, 0.875, 0.999, 1.0] {
            for short in 1..60 {
                for long in short..60 {
                    let [least, most] = sides([short, long], [fraction, fraction]);
                    let all = (short..=long).map(|side| middle(side, fraction).1);
                    assert!(all.clone().all(|side| (least..=most).contains(&side)), "{short} to {long} by {fraction}");
                    assert!(short < long || all.clone().all(|side| side == least && side == most));
                }
            }
        }
    }
}
