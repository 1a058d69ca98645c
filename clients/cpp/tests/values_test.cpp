// Promise: numbers, addresses and pauses are what they are said to be.

#include <gtest/gtest.h>
#include <feedline/batch.hpp>
#include <feedline/client.hpp>
#include <feedline/views.hpp>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "crc32c.hpp"
#include "retry.hpp"

namespace {

using namespace std::chrono_literals;
using feedline::Bf16;
using feedline::Fp16;

TEST(Values, SixteenBitsAreExactFloats) {
    EXPECT_EQ(float(Fp16{0x3c00}), 1.0F);
    EXPECT_EQ(float(Fp16{0xc500}), -5.0F);
    EXPECT_EQ(float(Fp16{0x7bff}), 65504.0F);
    EXPECT_EQ(float(Fp16{0x0001}), 0x1p-24F);
    EXPECT_EQ(float(Fp16{0x83ff}), -0x1.ff8p-15F);
    EXPECT_EQ(float(Fp16{0xfc00}), -std::numeric_limits<float>::infinity());
    EXPECT_TRUE(std::isnan(float(Fp16{0x7e00})));
    EXPECT_TRUE(std::signbit(float(Fp16{0x8000})));
    EXPECT_EQ(float(Bf16{0x3f80}), 1.0F);
    EXPECT_EQ(float(Bf16{0xc0a0}), -5.0F);
}

TEST(Values, Crc32cIsCastagnoliAndGoesOn) {
    const std::string text = "123456789";
    const auto bytes = std::as_bytes(std::span(text));
    EXPECT_EQ(feedline::crc32c(0, bytes), 0xE306'9283U);
    EXPECT_EQ(feedline::crc32c(feedline::crc32c(0, bytes.first(4)), bytes.subspan(4)), 0xE306'9283U);
    EXPECT_EQ(feedline::crc32c(0, {}), 0U);
}

TEST(Values, EverySampleGetsTheMeanOfItsViews) {
    const std::vector<float> predictions{1, 10, 3, 20, 5, 0, 7, 2};
    EXPECT_EQ(feedline::mean_of_views(predictions, 2, 2), (std::vector<float>{2, 15, 6, 1}));
    EXPECT_EQ(feedline::mean_of_views(predictions, 0, 2), predictions);
    EXPECT_TRUE(feedline::mean_of_views({}, 4, 3).empty());
    EXPECT_THROW(feedline::mean_of_views(std::vector<float>(9), 2, 3), std::invalid_argument);
    EXPECT_THROW(feedline::mean_of_views(std::vector<float>(1), 2, 0), std::invalid_argument);
}

TEST(Values, AddressesAreChecked) {
    for (const auto* good : {"localhost:1", "http://127.0.0.1:50051", "[::1]:50051", "unix:/run/feedline"}) {
        EXPECT_EQ(feedline::Client(good).address(), good);
    }
    for (const auto* bad :
         {"", "localhost", ":1", "host:", "host:x", "host:65536", "[::1]", "unix:", "https://host:1", "host:1/path"}) {
        EXPECT_THROW(feedline::Client{bad}, feedline::AddressError) << bad;
    }
}

TEST(Values, PausesGrowAndEndWithTheLimit) {
    feedline::Retry retry(1h);
    const auto first = *retry.next();
    EXPECT_GE(first, 25ms);
    EXPECT_LE(first, 75ms);
    for (int tries = 0; tries < 10; ++tries) retry.next();
    EXPECT_GE(*retry.next(), 2500ms);
    retry.reset();
    EXPECT_LE(*retry.next(), 75ms);
    EXPECT_FALSE(feedline::Retry(0s).next());
}

}  // namespace
