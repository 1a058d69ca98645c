use feedline_proto::v1::Normalization;

use super::SheetError;
use crate::image::Size;
use crate::tensor::Layout;

/// One image of a float tensor as RGB values (HWC) to look at: undoes `normalization` (standard deviation, mean, then scale), rounds
/// to the nearest and clamps to 0…255; what is not a number becomes 0. `values` are one row of the tensor in `layout` (unspecified:
/// NCHW); one value for each pixel is gray.
///
/// # Errors
/// [`SheetError::Values`], if there is neither one value for each pixel nor three; [`SheetError::Normalization`], if mean or
/// standard deviation are not as many as the channels, or the scale is not a positive number.
pub fn denormalize(
    values: &[f32],
    size: Size,
    layout: Layout,
    normalization: &Normalization,
) -> Result<Vec<u8>, SheetError> {
    let count = values.len() as u64;
    let channels = match size.area() {
        0 => return Err(SheetError::Values { size, found: values.len() }),
        area if count == area => 1,
        area if Some(count) == area.checked_mul(3) => 3,
        _ => return Err(SheetError::Values { size, found: values.len() }),
    };
    let undo = Undo::new(normalization, channels)?;
    let area = values.len() / channels;
    // Distance between the channels of a pixel, and between pixels.
    let (channel_step, pixel_step) = match layout {
        Layout::Nhwc => (1, channels),
        Layout::Nchw | Layout::Unspecified => (area, 1),
    };
    let mut rgb = Vec::with_capacity(area * 3);
    for pixel in 0..area {
        let value = |channel| undo.value(values[pixel * pixel_step + channel * channel_step], channel);
        rgb.extend(match channels {
            1 => [value(0); 3],
            _ => [value(0), value(1), value(2)],
        });
    }
    Ok(rgb)
}

/// The way back from floats.
struct Undo {
    scale: f64,
    mean: [f64; 3],
    std: [f64; 3],
}

impl Undo {
    fn new(normalization: &Normalization, channels: usize) -> Result<Self, SheetError> {
        let scale = normalization.scale;
        if !(scale.is_finite() && scale > 0.0) {
            return Err(SheetError::Normalization {
                what: format!("a scale of {scale}"),
                expected: "a number above 0",
            });
        }
        let per_channel = |name: &str, given: &[f64], otherwise: f64| {
            let mut all = [otherwise; 3];
            if !given.is_empty() {
                if given.len() != channels {
                    let what = format!("{} values of {name} for {channels} channels", given.len());
                    return Err(SheetError::Normalization { what, expected: "one for each" });
                }
                all[..channels].copy_from_slice(given);
            }
            Ok(all)
        };
        Ok(Undo {
            scale,
            mean: per_channel("mean", &normalization.mean, 0.0)?,
            std: per_channel("std", &normalization.std, 1.0)?,
        })
    }

    fn value(&self, x: f32, channel: usize) -> u8 {
        let brightness = (f64::from(x) * self.std[channel] + self.mean[channel]) / self.scale;
        brightness.round().clamp(0.0, 255.0) as u8
    }
}
