#pragma once

#include <google/protobuf/struct.pb.h>
#include <feedline/batch.hpp>

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

/// What the vectors say of a batch, and the same of one that came.
struct ExpectedTensor {
    std::string name;
    std::string dtype;
    std::vector<std::uint64_t> shape;
    std::vector<double> first;

    bool operator==(const ExpectedTensor&) const = default;
};

struct Expected {
    std::uint64_t epoch = 0;
    std::uint64_t step = 0;
    std::vector<std::uint64_t> samples;
    std::vector<ExpectedTensor> tensors;
    std::string sha256;

    static Expected of(const feedline::Batch& batch);
    static std::vector<Expected> of(const google::protobuf::Value& batches);

    bool operator==(const Expected&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Expected& expected);

/// The cases of a file of the vectors.
std::vector<google::protobuf::Value> cases_of(const std::string& file);

/// A field of a JSON object; null if there is none.
const google::protobuf::Value& field(const google::protobuf::Value& object, const std::string& name);

/// A message that is kept serialized, in base64.
template <class Message>
Message decoded(const google::protobuf::Value& base64);

std::string sha256(std::span<const std::byte> bytes);
std::string bytes_of_base64(const std::string& text);

template <class Message>
Message decoded(const google::protobuf::Value& base64) {
    Message message;
    if (!message.ParseFromString(bytes_of_base64(base64.string_value()))) throw std::runtime_error("no such message");
    return message;
}
