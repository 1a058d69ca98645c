#include "crc32c.hpp"

#ifdef FEEDLINE_ABSL_CRC32C
#include <absl/crc/crc32c.h>
#include <absl/strings/string_view.h>
#else
#include <isa-l/crc.h>
#endif

namespace feedline {

std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes) {
#ifdef FEEDLINE_ABSL_CRC32C
    const absl::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return static_cast<std::uint32_t>(absl::ExtendCrc32c(absl::crc32c_t{crc}, text));
#else
    // It takes the register instead of the checksum, and a pointer that it only reads from.
    auto* data = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(bytes.data()));
    return ~crc32_iscsi(data, static_cast<int>(bytes.size()), ~crc);
#endif
}

}  // namespace feedline
