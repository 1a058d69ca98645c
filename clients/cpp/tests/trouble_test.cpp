// Promise: whatever arrives, each batch is handed out once and in order, or the reason is thrown.

#include <gtest/gtest.h>
#include <feedline/client.hpp>

#include <chrono>
#include <future>
#include <ostream>
#include <string>
#include <vector>

#include "fake.hpp"

namespace {

using namespace std::chrono_literals;
using feedline::BatchStream;
using grpc::StatusCode;

const std::string rubbish(9, '\xff');

/// A sound message whose header has a bit too much.
std::string damaged(std::uint64_t step) {
    feedline::v1::BatchPart part;
    part.ParseFromString(::part(step));
    part.set_header_crc32c(part.header_crc32c() ^ 1);
    return part.SerializeAsString();
}

BatchStream stream_of(const Fake& fake, std::uint64_t count, std::chrono::milliseconds retry_for = 60s) {
    feedline::Loader loader;
    loader.delivery.set_count(count);
    return feedline::Client(fake.address(), {.retry_for = retry_for}).stream(loader);
}

std::vector<std::uint64_t> steps_of(BatchStream& stream) {
    std::vector<std::uint64_t> steps;
    for (const auto& batch : stream) steps.push_back(batch.header().step());
    return steps;
}

/// What breaks off after the first batch, and is made good by the second try.
struct Break {
    const char* name;
    Answer answer;
};

void PrintTo(const Break& test, std::ostream* out) {
    *out << test.name;
}

class Cut : public testing::TestWithParam<Break> {};

TEST_P(Cut, GoesOnWithTheNextBatch) {
    Answer first = GetParam().answer;
    first.messages.insert(first.messages.begin(), part(0));
    Fake fake({first, {{part(1), part(2)}}});
    auto stream = stream_of(fake, 3);
    EXPECT_EQ(steps_of(stream), (std::vector<std::uint64_t>{0, 1, 2}));
    EXPECT_EQ(stream.reconnects(), 1U);
    const auto asked = fake.asked();
    ASSERT_EQ(asked.size(), 2U);
    EXPECT_EQ(asked[0].start().spec_fingerprint(), "spec");
    EXPECT_EQ(asked[0].start().dataset_fingerprint(), "dataset");
    EXPECT_EQ(asked[1].start().step(), 1U);
    EXPECT_EQ(asked[1].count(), 2U);
}

const Break breaks[] = {
    {"EndedEarly", {}},
    {"Damaged", {{damaged(1)}}},
    {"DamagedAndStillThere", {{damaged(1)}, {}, "", true}},
    {"UndecodableAndStillThere", {{rubbish}, {}, "", true}},
    {"AnotherBatch", {{part(2)}}},
    {"Stopping", {{}, {StatusCode::UNAVAILABLE, "stopping"}, "retry"}},
    {"Full", {{}, {StatusCode::RESOURCE_EXHAUSTED, "full"}, "retry"}},
    {"Internal", {{}, {StatusCode::INTERNAL, "RST_STREAM"}}},
    {"Unknown", {{}, {StatusCode::UNKNOWN, "reset by peer"}}},
};

INSTANTIATE_TEST_SUITE_P(Trouble, Cut, testing::ValuesIn(breaks),
                         [](const auto& test) -> std::string { return test.param.name; });

TEST(Trouble, AStatusThatIsFinalIsThrownAtOnce) {
    Fake fake({{{}, {StatusCode::UNAVAILABLE, "never again"}, "final"}, {{part(0)}}});
    auto stream = stream_of(fake, 1);
    try {
        stream.next();
        ADD_FAILURE() << "not refused";
    } catch (const feedline::Refused& refused) {
        EXPECT_EQ(refused.code(), StatusCode::UNAVAILABLE);
        EXPECT_EQ(refused.reason(), "never again");
    }
    EXPECT_EQ(fake.asked().size(), 1U);
    EXPECT_EQ(steps_of(stream), std::vector<std::uint64_t>{0}) << "it may be asked again";
}

TEST(Trouble, WithoutPatienceTheServersReasonIsThrown) {
    Fake fake({{{}, {StatusCode::RESOURCE_EXHAUSTED, "full"}, "retry"}, {{}, {StatusCode::INTERNAL, "reset"}}});
    auto stream = stream_of(fake, 1, 0ms);
    EXPECT_THROW(stream.next(), feedline::Refused);
    EXPECT_THROW(stream.next(), feedline::Unreachable);
}

TEST(Trouble, DamageAgainAndAgainIsThrown) {
    Fake fake({{{damaged(0)}}, {{damaged(0)}}, {{damaged(0)}}, {{damaged(0)}}, {{damaged(0)}}, {{part(0)}}});
    auto stream = stream_of(fake, 1);
    EXPECT_THROW(stream.next(), feedline::BrokenContract);
    EXPECT_EQ(fake.asked().size(), 5U);
    EXPECT_EQ(steps_of(stream), std::vector<std::uint64_t>{0});
}

TEST(Trouble, TheEndOfAnEpochIsTheStartOfTheNext) {
    feedline::v1::Cursor end, behind;
    end.set_step(3);
    behind.set_epoch(1);
    behind.set_step(1);
    Fake fake({{{part(0), part(1), part(0, 2, end), part(1, 0, behind)}}});
    auto stream = stream_of(fake, 4);
    EXPECT_EQ(steps_of(stream), (std::vector<std::uint64_t>{0, 1, 2, 0}));
    EXPECT_EQ(stream.cursor().epoch(), 1U);
}

TEST(Trouble, CancelEndsANextThatWaits) {
    Fake fake({{{}, {}, "", true}});
    auto stream = stream_of(fake, 1);
    auto waiting = std::async(std::launch::async, [&] { stream.next(); });
    fake.wait_for(1);
    stream.cancel();
    EXPECT_THROW(waiting.get(), feedline::Cancelled);
    EXPECT_THROW(stream.next(), feedline::Cancelled);
}

TEST(Trouble, AStreamThatIsDroppedOrMovedLetsGoOfTheServer) {
    Fake fake({{{part(0)}, {}, "", true}, {{part(0)}, {}, "", true}});
    auto stream = stream_of(fake, 2);
    EXPECT_TRUE(stream.next());
    stream = stream_of(fake, 2);
    EXPECT_TRUE(stream.next());
    // The fake's end waits for nobody: it would not come if a call of a stream were still alive.
}

}  // namespace
