package feedline

import "fmt"

// MeanOfViews averages predictions over the views of every sample. They are rows of width numbers, those of a sample's
// views one after the other, as the rows of a tensor with [Tensor.Views] lie; the result has one row per sample, summed
// in 64 bits. Views of 0 or 1 are one row per sample: nothing changes. Predictions that are no whole number of samples
// are an error.
func MeanOfViews(predictions []float32, views, width int) ([]float32, error) {
	views = max(views, 1)
	if width <= 0 || len(predictions)%(views*width) != 0 {
		return nil, fmt.Errorf("feedline: %d numbers, expected a multiple of %d views times %d numbers",
			len(predictions), views, width)
	}
	means := make([]float32, len(predictions)/views)
	for at := range means {
		sample, column := at/width, at%width
		sum := 0.0
		for view := range views {
			sum += float64(predictions[(sample*views+view)*width+column])
		}
		means[at] = float32(sum / float64(views))
	}
	return means, nil
}
