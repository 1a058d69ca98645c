#include "pool.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace feedline {
namespace {

constexpr std::align_val_t alignment{64};
/// Most blocks that lie about; a client has one batch in hand and one on its way.
constexpr std::size_t most_spare = 2;

}  // namespace

Pool::Pool() {
    spare_.reserve(most_spare);
}

void Pool::Free::operator()(std::byte* memory) const noexcept {
    ::operator delete[](memory, alignment);
}

std::shared_ptr<std::byte[]> Pool::take(const std::shared_ptr<Pool>& pool, std::size_t bytes) {
    if (bytes == 0) return nullptr;
    Block block = pool->spare(bytes);
    if (!block.memory) {
        block.memory.reset(static_cast<std::byte*>(::operator new[](bytes, alignment)));
        block.bytes = bytes;
    }
    const auto capacity = block.bytes;
    const auto back = [pool, capacity](std::byte* memory) {
        pool->give({std::unique_ptr<std::byte[], Free>(memory), capacity});
    };
    return {block.memory.release(), back};
}

Pool::Block Pool::spare(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    const auto fits = [bytes](const Block& block) {
        return block.bytes >= bytes && block.bytes <= bytes + bytes / 4 + 4096;
    };
    const auto found = std::ranges::find_if(spare_, fits);
    if (found == spare_.end()) return {};
    Block block = std::move(*found);
    spare_.erase(found);
    return block;
}

void Pool::give(Block block) noexcept {
    const std::lock_guard lock(mutex_);
    if (spare_.size() == most_spare) spare_.erase(spare_.begin());
    spare_.push_back(std::move(block));
}

}  // namespace feedline
