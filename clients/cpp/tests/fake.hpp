#pragma once

#include <feedline/v1/service.grpc.pb.h>
#include <grpcpp/server.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

/// What a fake server does with one `Stream`.
struct Answer {
    /// Serialized parts, sound or not.
    std::vector<std::string> messages;
    grpc::Status status = grpc::Status::OK;
    /// The value of `feedline-status`; empty: none.
    std::string mark = {};
    /// Sends no status before the client has gone.
    bool stays = false;
};

/// The only part of a batch without tensors; `next` is the step behind it.
std::string part(std::uint32_t epoch, std::uint64_t step, feedline::v1::Cursor next);
std::string part(std::uint64_t step);

/// A server in this process that answers by a script, one answer for each `Stream`.
class Fake
    : public feedline::v1::FeedlineService::WithRawCallbackMethod_Stream<feedline::v1::FeedlineService::Service> {
  public:
    explicit Fake(std::deque<Answer> answers);
    ~Fake() override;

    const std::string& address() const { return address_; }
    /// Where each `Stream` was asked to begin, and how many batches.
    std::vector<feedline::v1::Delivery> asked();
    /// Waits until there were so many of them.
    void wait_for(std::size_t requests);

    grpc::Status Describe(grpc::ServerContext*, const feedline::v1::DescribeRequest*,
                          feedline::v1::DescribeResponse* response) override;
    grpc::ServerWriteReactor<grpc::ByteBuffer>* Stream(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request) override;

  private:
    std::mutex mutex_;
    std::condition_variable asked_more_;
    std::deque<Answer> answers_;
    std::vector<feedline::v1::Delivery> asked_;
    std::string address_;
    std::unique_ptr<grpc::Server> server_;
};
