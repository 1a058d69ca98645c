#include "feedline/error.hpp"

#include <array>
#include <cstddef>
#include <sstream>
#include <utility>

namespace feedline {
namespace {

std::string name_of(grpc::StatusCode code) {
    static constexpr std::array<const char*, 17> names{
        "OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
        "NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
        "ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
        "DATA_LOSS", "UNAUTHENTICATED",
    };
    const auto number = static_cast<std::size_t>(code);
    return number < names.size() ? names[number] : "code " + std::to_string(static_cast<int>(code));
}

std::string no_answer(const std::string& address, std::chrono::nanoseconds waited, const std::string& cause) {
    std::ostringstream text;
    text.precision(2);
    text << "no answer from " << address << " for " << std::fixed << std::chrono::duration<double>(waited).count()
         << " s: " << cause;
    return text.str();
}

}  // namespace

Refused::Refused(grpc::StatusCode code, const std::string& reason)
    : Error("the server refused with " + name_of(code) + ": " + reason), code_(code), reason_(reason) {}

Unreachable::Unreachable(std::string address, std::chrono::nanoseconds waited, std::string cause)
    : Error(no_answer(address, waited, cause)),
      address_(std::move(address)),
      waited_(waited),
      cause_(std::move(cause)) {}

BrokenContract::BrokenContract(std::string address, std::string cause)
    : Error("the server at " + address + " breaks the contract: " + cause),
      address_(std::move(address)),
      cause_(std::move(cause)) {}

Cancelled::Cancelled() : Error("the stream was cancelled") {}

}  // namespace feedline
