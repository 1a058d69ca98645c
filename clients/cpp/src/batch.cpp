#include "feedline/batch.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace feedline {

Fp16::operator float() const noexcept {
    const std::uint32_t sign = (bits & 0x8000u) << 16;
    const std::uint32_t exponent = bits >> 10 & 0x1f;
    const std::uint32_t fraction = bits & 0x3ff;
    if (exponent == 0) {  // zero or subnormal
        const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
        return sign ? -magnitude : magnitude;
    }
    const std::uint32_t wide = exponent == 0x1f ? 0xff : exponent + 112;
    return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

void Tensor::require(v1::Dtype dtype) const {
    if (this->dtype() != dtype) {
        throw std::invalid_argument("tensor \"" + name() + "\" holds " + v1::Dtype_Name(this->dtype()) + ", not " +
                                    v1::Dtype_Name(dtype));
    }
}

std::optional<Tensor> Batch::find(std::string_view name) const& {
    const auto& all = header_.tensors();
    const auto found =
        std::ranges::find(all, name, [](const v1::Tensor& info) -> std::string_view { return info.name(); });
    if (found == all.end()) return std::nullopt;
    return view(*found);
}

Tensor Batch::tensor(std::string_view name) const& {
    if (const auto found = find(name)) return *found;
    throw std::out_of_range("the batch has no tensor \"" + std::string(name) + "\"");
}

std::vector<Tensor> Batch::tensors() const& {
    std::vector<Tensor> all;
    all.reserve(static_cast<std::size_t>(header_.tensors_size()));
    for (const auto& info : header_.tensors()) all.push_back(view(info));
    return all;
}

std::vector<std::uint64_t> Batch::samples() const {
    if (const auto tensor = find("sample")) {
        const auto indices = tensor->as<std::int64_t>();
        return {indices.begin(), indices.end()};
    }
    return {header_.samples().begin(), header_.samples().end()};
}

}  // namespace feedline
