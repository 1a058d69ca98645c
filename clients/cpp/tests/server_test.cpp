// Promise: batches are those that every other client gets, to the byte, whatever becomes of the server in between.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <feedline/client.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "expected.hpp"
#include "program.hpp"

namespace {

using namespace std::chrono_literals;
using feedline::Client;
using feedline::Loader;
using google::protobuf::Value;

/// One server for all tests but those that end it.
Client client() {
    static const Program program;
    return Client(program.address(), {.name = "tests"});
}

Loader loader_of(const Value& test) {
    const auto request = decoded<feedline::v1::StreamRequest>(field(test, "request"));
    return {request.spec(), request.placement(), request.delivery()};
}

/// A case, by a part of its name.
Value case_named(const std::string& part) {
    for (const auto& test : cases_of("batches.json")) {
        if (field(test, "name").string_value().find(part) != std::string::npos) return test;
    }
    throw std::runtime_error("no case " + part);
}

Loader loader_named(const std::string& part) {
    return loader_of(case_named(part));
}

std::vector<Expected> rest_of(feedline::BatchStream& stream) {
    std::vector<Expected> batches;
    for (const auto& batch : stream) batches.push_back(Expected::of(batch));
    return batches;
}

template <class Call>
feedline::Refused refusal(Call call) {
    try {
        call();
    } catch (const feedline::Refused& refused) {
        return refused;
    }
    throw std::runtime_error("not refused");
}

TEST(Server, BatchesAreThoseOfTheVectors) {
    const auto cases = cases_of("batches.json");
    ASSERT_FALSE(cases.empty());
    for (const auto& test : cases) {
        SCOPED_TRACE(field(test, "name").string_value());
        auto stream = client().stream(loader_of(test));
        std::vector<Expected> batches;
        for (const auto& batch : stream) {
            batches.push_back(Expected::of(batch));
            for (const auto& tensor : batch.tensors()) {
                EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.bytes().data()) % 64, 0U) << tensor.name();
            }
            EXPECT_EQ(stream.cursor().step(), batch.header().next().step());
        }
        EXPECT_EQ(batches, Expected::of(field(test, "batches")));
        EXPECT_FALSE(stream.next()) << "the end stays the end";
        EXPECT_EQ(stream.reconnects(), 0U);
    }
}

TEST(Server, ACursorThatWasSavedGoesOnInAFreshClient) {
    for (const auto& test : cases_of("batches.json")) {
        SCOPED_TRACE(field(test, "name").string_value());
        auto expected = Expected::of(field(test, "batches"));
        std::string saved;
        {
            auto stream = client().stream(loader_of(test));
            EXPECT_EQ(Expected::of(stream.next().value()), expected.front());
            saved = stream.cursor().SerializeAsString();
        }
        expected.erase(expected.begin());
        auto loader = loader_of(test);
        ASSERT_TRUE(loader.delivery.mutable_start()->ParseFromString(saved));
        loader.delivery.set_count(expected.size());
        auto stream = client().stream(loader);
        EXPECT_EQ(rest_of(stream), expected);
    }
}

TEST(Server, KilledAndStartedAgainCostsNoBatch) {
    // Far more than fits in the buffers on the way, so that the stream is cut in its middle.
    auto loader = loader_named("FP32 NCHW");
    loader.delivery.set_count(200);
    auto whole = client().stream(loader);
    const auto expected = rest_of(whole);
    ASSERT_EQ(expected.size(), 200U);
    const auto epoch = Expected::of(field(case_named("FP32 NCHW"), "batches"));
    EXPECT_TRUE(std::ranges::equal(epoch, expected | std::views::take(epoch.size())));

    Program mortal;
    auto stream = Client(mortal.address()).stream(loader);
    std::vector<Expected> batches{Expected::of(stream.next().value()), Expected::of(stream.next().value())};
    mortal.kill();
    const Program again(mortal.address());
    for (auto& batch : rest_of(stream)) batches.push_back(std::move(batch));
    EXPECT_EQ(batches, expected);
    EXPECT_GE(stream.reconnects(), 1U);
}

TEST(Server, ALargeBatchCarriesItsSamplesAsATensor) {
    Loader loader;
    auto& crop = *loader.spec.mutable_pipeline()->add_ops()->mutable_random_resized_crop();
    crop.set_height(4);
    crop.set_width(4);
    loader.spec.set_global_batch_size(2100);
    loader.spec.set_last_batch(feedline::v1::LAST_BATCH_WRAP);
    loader.delivery.set_count(1);
    auto stream = client().stream(loader);
    const auto batch = stream.next().value();
    EXPECT_EQ(batch.header().samples_size(), 0);
    const auto samples = batch.samples();
    ASSERT_EQ(samples.size(), 2100U);
    EXPECT_EQ(std::set(samples.begin(), samples.end()).size(), stream.description().samples());
    EXPECT_EQ(batch.header().wrapped_rows_size(), 2100 - static_cast<int>(stream.description().samples()));
}

TEST(Server, AUnixSocketServesToo) {
    const auto folder = std::filesystem::temp_directory_path() / ("feedline-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    {
        const Program local("unix:" + (folder / "socket").string());
        auto stream = Client(local.address()).stream(loader_named("BF16"));
        EXPECT_EQ(rest_of(stream).size(), 1U);
    }
    std::filesystem::remove_all(folder);
}

TEST(Server, ARefusalIsThrownAtOnceWithItsReason) {
    auto loader = loader_named("BF16");
    loader.spec.set_global_batch_size(0);
    const auto size = refusal([&] { client().stream(loader); });
    EXPECT_EQ(size.code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_NE(size.reason().find("global_batch_size"), std::string::npos) << size.reason();

    loader = loader_named("BF16");
    loader.spec.mutable_pipeline()->Clear();
    loader.spec.mutable_pipeline()->set_name("nobody-has-it");
    const auto pipeline = refusal([&] { client().describe(loader); });
    EXPECT_EQ(pipeline.code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_NE(std::string(pipeline.what()).find("nobody-has-it"), std::string::npos) << pipeline.what();

    loader = loader_named("BF16");
    loader.delivery.mutable_start()->set_spec_fingerprint(std::string(32, '0'));
    EXPECT_EQ(refusal([&] { client().stream(loader); }).code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST(Server, DatasetsAndSamplesAreListed) {
    const auto datasets = client().list_datasets();
    ASSERT_EQ(datasets.datasets_size(), 1);
    const auto& split = datasets.datasets(0).splits(0);
    EXPECT_EQ(client().list_samples({}).samples_size(), static_cast<int>(split.samples()));
    EXPECT_EQ(client().describe(loader_named("two views")).samples(), split.samples());
}

TEST(NoServer, AnAddressWithoutAServerFailsAfterAWhile) {
    // Bound, so that nobody else takes it, but not listened to.
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof name;
    ASSERT_EQ(bind(socket, reinterpret_cast<sockaddr*>(&name), length), 0);
    ASSERT_EQ(getsockname(socket, reinterpret_cast<sockaddr*>(&name), &length), 0);
    const auto address = "127.0.0.1:" + std::to_string(ntohs(name.sin_port));
    try {
        Client(address, {.retry_for = 300ms}).stream(loader_named("BF16"));
        ADD_FAILURE() << "somebody answered";
    } catch (const feedline::Unreachable& error) {
        EXPECT_GE(error.waited(), 300ms);
        EXPECT_EQ(error.address(), address);
        EXPECT_TRUE(std::string(error.what()).starts_with("no answer from " + address + " for ")) << error.what();
        EXPECT_FALSE(error.cause().empty());
    }
    close(socket);
}

}  // namespace
