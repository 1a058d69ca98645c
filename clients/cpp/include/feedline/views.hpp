#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace feedline {

/// Averages predictions over the views of every sample: `predictions` holds rows of `width` numbers, those of a
/// sample's `views` one after the other, as the rows of a tensor with `Tensor::views` lie; the result has one row per
/// sample. Summed in 64 bits. Views of 0 or 1 are one row per sample: nothing changes. Throws std::invalid_argument if
/// the predictions are no whole number of samples.
std::vector<float> mean_of_views(std::span<const float> predictions, std::uint32_t views, std::size_t width);

}  // namespace feedline
