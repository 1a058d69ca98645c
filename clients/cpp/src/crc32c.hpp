#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace feedline {

/// CRC32C (Castagnoli) of what `crc` is that of, and `bytes` behind it; 0 is that of nothing. At most 2 GiB - 1, the
/// longest field of a message.
std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes);

}  // namespace feedline
