#include "feedline/views.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace feedline {

std::vector<float> mean_of_views(std::span<const float> predictions, std::uint32_t views, std::size_t width) {
    const std::size_t rows = std::max<std::uint32_t>(views, 1);
    if (width == 0 || predictions.size() % width != 0 || predictions.size() / width % rows != 0) {
        throw std::invalid_argument(std::to_string(predictions.size()) + " numbers, expected a multiple of " +
                                    std::to_string(rows) + " views times " + std::to_string(width) + " numbers");
    }
    std::vector<float> means;
    means.reserve(predictions.size() / rows);
    for (std::size_t first = 0; first < predictions.size(); first += rows * width) {
        for (std::size_t column = 0; column < width; ++column) {
            double sum = 0;
            for (std::size_t row = 0; row < rows; ++row) sum += predictions[first + row * width + column];
            means.push_back(static_cast<float>(sum / static_cast<double>(rows)));
        }
    }
    return means;
}

}  // namespace feedline
