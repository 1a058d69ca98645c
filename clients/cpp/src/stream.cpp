#include "feedline/stream.hpp"

#include <limits>
#include <utility>

#include "feedline/error.hpp"
#include "state.hpp"

namespace feedline {
namespace {

/// Messages in a row that may break the contract before it is not chance any more.
constexpr int most_broken = 5;

}  // namespace

BatchStream::BatchStream(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
BatchStream::BatchStream(BatchStream&&) noexcept = default;
BatchStream& BatchStream::operator=(BatchStream&&) noexcept = default;
BatchStream::~BatchStream() = default;

std::optional<Batch> BatchStream::next() {
    return state_->next();
}
const v1::DescribeResponse& BatchStream::description() const noexcept {
    return state_->description();
}
const v1::Cursor& BatchStream::cursor() const noexcept {
    return state_->cursor();
}
std::uint64_t BatchStream::reconnects() const noexcept {
    return state_->reconnects();
}
void BatchStream::cancel() noexcept {
    state_->cancel();
}

BatchStream::State::State(Server server, v1::StreamRequest request, v1::DescribeResponse description)
    : server_(std::move(server)),
      request_(std::move(request)),
      description_(std::move(description)),
      retry_(server_.retry_for) {
    auto& start = *request_.mutable_delivery()->mutable_start();
    start.set_dataset_fingerprint(description_.spec().dataset_fingerprint());
    start.set_spec_fingerprint(description_.spec_fingerprint());
}

std::optional<Batch> BatchStream::State::next() {
    const auto& delivery = request_.delivery();
    if (is_exhausted_ || (delivery.has_count() && delivery.count() == 0)) return std::nullopt;
    // The time that the caller took since the last batch is no time of waiting.
    retry_.reset();
    for (int broken = 0;; ++reconnects_) {
        throw_if_cancelled();
        try {
            return try_next();
        } catch (const Failure& failure) {
            end();
            throw_if_cancelled();
            pause(pause_or_throw(server_.address, retry_, failure));
        } catch (const Damage& damage) {
            end();
            if (++broken == most_broken) throw BrokenContract(server_.address, damage.what());
            pause(retry_.next().value_or(Clock::duration::zero()));
        }
    }
}

Batch BatchStream::State::try_next() {
    if (!call_) begin();
    for (;;) {
        auto batch = call_->read();
        retry_.reset();
        if (!batch) continue;
        const auto& header = batch->header();
        auto& delivery = *request_.mutable_delivery();
        if (is_other(header)) {
            const auto name = [](const auto& at) {
                return std::to_string(at.epoch()) + ":" + std::to_string(at.step());
            };
            throw Damage("batch " + name(header) + " came, expected " + name(delivery.start()));
        }
        if (delivery.has_count()) delivery.set_count(delivery.count() - 1);
        if (header.has_next()) {
            *delivery.mutable_start() = header.next();
        } else {
            is_exhausted_ = true;
        }
        return std::move(*batch);
    }
}

/// Whether a batch is not the one asked for; the end of an epoch is the start of the next one.
bool BatchStream::State::is_other(const v1::BatchHeader& header) const {
    const auto& next = cursor();
    if (header.epoch() == next.epoch() && header.step() == next.step()) return false;
    const bool at_end = next.step() == description_.steps_per_epoch() &&
                        next.epoch() != std::numeric_limits<std::uint32_t>::max() &&
                        header.epoch() == next.epoch() + 1 && header.step() == 0;
    return !at_end;
}

void BatchStream::State::begin() {
    auto call = std::make_unique<Call>(server_.target, description_.payload_bytes());
    {
        const std::lock_guard lock(mutex_);
        call_ = std::move(call);  // before it connects, so that `cancel` ends that too
    }
    throw_if_cancelled();
    call_->start(request_);
}

void BatchStream::State::end() noexcept {
    std::unique_ptr<Call> call;
    const std::lock_guard lock(mutex_);
    call_.swap(call);
}

void BatchStream::State::pause(Clock::duration duration) {
    std::unique_lock lock(mutex_);
    woken_.wait_for(lock, duration, [this] { return cancelled_; });
}

void BatchStream::State::throw_if_cancelled() {
    const std::lock_guard lock(mutex_);
    if (cancelled_) throw Cancelled();
}

void BatchStream::State::cancel() noexcept {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    woken_.notify_all();
    if (call_) call_->cancel();
}

}  // namespace feedline
