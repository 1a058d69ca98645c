#include "call.hpp"

#include <feedline/v1/service.grpc.pb.h>

#include <utility>

#include "feedline/error.hpp"

namespace feedline {

Call::Call(const std::string& target, std::uint64_t most_bytes) : stub_(connect(target)), assembler_(most_bytes) {}

Call::~Call() {
    if (!is_over_) {
        context_.TryCancel();
        finish();
    }
    queue_.Shutdown();
    while (done()) {
    }
}

void Call::start(const v1::StreamRequest& request) {
    messages_ = stub_.PrepareCall(&context_, "/feedline.v1.FeedlineService/Stream", &queue_);
    is_over_ = false;
    grpc::ByteBuffer bytes;
    bool own = false;
    const auto encoded = grpc::SerializationTraits<v1::StreamRequest>::Serialize(request, &bytes, &own);
    if (!encoded.ok()) throw Failure(encoded.error_message());
    messages_->StartCall(nullptr);
    if (!done()) fail();
    messages_->WriteLast(bytes, grpc::WriteOptions(), nullptr);
    if (!done()) fail();
}

std::optional<Batch> Call::read() {
    grpc::ByteBuffer bytes;
    messages_->Read(&bytes, nullptr);
    if (!done()) fail();
    const auto decoded = grpc::SerializationTraits<v1::BatchPart>::Deserialize(&bytes, &part_);
    if (!decoded.ok()) throw Damage("a message that is no BatchPart");
    try {
        return assembler_.push(part_);
    } catch (const PartError& error) {
        throw Damage(error.what());
    }
}

bool Call::done() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
}

void Call::fail() {
    auto status = finish();
    // A stream that ends before its count was cut off by something between us.
    if (status.ok()) throw Failure("the stream ended early");
    throw Failure(std::move(status), context_);
}

grpc::Status Call::finish() {
    grpc::Status status;
    messages_->Finish(&status, nullptr);
    done();
    is_over_ = true;
    return status;
}

}  // namespace feedline
