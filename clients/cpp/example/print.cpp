// Prints shapes and labels of some batches: print HOST:PORT [BATCHES]

#include <feedline/client.hpp>

#include <cstdint>
#include <exception>
#include <iostream>
#include <string>

namespace {

feedline::Loader loader(std::uint64_t batches) {
    feedline::Loader loader;
    auto& ops = *loader.spec.mutable_pipeline()->mutable_ops();
    auto& crop = *ops.Add()->mutable_random_resized_crop();
    crop.set_height(64);
    crop.set_width(64);
    ops.Add()->mutable_horizontal_flip();
    loader.spec.set_global_batch_size(8);
    loader.spec.set_seed(1);
    loader.delivery.set_dtype(feedline::v1::DTYPE_UINT8);
    loader.delivery.set_count(batches);
    return loader;
}

void print(const feedline::Batch& batch) {
    std::cout << batch.header().epoch() << ":" << batch.header().step();
    for (const auto& tensor : batch.tensors()) {
        std::cout << "  " << tensor.name() << " [";
        for (std::size_t axis = 0; axis < tensor.shape().size(); ++axis) {
            std::cout << (axis == 0 ? "" : ", ") << tensor.shape()[axis];
        }
        std::cout << "]";
    }
    std::cout << "  labels";
    for (const auto label : batch.tensor("label").as<std::int64_t>()) std::cout << " " << label;
    std::cout << "\n";
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 2) {
        std::cerr << "usage: print HOST:PORT [BATCHES]\n";
        return 2;
    }
    try {
        const feedline::Client client(arguments[1]);
        auto stream = client.stream(loader(count > 2 ? std::stoull(arguments[2]) : 5));
        for (const auto& warning : stream.description().warnings()) std::cerr << warning << "\n";
        for (const auto& batch : stream) print(batch);
    } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
}
