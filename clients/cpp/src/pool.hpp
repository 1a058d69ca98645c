#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace feedline {

/// Memory of batches that are gone, for those to come: fresh memory costs a page fault per 4 KiB.
class Pool {
  public:
    Pool();

    /// At least `bytes` bytes of any content, at an address that is a multiple of 64. They go back to `pool` when the
    /// last owner is gone, from any thread.
    static std::shared_ptr<std::byte[]> take(const std::shared_ptr<Pool>& pool, std::size_t bytes);

  private:
    struct Free {
        void operator()(std::byte* memory) const noexcept;
    };
    struct Block {
        std::unique_ptr<std::byte[], Free> memory;
        std::size_t bytes = 0;
    };

    Block spare(std::size_t bytes);
    void give(Block block) noexcept;

    std::mutex mutex_;
    std::vector<Block> spare_;
};

}  // namespace feedline
