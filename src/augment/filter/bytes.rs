use crate::augment::op::Scratch;
use crate::image::{Image, Pixels};
use crate::simd::Kernel;

/// Applies `f` to an image in 8 bits. Floats from 0 to `full` are rounded to 8 bits (half to even) and made floats again
/// afterwards: albucore's `uint8_io`.
pub(in crate::augment) fn through_bytes<'a>(
    image: Image<'a>,
    full: f32,
    scratch: &mut Scratch,
    f: impl FnOnce(Image<'a>, &mut Scratch) -> Image<'a>,
) -> Image<'a> {
    let (size, channels) = (image.size(), image.channels());
    match image.into_pixels() {
        Pixels::U8(values) => f(Image::from_u8(size, channels, values), scratch),
        Pixels::F32(mut values) => {
            let mut bytes = scratch.bytes(values.len());
            let scale = 255.0 / full;
            Rounded { values: &values, scale, bytes: &mut bytes }.dispatch();
            let made = f(Image::from_u8(size, channels, bytes), scratch);
            let back = full / 255.0;
            if let Some(bytes) = made.as_u8() {
                values.iter_mut().zip(bytes).for_each(|(to, x)| *to = f32::from(*x) * back);
            }
            scratch.recycle(made);
            Image::from_f32(size, channels, values)
        }
    }
}

/// Floats times a scale, to 8 bits.
struct Rounded<'a> {
    values: &'a [f32],
    scale: f32,
    bytes: &'a mut [u8],
}

impl Kernel for Rounded<'_> {
    type Output = ();

    #[inline(always)]
    #[allow(unsafe_code)]
    fn run(self) {
        for (to, x) in self.bytes.iter_mut().zip(self.values) {
            let x = x * self.scale;
            let x = if x > 0.0 { x } else { 0.0 };
            let x = if x < 255.0 { x } else { 255.0 };
            // SAFETY: from 0 to 255. A checked cast does not become vectors.
            *to = unsafe { x.round_ties_even().to_int_unchecked::<i32>() as u8 };
        }
    }
}
