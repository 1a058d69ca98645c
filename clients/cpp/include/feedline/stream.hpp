#pragma once

#include <feedline/v1/service.pb.h>
#include <feedline/v1/spec.pb.h>
#include <feedline/batch.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

namespace feedline {

/// How a client behaves.
struct Options {
    /// Its name in the server's log. Empty: its address.
    std::string name = {};
    /// The training job, for the server to report two streams of one rank. Empty: none.
    std::string job = {};
    /// How long a call keeps trying when the transport fails, from its start or the last time something arrived. 0:
    /// never.
    std::chrono::milliseconds retry_for{60'000};
};

/// One request to say it all.
struct Loader {
    /// What is in a batch.
    v1::LoaderSpec spec;
    /// Which rows of it.
    v1::Placement placement;
    /// In what form, from where and how many.
    v1::Delivery delivery;
};

/// Batches in plan order, each exactly once. A lost connection, a restarted server and a damaged message cost time,
/// never a batch: the stream goes on with the next one. Nothing is read ahead but what fits the connection's window of
/// 4 MiB. For one thread, but for `cancel`. When it is destroyed, its connection is closed.
class BatchStream {
  public:
    class Iterator;

    BatchStream(BatchStream&&) noexcept;
    BatchStream& operator=(BatchStream&&) noexcept;
    ~BatchStream();

    /// The next batch; none after `Delivery.count` of them. Throws Refused, Unreachable or BrokenContract; the stream
    /// may be asked again after each, and goes on where it stood.
    std::optional<Batch> next();

    /// For `for (const feedline::Batch& batch : stream)`. Breaking off and iterating again goes on with the next batch.
    Iterator begin();
    std::default_sentinel_t end() const noexcept { return {}; }

    /// What the server said of the stream.
    const v1::DescribeResponse& description() const noexcept;

    /// Where a client goes on that has every batch that was handed out: what to save in a checkpoint, and
    /// `Delivery.start` of the loader that continues.
    const v1::Cursor& cursor() const noexcept;

    /// How often the stream was begun again.
    std::uint64_t reconnects() const noexcept;

    /// Ends the stream, and a `next` that another thread waits for: it throws Cancelled, and so does every one after
    /// it.
    void cancel() noexcept;

  private:
    friend class Client;
    class State;
    explicit BatchStream(std::unique_ptr<State> state) noexcept;

    std::unique_ptr<State> state_;
};

/// An input iterator: fetches a batch when it is begun and when it is incremented.
class BatchStream::Iterator {
  public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = Batch;
    using difference_type = std::ptrdiff_t;

    explicit Iterator(BatchStream& stream) : stream_(&stream), batch_(stream.next()) {}

    const Batch& operator*() const noexcept { return *batch_; }
    const Batch* operator->() const noexcept { return &*batch_; }
    Iterator& operator++() {
        batch_.reset();  // its memory serves the next one
        batch_ = stream_->next();
        return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& at, std::default_sentinel_t) noexcept { return !at.batch_; }

  private:
    BatchStream* stream_;
    std::optional<Batch> batch_;
};

inline BatchStream::Iterator BatchStream::begin() {
    return Iterator(*this);
}

}  // namespace feedline
