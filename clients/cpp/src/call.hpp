#pragma once

#include <feedline/v1/service.pb.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "connection.hpp"
#include "feedline/assembler.hpp"

namespace feedline {

/// What arrived breaks the contract.
class Damage : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// One `Stream` call on a connection of its own. Reads raw messages: gRPC's typed reader reports a message that can't
/// be decoded as the end of the stream, and then waits for a status that comes only after all the others.
class Call {
  public:
    Call(const std::string& target, std::uint64_t most_bytes);
    /// Cancels the call, unless it is over, and closes the connection.
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    /// Connects and asks. Throws Failure.
    void start(const v1::StreamRequest& request);

    /// Waits for a part; returns the batch that it completes. Throws Failure or Damage.
    std::optional<Batch> read();

    /// From any thread: what waits in another one fails.
    void cancel() noexcept { context_.TryCancel(); }

  private:
    /// Waits for the only operation that is under way; whether it went well.
    bool done();
    [[noreturn]] void fail();
    grpc::Status finish();

    grpc::ClientContext context_;
    grpc::CompletionQueue queue_;
    grpc::GenericStub stub_;
    std::unique_ptr<grpc::GenericClientAsyncReaderWriter> messages_;
    bool is_over_ = true;
    v1::BatchPart part_;
    Assembler assembler_;
};

}  // namespace feedline
