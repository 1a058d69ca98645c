use std::borrow::Cow;
use std::sync::Arc;

use super::stretch::{Stretch, stretched};
use crate::augment::op::{Refusal, Scratch};
use crate::augment::resources::{Picture, Resources, Unavailable};
use crate::image::{Form, Image, Size};
use crate::seed::Rng;

/// The images of a field `references`. Of each only a summary is kept, made when the pipeline is built, if all images that come in
/// are of one size; the whole image otherwise, of which every row makes a summary for its own size.
pub(super) struct References<T> {
    all: Vec<Reference<T>>,
    summarise: Box<Summarise<T>>,
    stretch: Stretch,
    channels: usize,
}

/// What is to be known of a reference of 8 bits that has the size of the image that it is applied to.
type Summarise<T> = dyn Fn(&Image<'_>) -> T + Send + Sync;

enum Reference<T> {
    Summary(T),
    Whole(Arc<Picture>),
}

impl<T: Clone> References<T> {
    /// The images of `samples`, for images of the form `input`. A summary takes `summary_bytes`.
    ///
    /// # Errors
    /// A sample that is not there or that can't be decoded, and more bytes than may be kept.
    pub(super) fn new(
        samples: &[u64],
        stretch: Stretch,
        (input, resources): (Form, &dyn Resources),
        summary_bytes: u64,
        summarise: impl Fn(&Image<'_>) -> T + Send + Sync + 'static,
    ) -> Result<Self, Refusal> {
        if samples.is_empty() {
            return Err(Refusal::new("references", "empty", "the index of at least one sample of the split"));
        }
        let mut references =
            References { all: Vec::new(), summarise: Box::new(summarise), stretch, channels: input.channels };
        let mut scratch = Scratch::default();
        for (place, sample) in samples.iter().enumerate() {
            let refused =
                |Unavailable { found, expected }| Refusal::new(format!("references[{place}]"), found, expected);
            let picture = resources.picture(*sample).map_err(refused)?;
            let reference = match input.fixed() {
                Some(size) => {
                    resources.keep(summary_bytes).map_err(refused)?;
                    Reference::Summary(references.summary(&picture, size, &mut scratch))
                }
                None => {
                    resources.keep(picture.pixels.len() as u64).map_err(refused)?;
                    Reference::Whole(picture)
                }
            };
            references.all.push(reference);
        }
        Ok(references)
    }

    /// The place of one of them in the list, each as likely as any other.
    pub(super) fn draw(&self, rng: &mut Rng) -> usize {
        rng.below(self.all.len() as u64) as usize
    }

    /// What is known of the reference at a place, the last one if the place is beyond, for an image of `size`.
    pub(super) fn at(&self, place: usize, size: Size, scratch: &mut Scratch) -> Cow<'_, T> {
        // Not empty: refused otherwise.
        match &self.all[place.min(self.all.len() - 1)] {
            Reference::Summary(summary) => Cow::Borrowed(summary),
            Reference::Whole(picture) => Cow::Owned(self.summary(picture, size, scratch)),
        }
    }

    fn summary(&self, picture: &Picture, size: Size, scratch: &mut Scratch) -> T {
        let image = stretched(picture, self.channels, size, self.stretch, scratch);
        let summary = (self.summarise)(&image);
        scratch.recycle(image);
        summary
    }
}
