#include <gtest/gtest.h>

#include <thread>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/base/inbox.h"
#include "swarmgate/base/log.h"

namespace swarmgate {
namespace {

SteadyTime Soon() { return std::chrono::steady_clock::now() + std::chrono::milliseconds(20); }
SteadyTime Late() { return std::chrono::steady_clock::now() + std::chrono::seconds(20); }

TEST(Inbox, HandsMessagesOverInOrder) {
  Inbox<int> inbox;
  std::thread producer([&] {
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(inbox.Push(i));
  });
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(inbox.PopUntil(Late()), i);
  producer.join();
}

TEST(Inbox, GivesNothingWhenTheDeadlinePasses) {
  Inbox<int> inbox;
  EXPECT_EQ(inbox.PopUntil(Soon()), std::nullopt);
}

TEST(Inbox, WakesTheOwnerWhenItIsClosedAndTakesNoMore) {
  Inbox<int> inbox;
  ASSERT_TRUE(inbox.Push(1));
  std::thread closer([&] { inbox.Close(); });
  EXPECT_EQ(inbox.PopUntil(Late()), 1);
  EXPECT_EQ(inbox.PopUntil(Late()), std::nullopt);
  closer.join();
  EXPECT_FALSE(inbox.Push(2));
}

TEST(Cell, ReadersKeepWhatTheyGot) {
  Cell<int> cell(std::make_shared<const int>(1));
  const auto before = cell.Get();
  cell.Set(std::make_shared<const int>(2));
  EXPECT_EQ(*before, 1);
  EXPECT_EQ(*cell.Get(), 2);
}

TEST(Events, AreServedToThoseWhoWaitForThem) {
  const auto known = EventsAfter(0, Soon());
  const std::uint64_t last = known.empty() ? 0 : known.back().sequence;
  std::thread logger([] {
    LogEvent(LogLevel::kDebug, "NOT_KEPT", "debug lines are no events");
    LogEvent(LogLevel::kInfo, "TESTED", "a line\nforged", {{"service", "web"}});
  });
  const auto events = EventsAfter(last, Late());
  logger.join();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].id, "TESTED");
  EXPECT_EQ(events[0].text, "a line\\x0aforged");
  EXPECT_EQ(events[0].fields,
            (std::vector<std::pair<std::string, std::string>>{{"service", "web"}}));
}

TEST(Events, NumbersOfALaterRunAreGreater) {
  LogEvent(LogLevel::kInfo, "TESTED", "something");
  const auto events = EventsAfter(0, Soon());
  ASSERT_FALSE(events.empty());
  // An earlier run ended before this one began.
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  const auto number = static_cast<std::int64_t>(events.front().sequence);
  EXPECT_LE(number, now);
  EXPECT_GT(number, now - 600'000'000);
  EXPECT_LT(events.back().sequence, 1ULL << 53U) << "exact in every JSON reader";
  // Of a number that was never given nothing is known: nothing is kept back.
  EXPECT_EQ(EventsAfter(1ULL << 60U, Soon()).size(), EventsAfter(0, Soon()).size());
}

TEST(Log, KnowsItsLevels) {
  EXPECT_TRUE(SetLogLevel("warning"));
  EXPECT_FALSE(SetLogLevel("loud"));
  EXPECT_TRUE(SetLogLevel("info"));
}

TEST(FormatWallTime, IsRfc3339InUtc) {
  EXPECT_EQ(FormatWallTime(WallTime(std::chrono::milliseconds(1700000000123))),
            "2023-11-14T22:13:20.123Z");
}

TEST(Error, NamesWhatWasBeingDone) {
  const Status status =
      Forward(Error{Code::kUnavailable, "connection refused", "GET /info"}, "docker");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().ToString(), "docker: GET /info: connection refused");
  EXPECT_EQ(CodeName(status.error().code), "unavailable");
}

}  // namespace
}  // namespace swarmgate
