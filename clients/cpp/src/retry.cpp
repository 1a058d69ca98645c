#include "retry.hpp"

#include <algorithm>

namespace feedline {

void Retry::reset() {
    since_ = Clock::now();
    pause_ = first;
}

std::optional<Clock::duration> Retry::next() {
    const auto left = limit_ - waited();
    if (left <= Clock::duration::zero()) return std::nullopt;
    const double share = std::uniform_real_distribution(0.5, 1.5)(jitter_);
    const auto pause = std::min(std::chrono::duration_cast<Clock::duration>(pause_ * share), left);
    pause_ = std::min(pause_ * 2, longest);
    return pause;
}

}  // namespace feedline
