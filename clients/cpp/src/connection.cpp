#include "connection.hpp"

#include <grpc/grpc.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <string_view>
#include <utility>

#include "feedline/error.hpp"

namespace feedline {
namespace {

/// HTTP/2 window of a stream: what may be under way while this side is busy.
constexpr int window = 4 << 20;
/// Largest message that is taken: the largest part that may be asked for, and its header.
constexpr int most_message_bytes = 66 << 20;
constexpr int connect_timeout_ms = 10'000;
constexpr int keepalive_ms = 60'000;
constexpr int keepalive_timeout_ms = 20'000;

/// Metadata key of every status that the server chose, and its value when the same request may succeed later.
constexpr const char* chosen_key = "feedline-status";
constexpr const char* passes_value = "retry";

/// The codes under which the transport, and what is between us and the server, report a lost or busy peer.
bool is_of_transport(grpc::StatusCode code) {
    switch (code) {
        case grpc::StatusCode::UNAVAILABLE:
        case grpc::StatusCode::RESOURCE_EXHAUSTED:
        case grpc::StatusCode::CANCELLED:
        case grpc::StatusCode::INTERNAL:
        case grpc::StatusCode::UNKNOWN:
        case grpc::StatusCode::DEADLINE_EXCEEDED:
            return true;
        default:
            return false;
    }
}

}  // namespace

std::string target_of(const std::string& address) {
    const auto bad = [&address](const std::string& cause) {
        return AddressError("\"" + address +
                            "\" is no address, expected HOST:PORT, http://HOST:PORT or unix:PATH: " + cause);
    };
    if (address.starts_with("unix:")) {
        if (address.size() == std::string_view("unix:").size()) throw bad("the path is missing");
        return address;
    }
    constexpr std::string_view http = "http://";
    std::string target = address.starts_with(http) ? address.substr(http.size()) : address;
    if (target.ends_with('/')) target.pop_back();
    if (target.find('/') != std::string::npos) throw bad("only http:// is spoken, and no path follows the port");
    const auto colon = target.rfind(':');
    if (colon == 0 || target.empty()) throw bad("the host is missing");
    if (colon == std::string::npos || target.find(']', colon) != std::string::npos) throw bad("the port is missing");
    const std::string port = target.substr(colon + 1);
    const bool digits = !port.empty() && port.find_first_not_of("0123456789") == std::string::npos;
    if (!digits || port.size() > 5 || std::stoi(port) > 65'535) throw bad("the port is no number up to 65535");
    return target;
}

std::shared_ptr<grpc::Channel> connect(const std::string& target) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(most_message_bytes);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    // A fixed window: measuring the connection would let it grow, and what is read ahead with it.
    arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, window);
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, 1 << 20);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, keepalive_ms);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, keepalive_timeout_ms);
    // A trainer that pauses sends nothing for long: pings go on all the same.
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    // The least pause between two tries of a channel is also how long one try may take; each channel makes one.
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, connect_timeout_ms);
    return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

Failure::Failure(grpc::Status failed, const grpc::ClientContext& context) : status(std::move(failed)) {
    const auto& metadata = context.GetServerTrailingMetadata();
    const auto mark = metadata.find(chosen_key);
    chosen = mark != metadata.end();
    passes = chosen ? mark->second == passes_value : is_of_transport(status.error_code());
}

Clock::duration pause_or_throw(const std::string& address, Retry& retry, const Failure& failure) {
    const auto& status = failure.status;
    if (failure.passes) {
        if (const auto pause = retry.next()) return *pause;
        // What the server itself says is worth more than that it was tried again and again.
        if (!failure.chosen) throw Unreachable(address, retry.waited(), status.error_message());
    }
    throw Refused(status.error_code(), status.error_message());
}

}  // namespace feedline
