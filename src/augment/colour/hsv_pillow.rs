//! Pillow's HSV of 8 bits, with hues from 0 to 255.

use crate::simd::Kernel;

/// Turns the hue of RGB by `delta` turns: torchvision's `adjust_hue` of Pillow images.
pub(super) fn turn(values: &mut [u8], delta: f64) {
    // It cuts the fraction off and adds the low eight bits; a cast saturates.
    let step = (delta * 255.0) as i32 as u8;
    Turn { pixels: values.as_chunks_mut().0, step }.dispatch();
}

struct Turn<'a> {
    pixels: &'a mut [[u8; 3]],
    step: u8,
}

impl Kernel for Turn<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for pixel in self.pixels {
            let [hue, saturation, value] = forth(*pixel);
            *pixel = back([hue.wrapping_add(self.step), saturation, value]);
        }
    }
}

/// In 32-bit floats, but for sums with what C writes as 64-bit numbers.
#[inline(always)]
fn forth([r, g, b]: [u8; 3]) -> [u8; 3] {
    let (high, low) = (r.max(g).max(b), r.min(g).min(b));
    if high == low {
        return [0, 0, high];
    }
    let range = f32::from(high - low);
    let saturation = range / f32::from(high);
    let [rc, gc, bc] = [r, g, b].map(|x| f32::from(high - x) / range);
    let hue = if r == high {
        bc - gc
    } else if g == high {
        (2.0 + f64::from(rc) - f64::from(bc)) as f32
    } else {
        (4.0 + f64::from(gc) - f64::from(rc)) as f32
    };
    let turn = f64::from(hue) / 6.0 + 1.0;
    // From 5/6 to 11/6, so that this is the remainder of a division by 1.
    let hue = (if turn >= 1.0 { turn - 1.0 } else { turn }) as f32;
    [(f64::from(hue) * 255.0) as u8, (f64::from(saturation) * 255.0) as u8, high]
}

#[inline(always)]
fn back([hue, saturation, value]: [u8; 3]) -> [u8; 3] {
    if saturation == 0 {
        return [value; 3];
    }
    let sixths = f64::from(hue) * 6.0 / 255.0;
    let sector = sixths as u8;
    let along = (sixths - f64::from(sector)) as f32;
    let (s, v) = (f64::from(f32::from(saturation) / 255.0), f64::from(value));
    // Halves away from zero, as C's `round`; never negative.
    let rounded = |x: f64| (x + 0.5).floor() as u8;
    let p = rounded(v * (1.0 - s));
    let q = rounded(v * (1.0 - s * f64::from(along)));
    let t = rounded(v * (1.0 - s * (1.0 - f64::from(along))));
    match sector % 6 {
        0 => [value, t, p],
        1 => [q, value, p],
        2 => [p, value, t],
        3 => [p, q, value],
        4 => [t, p, value],
        _ => [value, p, q],
    }
}
