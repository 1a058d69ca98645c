#pragma once

#include <grpcpp/support/status_code_enum.h>

#include <chrono>
#include <stdexcept>
#include <string>

namespace feedline {

/// Why a client failed. Each kind of failure is a class of its own below this one.
class Error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The address can't be read.
class AddressError : public Error {
  public:
    using Error::Error;
};

/// The server refused, for a reason that trying again does not change.
class Refused : public Error {
  public:
    Refused(grpc::StatusCode code, const std::string& reason);

    /// The server's code: INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION ...
    grpc::StatusCode code() const noexcept { return code_; }
    /// The server's reason, in its own words.
    const std::string& reason() const noexcept { return reason_; }

  private:
    grpc::StatusCode code_;
    std::string reason_;
};

/// The transport failed for longer than `Options::retry_for`.
class Unreachable : public Error {
  public:
    Unreachable(std::string address, std::chrono::nanoseconds waited, std::string cause);

    const std::string& address() const noexcept { return address_; }
    /// How long it was tried since something arrived.
    std::chrono::nanoseconds waited() const noexcept { return waited_; }
    /// The last failure.
    const std::string& cause() const noexcept { return cause_; }

  private:
    std::string address_;
    std::chrono::nanoseconds waited_;
    std::string cause_;
};

/// What arrived breaks the contract, again and again.
class BrokenContract : public Error {
  public:
    BrokenContract(std::string address, std::string cause);

    const std::string& address() const noexcept { return address_; }
    /// What is wrong with the last message.
    const std::string& cause() const noexcept { return cause_; }

  private:
    std::string address_;
    std::string cause_;
};

/// `BatchStream::cancel` was called.
class Cancelled : public Error {
  public:
    Cancelled();
};

/// What is wrong with a part of a batch.
class PartError : public Error {
  public:
    enum class Kind {
        header_checksum,   ///< The CRC32C of the header differs.
        payload_checksum,  ///< The CRC32C of the payload differs.
        header,            ///< The header can't be read.
        tensor,            ///< A tensor's dtype is unknown, or it is not where the contract says.
        offset,            ///< A part is missing, comes twice or is too long.
        length,            ///< The batch is longer than any that was described.
        early,             ///< A header came before all bytes of the batch before it.
        headless,          ///< A batch's first part has no header.
    };

    PartError(Kind kind, const std::string& what) : Error(what), kind_(kind) {}

    Kind kind() const noexcept { return kind_; }

  private:
    Kind kind_;
};

}  // namespace feedline
