#include "fake.hpp"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <span>
#include <utility>

#include "crc32c.hpp"

namespace {

namespace v1 = feedline::v1;

/// Writes one message after the other, then the status.
class Writer : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
  public:
    Writer(grpc::CallbackServerContext* context, Answer answer) : answer_(std::move(answer)) {
        if (!answer_.mark.empty()) context->AddTrailingMetadata("feedline-status", answer_.mark);
        write();
    }

    void OnWriteDone(bool ok) override {
        if (ok) {
            write();
        } else {
            Finish(grpc::Status::CANCELLED);
        }
    }
    void OnCancel() override {
        const std::lock_guard lock(mutex_);
        cancelled_ = true;
        if (waits_) Finish(grpc::Status::CANCELLED);
    }
    void OnDone() override { delete this; }

  private:
    void write() {
        const std::lock_guard lock(mutex_);
        if (at_ < answer_.messages.size()) {
            const grpc::Slice slice(answer_.messages[at_++]);
            bytes_ = grpc::ByteBuffer(&slice, 1);
            StartWrite(&bytes_);
        } else if (answer_.stays && !cancelled_) {
            waits_ = true;
        } else {
            Finish(answer_.status);
        }
    }

    std::mutex mutex_;
    bool cancelled_ = false;
    /// Nothing is under way, and the client may go.
    bool waits_ = false;
    Answer answer_;
    std::size_t at_ = 0;
    grpc::ByteBuffer bytes_;
};

}  // namespace

std::string part(std::uint32_t epoch, std::uint64_t step, v1::Cursor next) {
    v1::BatchHeader header;
    header.set_epoch(epoch);
    header.set_step(step);
    *header.mutable_next() = std::move(next);
    v1::BatchPart part;
    part.set_header(header.SerializeAsString());
    part.set_header_crc32c(feedline::crc32c(0, std::as_bytes(std::span(part.header()))));
    return part.SerializeAsString();
}

std::string part(std::uint64_t step) {
    v1::Cursor next;
    next.set_step(step + 1);
    return part(0, step, next);
}

Fake::Fake(std::deque<Answer> answers) : answers_(std::move(answers)) {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
}

Fake::~Fake() {
    server_->Shutdown(std::chrono::system_clock::now());
}

std::vector<v1::Delivery> Fake::asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
}

void Fake::wait_for(std::size_t requests) {
    std::unique_lock lock(mutex_);
    asked_more_.wait(lock, [&] { return asked_.size() >= requests; });
}

grpc::Status Fake::Describe(grpc::ServerContext*, const v1::DescribeRequest*, v1::DescribeResponse* response) {
    response->set_steps_per_epoch(3);
    response->set_spec_fingerprint("spec");
    response->mutable_spec()->set_dataset_fingerprint("dataset");
    return grpc::Status::OK;
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* Fake::Stream(grpc::CallbackServerContext* context,
                                                         const grpc::ByteBuffer* request) {
    v1::StreamRequest decoded;
    grpc::ByteBuffer bytes(*request);
    const auto status = grpc::SerializationTraits<v1::StreamRequest>::Deserialize(&bytes, &decoded);
    const std::lock_guard lock(mutex_);
    asked_.push_back(decoded.delivery());
    asked_more_.notify_all();
    Answer answer;
    if (!status.ok() || answers_.empty()) {
        answer = {{}, {grpc::StatusCode::INTERNAL, "no answer is left"}, "final"};
    } else {
        answer = std::move(answers_.front());
        answers_.pop_front();
    }
    return new Writer(context, std::move(answer));
}
