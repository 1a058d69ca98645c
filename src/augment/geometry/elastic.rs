use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::curved;
use super::motion::Method;
use super::noise_field::{Smoothing, noise};
use super::warp::{Backward, Filter, Grid, Warping};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size};
use crate::sample::{Field, Geometry, Sample};
use crate::seed::Rng;

/// Moves every pixel by a smooth random field.
struct Elastic {
    method: Method,
    alpha: f32,
    smoothing: Smoothing,
    gaussian: bool,
    same: bool,
    warping: Warping,
}

/// Where the noise comes from.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Noise {
    /// Seed of the field, below 2^53.
    seed: u64,
    /// Instead of it: what is added to the column of each pixel's source, in pixels; for torchvision in halves of the width.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dx: Option<Vec<f32>>,
    /// The same for rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dy: Option<Vec<f32>>,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Moves every pixel by a random field: noise, smoothed.

| method | equals, for a given field | 8 bits | floats |
|---|---|---|---|
| albumentations | `albumentations.ElasticTransform`, OpenCV 4.11's `remap` | 0 | 1e-6 |
| torchvision | `ElasticTransform` | 1 | 1e-3 |

Fields have the distribution of the libraries'; albumentations smooths both as one picture, so that they have a part in each other
where they touch, ours do not. A recorded field may be given instead of its seed. Boxes are hulls of points along
their edges, keypoints go where their pixels go; albumentations finds both by drawing and warping masks, to whole pixels.",
    targets: Targets::All,
    example: "elastic = { alpha = 300, sigma = 10, p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::Elastic, input: Form) -> Result<Built, Refusal> {
    let method = Method::new(message.method)?;
    let torch = method == Method::Torchvision;
    let filter = (message.filter, Filter::Bilinear);
    let warping = Warping::new(filter, message.border, &message.fill, message.fill_mask, input)?;
    let warping = if torch { warping.for_torch()? } else { warping };
    let gaussian = match v1::FieldNoise::try_from(message.noise) {
        Ok(v1::FieldNoise::Gaussian | v1::FieldNoise::Unspecified) => !torch,
        Ok(v1::FieldNoise::Uniform) => false,
        Err(_) => return Err(Refusal::new("noise", message.noise, "gaussian or uniform")),
    };
    if torch && message.same_dxdy {
        return Err(Refusal::new("same_dxdy", true, "false beside method torchvision"));
    }
    let sigma = message.sigma.unwrap_or(if torch { 5.0 } else { 50.0 });
    let alpha = message.alpha.unwrap_or(if torch { 50.0 } else { 1.0 }) as f32;
    let smoothing = Smoothing::new(sigma, torch);
    let op = Elastic { method, alpha, smoothing, gaussian, same: message.same_dxdy, warping };
    Built::maybe(op, message.p, input, input)
}

impl Elastic {
    /// What is added to columns and rows.
    fn displacement(&self, params: &Noise, size: Size) -> [Vec<f32>; 2] {
        let area = size.area();
        if let (Some(dx), Some(dy)) = (&params.dx, &params.dy)
            && [dx, dy].iter().all(|field| field.len() as u64 == area)
        {
            return [dx.clone(), dy.clone()];
        }
        let mut fields = noise(params.seed, size, self.gaussian, if self.same { 1 } else { 2 });
        for field in &mut fields {
            self.smoothing.smooth(field, size);
        }
        let (columns, rows) = match self.method {
            Method::Albumentations => (self.alpha, self.alpha),
            Method::Torchvision => (self.alpha / size.width as f32, self.alpha / size.height as f32),
        };
        let mut dy = if self.same { fields[0].clone() } else { fields.pop().unwrap_or_default() };
        let mut dx = fields.pop().unwrap_or_default();
        dx.iter_mut().for_each(|x| *x *= columns);
        dy.iter_mut().for_each(|y| *y *= rows);
        [dx, dy]
    }

    /// The sources of all pixels, in pixels.
    fn field(&self, [mut dx, mut dy]: [Vec<f32>; 2], size: Size) -> Field {
        let [half_x, half_y] = match self.method {
            Method::Albumentations => [1.0; 2],
            Method::Torchvision => [size.width, size.height].map(|side| side as f32 / 2.0),
        };
        let width = size.width as usize;
        for (row, (dx, dy)) in dx.chunks_exact_mut(width).zip(dy.chunks_exact_mut(width)).enumerate() {
            dx.iter_mut().zip(0_u32..).for_each(|(x, column)| *x = column as f32 + *x * half_x);
            dy.iter_mut().for_each(|y| *y = row as f32 + *y * half_y);
        }
        Field::new(size, dx, dy)
    }
}

impl Op for Elastic {
    type Params = Noise;
    const NAME: &'static str = "elastic";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> Noise {
        Noise { seed: rng.bits() >> 11, dx: None, dy: None }
    }

    fn apply<'a>(&self, params: &Noise, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let size = image.size();
        let displacement = self.displacement(params, size);
        match self.method {
            Method::Albumentations => {
                let field = self.field(displacement, size);
                self.warping.apply(image, &Backward::Field(&field), size, scratch)
            }
            Method::Torchvision => {
                let [dx, dy] = &displacement;
                self.warping.apply_torch(image, &Grid::Displacement(dx, dy), scratch)
            }
        }
    }

    fn geometry(&self, params: &Noise, size: Size) -> Option<Geometry> {
        Some(curved::geometry(self.field(self.displacement(params, size), size), size))
    }

    fn annotate(&self, params: &Noise, sample: &mut Sample<'_>) {
        if !curved::is_marked(sample) {
            return;
        }
        let size = sample.image.size();
        let displacement = self.displacement(params, size);
        if self.method == Method::Albumentations {
            return curved::annotate(self.field(displacement, size), &self.warping, sample);
        }
        self.warping.mask_torch(sample, &Grid::Displacement(&displacement[0], &displacement[1]));
        curved::geometry(self.field(displacement, size), size).move_marks(sample);
    }
}
