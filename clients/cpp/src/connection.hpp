#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>

#include "retry.hpp"

namespace feedline {

/// The address as gRPC spells it. Throws AddressError.
std::string target_of(const std::string& address);

/// A connection of its own: HTTP/2 shares one connection's window among its streams, so that one that stalls would stop
/// its neighbours.
std::shared_ptr<grpc::Channel> connect(const std::string& target);

/// Why a call failed.
struct Failure {
    grpc::Status status;
    /// Whether the server chose the status; else it is the transport's.
    bool chosen = false;
    /// Whether the same request may succeed later.
    bool passes = true;

    Failure(grpc::Status status, const grpc::ClientContext& context);
    /// A failure of the transport.
    explicit Failure(const std::string& cause) : status(grpc::StatusCode::UNAVAILABLE, cause) {}
};

/// How long to wait before the next try. Throws Refused or Unreachable when there is none.
Clock::duration pause_or_throw(const std::string& address, Retry& retry, const Failure& failure);

}  // namespace feedline
