use std::ops::Range;

use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::reference::References;
use super::stretch::Stretch;
use super::waves::{Band, Waves};
use super::{full_scale, range, within};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::augment::resources::Resources;
use crate::image::{Form, Image, Pixels, Size};
use crate::sample::Sample;
use crate::seed::Rng;

/// Gives the low frequencies the amplitudes of those of a reference.
struct Fda {
    references: References<Amplitudes>,
    beta_limit: [f64; 2],
    full: f32,
}

#[derive(Serialize, Deserialize)]
struct Drawn {
    /// Place in the list of references.
    reference: usize,
    /// Half of the side of the square of frequencies, as a fraction of the shorter side.
    beta: f64,
}

/// Amplitudes of the low frequencies of a reference, per channel, in the order of [`Waves`].
#[derive(Clone)]
struct Amplitudes {
    band: Band,
    values: Vec<[f32; 3]>,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Gives the low frequencies of the image the amplitudes of a reference, a sample of the split, and keeps their phases, after which
colours and light are the reference's and edges the image's own: `albumentations.FDA`, its off-centre square of frequencies included.
8 bits are rounded to nearest, where it cuts the fraction off: within 1. Floats within 2e-5 of the full scale, since it computes in 32
bits. For images of one channel references are made gray as OpenCV does.",
    targets: Targets::Image,
    example: "fda = { references = [34, 52], beta_limit = [0.02, 0.1], p = 1.0 }",
};

pub(in crate::augment) fn from_message(
    message: &v1::Fda,
    input: Form,
    resources: &dyn Resources,
) -> Result<Built, Refusal> {
    let (beta_limit, full) = (range("beta_limit", &message.beta_limit)?, full_scale(input)?);
    let most = beta_limit[1];
    let bytes =
        Square::new(input.largest, most).map_or(0, |square| (square.band().len() * size_of::<[f32; 3]>()) as u64);
    let amplitudes = move |image: &Image<'_>| Amplitudes::of(image, most);
    let references = References::new(&message.references, Stretch::Linear, (input, resources), bytes, amplitudes)?;
    Built::maybe(Fda { references, beta_limit, full }, message.p, input, input)
}

impl Op for Fda {
    type Params = Drawn;
    const NAME: &'static str = "fda";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> Drawn {
        let reference = self.references.draw(rng);
        Drawn { reference, beta: rng.uniform(self.beta_limit) }
    }

    fn apply<'a>(&self, drawn: &Drawn, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let (size, channels) = (image.size(), image.channels());
        // The amplitudes of the references reach as far as the largest beta.
        let Some(square) = Square::new(size, within(drawn.beta, 0.0, self.beta_limit[1])) else { return image };
        let amplitudes = self.references.at(drawn.reference, size, scratch);
        let band = square.band();
        let mut waves = match image.pixels() {
            Pixels::U8(values) => Waves::of(values, size, channels, band),
            Pixels::F32(values) => Waves::of(values, size, channels, band),
        };
        square.change(&mut waves, &amplitudes, f64::from(self.full) / 255.0);
        match image.into_pixels() {
            Pixels::U8(mut bytes) => {
                let mut values = scratch.floats(bytes.len());
                values.iter_mut().zip(&*bytes).for_each(|(value, x)| *value = f32::from(*x));
                waves.add_to(&mut values, size, channels);
                let rounded = |x: f32| x.round_ties_even().clamp(0.0, 255.0) as u8;
                bytes.to_mut().iter_mut().zip(&values).for_each(|(x, value)| *x = rounded(*value));
                scratch.recycle(Image::from_f32(size, channels, values));
                Image::from_u8(size, channels, bytes)
            }
            Pixels::F32(mut values) => {
                waves.add_to(&mut values, size, channels);
                // NaN becomes 0.
                let limited = |x: f32| if x > 0.0 { x.min(self.full) } else { 0.0 };
                values.iter_mut().for_each(|x| *x = limited(*x));
                Image::from_f32(size, channels, values)
            }
        }
    }
}

