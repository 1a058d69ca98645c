use feedline_proto::v1;

use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;
use crate::simd::Kernel;

/// Puts the channels in a random order.
struct ChannelShuffle;

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals:
        "Puts the channels in a random order, every one equally likely: `albumentations.ChannelShuffle`, torchvision's
`RandomChannelPermutation`. An image of one channel stays as it is. Exact.",
    targets: Targets::Image,
    example: "channel_shuffle = { p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::ChannelShuffle, input: Form) -> Result<Built, Refusal> {
    Built::maybe(ChannelShuffle, message.p, input, input)
}

impl Op for ChannelShuffle {
    /// Which channel each one is made of.
    type Params = [u8; 3];
    const NAME: &'static str = "channel_shuffle";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> [u8; 3] {
        let mut order = [0, 1, 2];
        rng.shuffle(&mut order);
        order
    }

    fn apply<'a>(&self, order: &[u8; 3], mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        if image.channels() == 3 {
            permute(image.values_mut(), *order);
        }
        image
    }
}

/// Makes channel `i` of RGB what channel `order[i]` was. An order that is none, which a record may hold, changes nothing.
pub(super) fn permute(values: ValuesMut<'_>, order: [u8; 3]) {
    match values {
        ValuesMut::U8(values) => permute_pixels(values.as_chunks_mut().0, order),
        ValuesMut::F32(values) => permute_pixels(values.as_chunks_mut().0, order),
    }
}

fn permute_pixels<T: Copy>(pixels: &mut [[T; 3]], order: [u8; 3]) {
    match order {
        [0, 2, 1] => Permute::<T, 0, 2, 1> { pixels }.dispatch(),
        [1, 0, 2] => Permute::<T, 1, 0, 2> { pixels }.dispatch(),
        [1, 2, 0] => Permute::<T, 1, 2, 0> { pixels }.dispatch(),
        [2, 0, 1] => Permute::<T, 2, 0, 1> { pixels }.dispatch(),
        [2, 1, 0] => Permute::<T, 2, 1, 0> { pixels }.dispatch(),
        _ => {}
    }
}

/// A loop for each order, so that it becomes shuffles of whole vectors.
struct Permute<'a, T, const R: usize, const G: usize, const B: usize> {
    pixels: &'a mut [[T; 3]],
}

impl<T: Copy, const R: usize, const G: usize, const B: usize> Kernel for Permute<'_, T, R, G, B> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for pixel in self.pixels {
            *pixel = [pixel[R], pixel[G], pixel[B]];
        }
    }
}
