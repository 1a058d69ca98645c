#pragma once

#include <chrono>
#include <optional>
#include <random>

namespace feedline {

using Clock = std::chrono::steady_clock;

/// Growing pauses between tries, until nothing has arrived for too long.
class Retry {
  public:
    explicit Retry(Clock::duration limit) : limit_(limit) {}

    /// Something arrived, or is asked for anew: the next failure starts from the shortest pause.
    void reset();

    /// The next pause; none if the limit is passed. Pauses double up to five seconds, and vary by half, so that the
    /// clients of a restarted server do not all come at once.
    std::optional<Clock::duration> next();

    Clock::duration waited() const { return Clock::now() - since_; }

  private:
    static constexpr Clock::duration first = std::chrono::milliseconds(50);
    static constexpr Clock::duration longest = std::chrono::seconds(5);

    Clock::duration limit_;
    Clock::time_point since_ = Clock::now();
    Clock::duration pause_ = first;
    std::minstd_rand jitter_{std::random_device{}()};
};

}  // namespace feedline
