#include "expected.hpp"

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/wrappers.pb.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <ostream>
#include <stdexcept>

namespace {

using google::protobuf::Value;

template <class Number>
std::vector<double> first_as(const feedline::Tensor& tensor) {
    const auto numbers = tensor.as<Number>();
    std::vector<double> first;
    for (const auto number : numbers.first(std::min<std::size_t>(numbers.size(), 4))) {
        if constexpr (std::is_same_v<Number, std::int64_t>) {
            first.push_back(static_cast<double>(number));
        } else {
            first.push_back(static_cast<float>(number));
        }
    }
    return first;
}

std::vector<double> first(const feedline::Tensor& tensor) {
    switch (tensor.dtype()) {
        case feedline::v1::DTYPE_UINT8:
            return first_as<std::uint8_t>(tensor);
        case feedline::v1::DTYPE_FP16:
            return first_as<feedline::Fp16>(tensor);
        case feedline::v1::DTYPE_BF16:
            return first_as<feedline::Bf16>(tensor);
        case feedline::v1::DTYPE_FP32:
            return first_as<float>(tensor);
        default:
            return first_as<std::int64_t>(tensor);
    }
}

template <class Number>
std::vector<Number> numbers(const Value& list) {
    std::vector<Number> numbers;
    for (const auto& value : list.list_value().values()) numbers.push_back(static_cast<Number>(value.number_value()));
    return numbers;
}

template <class Message>
Message from_json(const std::string& text) {
    Message message;
    const auto status = google::protobuf::util::JsonStringToMessage(text, &message);
    if (!status.ok()) throw std::runtime_error(status.ToString());
    return message;
}

}  // namespace

Expected Expected::of(const feedline::Batch& batch) {
    Expected expected{batch.header().epoch(), batch.header().step(), batch.samples(), {}, ::sha256(batch.payload())};
    for (const auto& tensor : batch.tensors()) {
        const auto dtype = feedline::v1::Dtype_Name(tensor.dtype()).substr(std::string("DTYPE_").size());
        const auto shape = tensor.shape();
        expected.tensors.push_back({tensor.name(), dtype, {shape.begin(), shape.end()}, first(tensor)});
    }
    return expected;
}

std::vector<Expected> Expected::of(const Value& batches) {
    std::vector<Expected> all;
    for (const auto& batch : batches.list_value().values()) {
        Expected expected;
        expected.epoch = static_cast<std::uint64_t>(field(batch, "epoch").number_value());
        expected.step = static_cast<std::uint64_t>(field(batch, "step").number_value());
        expected.samples = numbers<std::uint64_t>(field(batch, "samples"));
        expected.sha256 = field(batch, "sha256").string_value();
        for (const auto& tensor : field(batch, "tensors").list_value().values()) {
            expected.tensors.push_back({field(tensor, "name").string_value(), field(tensor, "dtype").string_value(),
                                        numbers<std::uint64_t>(field(tensor, "shape")),
                                        numbers<double>(field(tensor, "first"))});
        }
        all.push_back(std::move(expected));
    }
    return all;
}

std::ostream& operator<<(std::ostream& out, const Expected& expected) {
    out << expected.epoch << ":" << expected.step << " of";
    for (const auto sample : expected.samples) out << " " << sample;
    for (const auto& tensor : expected.tensors) {
        out << ", " << tensor.name << " " << tensor.dtype << " [";
        for (const auto side : tensor.shape) out << " " << side;
        out << " ] of";
        for (const auto number : tensor.first) out << " " << number;
    }
    return out << ", " << expected.sha256;
}

std::vector<Value> cases_of(const std::string& file) {
    std::ifstream in(std::string(FEEDLINE_VECTORS) + "/" + file);
    if (!in) throw std::runtime_error("no file " + file);
    const auto list = from_json<google::protobuf::ListValue>({std::istreambuf_iterator<char>(in), {}});
    return {list.values().begin(), list.values().end()};
}

const Value& field(const Value& object, const std::string& name) {
    static const Value none;
    const auto& fields = object.struct_value().fields();
    const auto found = fields.find(name);
    return found == fields.end() ? none : found->second;
}

std::string sha256(std::span<const std::byte> bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr);
    std::string hex;
    for (unsigned at = 0; at < length; ++at) {
        hex += "0123456789abcdef"[digest[at] >> 4];
        hex += "0123456789abcdef"[digest[at] & 15];
    }
    return hex;
}

std::string bytes_of_base64(const std::string& text) {
    return from_json<google::protobuf::BytesValue>("\"" + text + "\"").value();
}
