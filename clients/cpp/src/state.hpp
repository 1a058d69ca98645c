#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "call.hpp"
#include "feedline/stream.hpp"
#include "retry.hpp"

namespace feedline {

/// Whom a stream asks, and how patiently.
struct Server {
    std::string address;
    std::string target;
    Clock::duration retry_for;
};

/// A stream, wherever its face is moved.
class BatchStream::State {
  public:
    State(Server server, v1::StreamRequest request, v1::DescribeResponse description);

    std::optional<Batch> next();
    void cancel() noexcept;

    const v1::DescribeResponse& description() const noexcept { return description_; }
    const v1::Cursor& cursor() const noexcept { return request_.delivery().start(); }
    std::uint64_t reconnects() const noexcept { return reconnects_; }

  private:
    Batch try_next();
    void begin();
    void end() noexcept;
    void pause(Clock::duration duration);
    bool is_other(const v1::BatchHeader& header) const;
    void throw_if_cancelled();

    Server server_;
    /// What to ask for next: its delivery has the cursor and the count that is left.
    v1::StreamRequest request_;
    v1::DescribeResponse description_;
    Retry retry_;
    bool is_exhausted_ = false;
    std::uint64_t reconnects_ = 0;

    /// Guards the two that follow, against `cancel`.
    std::mutex mutex_;
    std::condition_variable woken_;
    bool cancelled_ = false;
    std::unique_ptr<Call> call_;
};

}  // namespace feedline
