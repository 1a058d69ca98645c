#pragma once

#include <feedline/v1/service.pb.h>
#include <feedline/error.hpp>
#include <feedline/stream.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace feedline {

/// Revision of the contract that this client was written from.
inline constexpr std::uint32_t contract_revision = 1;

/// A client of one server. Cheap to copy; connects when it is used, anew for every stream. Its members may be called
/// from several threads.
class Client {
  public:
    /// A client of the server at `address`: `HOST:PORT`, `http://HOST:PORT` or `unix:PATH`. Whether anybody is there
    /// shows with the first request. Throws AddressError.
    explicit Client(std::string address, Options options = {});

    /// What datasets there are. Throws Refused or Unreachable, as all that follow.
    v1::ListDatasetsResponse list_datasets() const;

    /// A page of the samples of a split.
    v1::ListSamplesResponse list_samples(v1::ListSamplesRequest request) const;

    /// What `loader` would give; checks all of it. Throws Refused with the server's reason if it can't succeed.
    v1::DescribeResponse describe(const Loader& loader) const;

    /// Batches of `loader`, from its start cursor on. Describes it first, so that what can't succeed throws here; from
    /// then on the stream insists on the dataset and spec that were described.
    BatchStream stream(Loader loader) const;

    /// The address as it was given.
    const std::string& address() const noexcept { return address_; }

  private:
    template <class Response, class Request, class Call>
    Response retried(Request request, Call call) const;

    std::string address_;
    std::string target_;
    Options options_;
};

}  // namespace feedline
