/// Averages predictions over the views of every sample: `predictions` holds rows of `width` numbers, those of a sample's `views`
/// one after the other, as the rows of a tensor with [`views`](feedline_proto::v1::Tensor::views) lie; the result has one row per
/// sample. Summed in 64 bits. Views of 0 or 1 are one row per sample: nothing changes.
///
/// # Errors
/// If the predictions are no whole number of samples.
pub fn mean_of_views(predictions: &[f32], views: u32, width: usize) -> Result<Vec<f32>, String> {
    let views = views.max(1) as usize;
    let sample = views * width;
    if sample == 0 || !predictions.len().is_multiple_of(sample) {
        let found = predictions.len();
        return Err(format!("{found} numbers, expected a multiple of {views} views times {width} numbers"));
    }
    let mean = |sample: &[f32], column: usize| {
        let sum: f64 = sample.iter().skip(column).step_by(width).map(|x| f64::from(*x)).sum();
        (sum / views as f64) as f32
    };
    Ok(predictions.chunks_exact(sample).flat_map(|sample| (0..width).map(move |column| mean(sample, column))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_gets_the_mean_of_its_views() {
        let predictions = [1.0, 10.0, 3.0, 20.0, 5.0, 0.0, 7.0, 2.0];
        assert_eq!(mean_of_views(&predictions, 2, 2), Ok(vec![2.0, 15.0, 6.0, 1.0]));
        assert_eq!(mean_of_views(&predictions, 0, 2), Ok(predictions.to_vec()));
        assert_eq!(mean_of_views(&[], 4, 3), Ok(Vec::new()));
    }

    #[test]
    fn a_number_of_rows_that_is_no_whole_number_of_samples_is_refused() {
        let error = mean_of_views(&[0.0; 9], 2, 3).expect_err("one row and a half");
        assert!(error.contains("9 numbers") && error.contains("2 views"), "{error}");
        assert!(mean_of_views(&[1.0], 2, 0).is_err());
    }
}
