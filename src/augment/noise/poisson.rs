use crate::seed::Field;

/// A number of events where `mean` are expected: the one whose cumulated chance is above `unit`, which is uniform in [0, 1). Beyond
/// [`MOST_SUMMED`] expected, the normal number `normal` takes that place: mean + sqrt(mean) * normal, rounded.
pub(super) fn count(mean: f64, unit: f32, normal: impl FnOnce() -> f32) -> f64 {
    if mean > MOST_SUMMED {
        return (mean + mean.sqrt() * f64::from(normal()) + 0.5).floor().max(0.0);
    }
    let mut sum = libm::exp(-mean.max(0.0));
    let (mut chance, mut events) = (sum, 0.0);
    while sum <= f64::from(unit) && events < MOST_EVENTS {
        events += 1.0;
        chance *= mean / events;
        sum += chance;
    }
    events
}

/// The normal numbers that belong to the uniform ones of a seed: of another field.
pub(super) fn normals_beside(seed: u64) -> Field {
    Field::new(seed ^ (1 << 60))
}

/// Most events expected for which chances are summed.
const MOST_SUMMED: f64 = 64.0;
/// More never happen then: their chance is below 2^-24.
const MOST_EVENTS: f64 = 160.0;
