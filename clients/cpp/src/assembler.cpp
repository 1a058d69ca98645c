#include "feedline/assembler.hpp"

#include <cstring>
#include <span>
#include <sstream>
#include <string>
#include <utility>

#include "crc32c.hpp"
#include "feedline/error.hpp"
#include "pool.hpp"

namespace feedline {
namespace {

using Kind = PartError::Kind;

/// Every tensor begins at a multiple of this many bytes from the payload's start.
constexpr std::uint64_t alignment = 64;

std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span(text));
}

void check_crc(Kind kind, const char* what, std::uint32_t found, std::uint32_t expected) {
    if (found == expected) return;
    std::ostringstream text;
    text << "CRC32C of the " << what << " is " << std::hex << found << ", expected " << expected;
    throw PartError(kind, text.str());
}

/// Bytes of one number; 0 for a dtype that the contract does not know.
std::uint64_t size_of(v1::Dtype dtype) {
    switch (dtype) {
        case v1::DTYPE_UINT8:
            return 1;
        case v1::DTYPE_FP16:
        case v1::DTYPE_BF16:
            return 2;
        case v1::DTYPE_FP32:
            return 4;
        case v1::DTYPE_INT64:
            return 8;
        default:
            return 0;
    }
}

/// The product of shape and size of the dtype; none if it does not fit 64 bits.
std::optional<std::uint64_t> byte_length(const v1::Tensor& tensor) {
    std::uint64_t numbers = 1;
    const auto times = [&numbers](std::uint64_t factor) {
        const bool fits = factor == 0 || numbers <= UINT64_MAX / factor;
        numbers *= factor;
        return fits;
    };
    for (const auto side : tensor.shape()) {
        if (!times(side)) return std::nullopt;
    }
    if (!times(size_of(tensor.dtype()))) return std::nullopt;
    return numbers;
}

/// Every tensor must lie where the contract says, inside the payload and none across another.
void check_tensors(const v1::BatchHeader& header) {
    std::uint64_t end = 0;
    for (const auto& tensor : header.tensors()) {
        std::ostringstream text;
        if (size_of(tensor.dtype()) == 0) {
            text << "tensor \"" << tensor.name() << "\" has the unknown dtype " << static_cast<int>(tensor.dtype());
            throw PartError(Kind::tensor, text.str());
        }
        const auto payload = header.payload_bytes();
        const bool fits = tensor.offset() <= payload && tensor.bytes() <= payload - tensor.offset();
        const bool aligned = tensor.offset() % alignment == 0 && tensor.offset() >= end;
        if (!fits || !aligned || byte_length(tensor) != tensor.bytes()) {
            text << "tensor \"" << tensor.name() << "\" of shape [";
            for (int at = 0; at < tensor.shape_size(); ++at) text << (at ? ", " : "") << tensor.shape(at);
            text << "] has " << tensor.bytes() << " bytes at " << tensor.offset() << " of a payload of " << payload;
            throw PartError(Kind::tensor, text.str());
        }
        end = tensor.offset() + tensor.bytes();
    }
}

}  // namespace

Assembler::Assembler(std::uint64_t most_bytes) : most_bytes_(most_bytes), pool_(std::make_shared<Pool>()) {}

void Assembler::begin(const v1::BatchPart& part) {
    if (partial_) throw PartError(Kind::early, "a batch that begins before the one before it was whole");
    check_crc(Kind::header_checksum, "header", crc32c(0, bytes_of(part.header())), part.header_crc32c());
    Batch batch;
    if (!batch.header_.ParseFromString(part.header())) throw PartError(Kind::header, "a header that is no BatchHeader");
    check_tensors(batch.header_);
    const auto bytes = batch.header_.payload_bytes();
    if (bytes > most_bytes_) {
        throw PartError(Kind::length, "a payload of " + std::to_string(bytes) + " bytes, at most " +
                                          std::to_string(most_bytes_) + " were described");
    }
    batch.timings_ = part.timings();
    batch.memory_ = Pool::take(pool_, bytes);
    partial_ = std::move(batch);
    filled_ = 0;
    crc_ = 0;
}

std::optional<Batch> Assembler::push(const v1::BatchPart& part) {
    if (!part.header().empty()) begin(part);
    if (!partial_) throw PartError(Kind::headless, "a batch that begins without header");
    const auto whole = partial_->header_.payload_bytes();
    const auto data = bytes_of(part.data());
    if (part.offset() != filled_ || data.size() > whole - filled_) {
        std::ostringstream text;
        text << "a part of " << data.size() << " bytes at " << part.offset() << ", expected one at " << filled_
             << " of a payload of " << whole;
        throw PartError(Kind::offset, text.str());
    }
    // The checksum is taken part by part, while the bytes are still in the cache.
    if (!data.empty()) std::memcpy(partial_->memory_.get() + filled_, data.data(), data.size());
    crc_ = crc32c(crc_, data);
    filled_ += data.size();
    if (filled_ < whole) return std::nullopt;
    check_crc(Kind::payload_checksum, "payload", crc_, partial_->header_.payload_crc32c());
    return std::exchange(partial_, std::nullopt);
}

}  // namespace feedline
