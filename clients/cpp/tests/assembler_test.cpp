// Promise: what is damaged is found, and named as in every other language.

#include <gtest/gtest.h>
#include <feedline/assembler.hpp>
#include <feedline/error.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "expected.hpp"

namespace {

using feedline::Assembler;
using feedline::PartError;
using feedline::v1::BatchPart;

const std::map<PartError::Kind, std::string> kinds{
    {PartError::Kind::header_checksum, "header_checksum"},
    {PartError::Kind::payload_checksum, "payload_checksum"},
    {PartError::Kind::header, "header"},
    {PartError::Kind::tensor, "tensor"},
    {PartError::Kind::offset, "offset"},
    {PartError::Kind::length, "length"},
    {PartError::Kind::early, "early"},
    {PartError::Kind::headless, "headless"},
};

std::vector<BatchPart> parts_of(const google::protobuf::Value& test) {
    std::vector<BatchPart> parts;
    for (const auto& part : field(test, "parts").list_value().values()) parts.push_back(decoded<BatchPart>(part));
    return parts;
}

TEST(Assembler, FindsWhatIsWrongWithThePartsOfTheVectors) {
    const auto cases = cases_of("parts.json");
    ASSERT_FALSE(cases.empty());
    for (const auto& test : cases) {
        SCOPED_TRACE(field(test, "name").string_value());
        Assembler assembler(static_cast<std::uint64_t>(field(test, "most_bytes").number_value()));
        std::vector<Expected> batches;
        std::string error;
        try {
            for (const auto& part : parts_of(test)) {
                if (const auto batch = assembler.push(part)) batches.push_back(Expected::of(*batch));
            }
        } catch (const PartError& found) {
            error = kinds.at(found.kind());
            EXPECT_STRNE(found.what(), "");
        }
        EXPECT_EQ(error, field(test, "error").string_value());
        EXPECT_EQ(batches, Expected::of(field(test, "batches")));
    }
}

TEST(Assembler, MemoryOfABatchThatIsGoneIsUsedAgain) {
    const auto parts = parts_of(cases_of("parts.json").at(0));
    Assembler assembler(4096);
    const auto whole = [&] {
        std::optional<feedline::Batch> batch;
        for (std::size_t at = 0; !batch; ++at) batch = assembler.push(parts.at(at));
        return std::move(*batch);
    };
    std::optional first(whole());
    const auto* address = first->payload().data();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(address) % 64, 0U);
    first.reset();
    const auto second = whole(), third = whole();
    EXPECT_EQ(second.payload().data(), address);
    EXPECT_NE(third.payload().data(), address);
}

TEST(Assembler, ABatchOutlivesItsAssemblerAndItsFirstOwner) {
    const auto parts = parts_of(cases_of("parts.json").at(0));
    std::optional<feedline::Batch> batch;
    {
        Assembler assembler(4096);
        for (std::size_t at = 0; !batch; ++at) batch = assembler.push(parts.at(at));
    }
    const auto expected = Expected::of(*batch);
    const feedline::Batch copy = *batch;
    batch.reset();
    EXPECT_EQ(Expected::of(copy), expected);
    EXPECT_THROW(copy.tensor("label").as<float>(), std::invalid_argument);
    EXPECT_THROW(copy.tensor("nothing"), std::out_of_range);
    EXPECT_FALSE(copy.find("nothing"));
    EXPECT_EQ(copy.tensor("label").as<std::int64_t>()[1], -1);
}

}  // namespace
