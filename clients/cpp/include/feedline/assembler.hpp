#pragma once

#include <feedline/batch.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace feedline {

class Pool;

/// Puts batches together from their parts, and checks each. For whoever brings the messages here by another way than
/// `Client`.
class Assembler {
  public:
    /// For batches of at most `most_bytes` bytes: `DescribeResponse.payload_bytes`.
    explicit Assembler(std::uint64_t most_bytes);

    /// Takes the next part; returns the batch that it completes. Throws PartError when the part breaks the contract or
    /// a checksum; after that the assembler is of no use any more.
    std::optional<Batch> push(const v1::BatchPart& part);

  private:
    void begin(const v1::BatchPart& part);

    std::uint64_t most_bytes_;
    std::shared_ptr<Pool> pool_;
    /// The batch that is on its way, how many of its bytes have arrived, and their checksum.
    std::optional<Batch> partial_;
    std::uint64_t filled_ = 0;
    std::uint32_t crc_ = 0;
};

}  // namespace feedline
