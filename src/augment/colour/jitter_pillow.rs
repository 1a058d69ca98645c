//! The parts of a colour jitter as torchvision has them on Pillow images: `ImageEnhance`, and the hue by Pillow's HSV.

use super::color_jitter::Change;
use super::pass::{self, Step};
use super::pointwise::map;
use super::{contrast, hsv_pillow, saturation};
use crate::image::{Image, ValuesMut};

/// Applies `changes`, in order, to an image of 8 bits.
pub(super) fn apply(image: &mut Image<'_>, changes: impl Iterator<Item = Change>) {
    let channels = image.channels();
    let ValuesMut::U8(values) = image.values_mut() else { return };
    for change in changes {
        match change {
            Change::Brightness(factor) if channels == 3 => pass::apply(values, &[Step::brightness(factor)]),
            Change::Brightness(factor) => {
                let factor = factor as f32;
                map(values, |x| x * factor);
            }
            Change::Contrast(factor) => contrast::pillow(values, channels, factor as f32),
            Change::Saturation(_) | Change::Hue(_) if channels != 3 => {}
            Change::Saturation(factor) => saturation::pillow(values, factor),
            Change::Hue(delta) => hsv_pillow::turn(values, delta),
        }
    }
}
