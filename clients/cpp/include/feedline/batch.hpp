#pragma once

#include <feedline/v1/batch.pb.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace feedline {

static_assert(std::endian::native == std::endian::little, "tensors are views of little-endian bytes");

/// IEEE half precision, as its bits. Every value is exact in a float.
struct Fp16 {
    std::uint16_t bits;
    operator float() const noexcept;
};

/// bfloat16, as its bits: the upper half of a float's.
struct Bf16 {
    std::uint16_t bits;
    operator float() const noexcept { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
};

/// The dtype whose numbers have the C++ type `T`: std::uint8_t, Fp16, Bf16, float or std::int64_t.
template <class T>
inline constexpr v1::Dtype dtype_of = v1::DTYPE_UNSPECIFIED;
template <>
inline constexpr v1::Dtype dtype_of<std::uint8_t> = v1::DTYPE_UINT8;
template <>
inline constexpr v1::Dtype dtype_of<Fp16> = v1::DTYPE_FP16;
template <>
inline constexpr v1::Dtype dtype_of<Bf16> = v1::DTYPE_BF16;
template <>
inline constexpr v1::Dtype dtype_of<float> = v1::DTYPE_FP32;
template <>
inline constexpr v1::Dtype dtype_of<std::int64_t> = v1::DTYPE_INT64;

/// A tensor of a batch: row-major, dense, at an address that is a multiple of 64. Valid as long as a batch of this
/// payload is.
class Tensor {
  public:
    Tensor(const v1::Tensor& info, std::span<const std::byte> bytes) : info_(&info), bytes_(bytes) {}

    const std::string& name() const { return info_->name(); }
    v1::Dtype dtype() const { return info_->dtype(); }
    /// Rows first. A short last batch may give a rank no row at all: [0, ...].
    std::span<const std::uint64_t> shape() const {
        return {info_->shape().data(), static_cast<std::size_t>(info_->shape_size())};
    }
    /// Views of every sample: row r is view `r % views` of sample `r / views`. 0: one row per sample.
    std::uint32_t views() const { return info_->views(); }
    std::span<const std::byte> bytes() const noexcept { return bytes_; }

    /// Its numbers, without a copy. Throws std::invalid_argument if `T` is not the type of its dtype.
    template <class T>
    std::span<const T> as() const {
        static_assert(dtype_of<T> != v1::DTYPE_UNSPECIFIED, "no dtype has this type");
        require(dtype_of<T>);
        return {reinterpret_cast<const T*>(bytes_.data()), bytes_.size() / sizeof(T)};
    }

  private:
    void require(v1::Dtype dtype) const;

    const v1::Tensor* info_;
    std::span<const std::byte> bytes_;
};

/// A batch as it arrived, checked. Copies share the payload, which never changes.
class Batch {
  public:
    /// What it is: epoch, step, the next cursor, rows that were wrapped or substituted.
    const v1::BatchHeader& header() const noexcept { return header_; }
    /// How long the server took. No part of the batch: it differs from run to run.
    const v1::Timings& timings() const noexcept { return timings_; }
    /// Its tensors back to back, at an address that is a multiple of 64.
    std::span<const std::byte> payload() const noexcept { return {memory_.get(), header_.payload_bytes()}; }

    /// The tensor of a name; none if the batch has none. A tensor may not outlive the batch.
    std::optional<Tensor> find(std::string_view name) const&;
    std::optional<Tensor> find(std::string_view name) const&& = delete;
    /// The tensor of a name. Throws std::out_of_range if the batch has none.
    Tensor tensor(std::string_view name) const&;
    Tensor tensor(std::string_view name) const&& = delete;
    /// All of them, in the order of their offsets.
    std::vector<Tensor> tensors() const&;
    std::vector<Tensor> tensors() const&& = delete;

    /// Sample index of each row, whether it travelled in the header or as a tensor.
    std::vector<std::uint64_t> samples() const;

  private:
    friend class Assembler;
    Batch() = default;
    Tensor view(const v1::Tensor& info) const { return {info, payload().subspan(info.offset(), info.bytes())}; }

    v1::BatchHeader header_;
    v1::Timings timings_;
    std::shared_ptr<std::byte[]> memory_;
};

}  // namespace feedline