/// The frequencies that are changed. albumentations lays the square around the middle of the pixels, half a pixel before the lowest
/// frequency: so it reaches further down than up, and a border of one pixel does not hold the mean.
struct Square {
    size: Size,
    rows: Range<i64>,
    columns: Range<i64>,
}

impl Square {
    /// None if it is empty.
    fn new(size: Size, beta: f64) -> Option<Square> {
        let border = (f64::from(size.width.min(size.height)) * beta).floor();
        let side = |side: u32| {
            let middle = f64::from(side) / 2.0 - 0.5;
            let (first, end) = ((middle - border).max(0.0) as i64, ((middle + border) as i64).min(i64::from(side)));
            first - i64::from(side / 2)..end - i64::from(side / 2)
        };
        let square = Square { size, rows: side(size.height), columns: side(size.width) };
        (!square.rows.is_empty() && !square.columns.is_empty()).then_some(square)
    }

    /// The frequencies of the square and their opposites.
    fn band(&self) -> Band {
        let most = |range: &Range<i64>| range.start.abs().max((range.end - 1).abs()) as usize;
        Band { rows: most(&self.rows), columns: most(&self.columns) }
    }

    /// Makes of the coefficients of an image what has to be added to them. The result of albumentations is the real part of an
    /// image whose coefficients are no conjugates of each other, where the square holds only one of two opposites: half of the
    /// change of each.
    fn change(&self, waves: &mut Waves, amplitudes: &Amplitudes, scale: f64) {
        let band = waves.band;
        let (height, width) = (i64::from(self.size.height), i64::from(self.size.width));
        let holds = |row: i64, column: i64| {
            // The same frequency, counted from the middle of the spectrum.
            let centred = |k: i64, side: i64| (k + side / 2).rem_euclid(side) - side / 2;
            self.rows.contains(&centred(row, height)) && self.columns.contains(&centred(column, width))
        };
        for (at, wave) in waves.values.iter_mut().enumerate() {
            let (row, column) = (at / band.width(), at % band.width());
            let (row, column) = (row as i64, column as i64 - band.columns as i64);
            // Half of the width is its own opposite: counted once.
            let twice = 2 * column == width;
            let share = f64::from(u8::from(holds(row, column)) + u8::from(holds(-row, -column))) / 2.0;
            let share = if twice { 0.0 } else { share };
            let target = amplitudes.at(row, column);
            for channel in 0..3 {
                let (real, imaginary) = (wave[channel], wave[channel + 4]);
                let own = (real * real + imaginary * imaginary).sqrt();
                let wanted = f64::from(target[channel]) * scale;
                let (real, imaginary) = if own > 0.0 {
                    let grown = (wanted / own - 1.0) * share;
                    (real * grown, imaginary * grown)
                } else {
                    (wanted * share, 0.0)
                };
                (wave[channel], wave[channel + 4]) = (real, imaginary);
            }
        }
    }
}

impl Amplitudes {
    /// Of an image of 8 bits, as far as `beta` reaches.
    fn of(image: &Image<'_>, beta: f64) -> Amplitudes {
        let nothing = Amplitudes { band: Band { rows: 0, columns: 0 }, values: Vec::new() };
        let (Some(values), Some(square)) = (image.as_u8(), Square::new(image.size(), beta)) else { return nothing };
        let waves = Waves::of(values, image.size(), image.channels(), square.band());
        let amplitude = |wave: &[f64; 8], channel: usize| {
            let (real, imaginary) = (wave[channel], wave[channel + 4]);
            (real * real + imaginary * imaginary).sqrt() as f32
        };
        let values = waves.values.iter().map(|wave| std::array::from_fn(|channel| amplitude(wave, channel))).collect();
        Amplitudes { band: waves.band, values }
    }

    /// Of a frequency of the band of a smaller beta.
    fn at(&self, row: i64, column: i64) -> [f32; 3] {
        let (row, column) = (row as usize, (column + self.band.columns as i64) as usize);
        self.values.get(row * self.band.width() + column).copied().unwrap_or_default()
    }
}
