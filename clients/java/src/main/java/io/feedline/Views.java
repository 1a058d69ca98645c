package io.feedline;

/** Predictions for several views of every sample. */
public final class Views {
  private Views() {}

  /**
   * Averages predictions over the views of every sample. The sums have 64 bits.
   *
   * @param predictions rows of {@code width} numbers, those of a sample's views one after the
   *     other, as the rows of a tensor with {@link TensorView#views()} lie
   * @param views views of every sample; 0 and 1 are one row per sample, which changes nothing
   * @param width numbers of a row, at least 1
   * @return one row of {@code width} numbers per sample
   * @throws IllegalArgumentException if the predictions are no whole number of samples
   */
  public static float[] mean(float[] predictions, int views, int width) {
    int rows = Math.max(views, 1);
    long sample = (long) rows * width;
    if (views < 0 || width < 1 || predictions.length % sample != 0) {
      throw new IllegalArgumentException(
          predictions.length
              + " numbers, expected a multiple of "
              + rows
              + " views times "
              + width
              + " numbers");
    }
    float[] means = new float[predictions.length / rows];
    for (int at = 0; at < means.length; at++) {
      int first = at / width * rows * width + at % width;
      double sum = 0;
      for (int view = 0; view < rows; view++) {
        sum += predictions[first + view * width];
      }
      means[at] = (float) (sum / rows);
    }
    return means;
  }
}
