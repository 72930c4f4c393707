#include "swarmgate/base/chunked.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "support/rounds.h"

namespace swarmgate {
namespace {

using Map = SharedMap<int, std::string>;
using Plain = std::map<int, std::string>;

Map Numbers(int count) {
  Map map;
  for (int i = 0; i < count; ++i) map.emplace(i, std::to_string(i));
  return map;
}

Plain ToPlain(const Map& map) { return Plain(map.begin(), map.end()); }

/// What Diff says, carried out on a plain map.
Plain Follow(Plain plain, const Map& from, const Map& to, std::size_t& steps) {
  Map::Diff(
      from, to,
      [&](const auto& gone) {
        ++steps;
        EXPECT_EQ(plain.erase(gone.first), 1U);
      },
      [&](const auto& come) {
        ++steps;
        EXPECT_TRUE(plain.emplace(come).second);
      },
      [&](const auto& before, const auto& after) {
        ++steps;
        EXPECT_EQ(before.first, after.first);
        EXPECT_EQ(plain.at(before.first), before.second);
        plain[after.first] = after.second;
      });
  return plain;
}

TEST(ChunkedTest, BehavesAsAPlainSequence) {
  for (unsigned seed = 0; seed < swarmgate::testing::Rounds(60); ++seed) {
    std::mt19937 random(seed);
    Chunked<int> chunked;
    std::vector<int> plain;
    for (int i = 0; i < 600; ++i) {
      const std::size_t at = random() % (plain.size() + 1);
      const auto place = at == plain.size() ? chunked.end() : chunked.At(at);
      const auto plain_place = plain.begin() + static_cast<std::ptrdiff_t>(at);
      if (random() % 3 != 0 || at == plain.size()) {
        EXPECT_EQ(*chunked.insert(place, i), i);
        plain.insert(plain_place, i);
      } else if (random() % 2 == 0) {
        const auto next = chunked.erase(place);
        const auto plain_next = plain.erase(plain_place);
        ASSERT_EQ(next == chunked.end(), plain_next == plain.end());
        if (plain_next != plain.end()) {
          EXPECT_EQ(*next, *plain_next);
        }
      } else {
        chunked.Edit(place) = plain[at] = -i;
      }
    }
    ASSERT_EQ(chunked.ToVector(), plain) << "seed " << seed;
    ASSERT_EQ(chunked.size(), plain.size());
    std::vector<int> backwards;
    for (auto it = chunked.end(); it != chunked.begin();) backwards.push_back(*--it);
    std::reverse(backwards.begin(), backwards.end());
    EXPECT_EQ(backwards, plain);
    EXPECT_EQ(chunked, Chunked<int>(plain));
  }
}

TEST(ChunkedTest, NoCopyChangesWithAnother) {
  for (unsigned seed = 0; seed < swarmgate::testing::Rounds(60); ++seed) {
    std::mt19937 random(seed);
    std::vector<std::pair<Map, Plain>> worlds{{Numbers(300), ToPlain(Numbers(300))}};
    for (int i = 0; i < 500; ++i) {
      const std::size_t which = random() % worlds.size();
      switch (random() % 8) {
        case 0:
          if (worlds.size() < 6) worlds.push_back(worlds[which]);
          break;
        case 1:
          worlds[random() % worlds.size()] = std::pair(worlds[which]);
          break;
        default: {
          auto& [map, plain] = worlds[which];
          const int key = static_cast<int>(random() % 400);
          if (random() % 3 == 0) {
            EXPECT_EQ(map.erase(key), plain.erase(key));
          } else if (random() % 2 == 0) {
            map.insert_or_assign(key, std::to_string(i));
            plain[key] = std::to_string(i);
          } else {
            map[key] += "x";
            plain[key] += "x";
          }
        }
      }
    }
    for (const auto& [map, plain] : worlds) {
      ASSERT_EQ(ToPlain(map), plain) << "seed " << seed;
      std::size_t steps = 0;
      for (const auto& [other, other_plain] : worlds) {
        ASSERT_EQ(map == other, plain == other_plain);
        ASSERT_EQ(Follow(plain, map, other, steps), other_plain) << "seed " << seed;
      }
    }
  }
}

TEST(ChunkedTest, ADifferenceLooksOnlyAtWhatIsNotShared) {
  static int compared = 0;
  struct Counting {
    int value = 0;
    bool operator==(const Counting& other) const {
      ++compared;
      return value == other.value;
    }
  };
  SharedMap<int, Counting> before;
  for (int i = 0; i < 10'000; ++i) before.emplace(i, Counting{i});
  SharedMap<int, Counting> after = before;
  after[5000].value = 1;
  after.erase(9000);
  after.emplace(20'000, Counting{});
  int seen = 0;
  const auto count = [&seen](const auto&...) { ++seen; };
  compared = 0;
  SharedMap<int, Counting>::Diff(before, after, count, count, count);
  EXPECT_EQ(seen, 3);
  EXPECT_LE(compared, 4 * 64);
  EXPECT_FALSE(before == after);
}

TEST(ChunkedTest, TheSameValueIsNoChange) {
  Map map = Numbers(200);
  const Map copy = map;
  map.insert_or_assign(100, "100");
  EXPECT_FALSE(map.emplace(100, "other"));
  EXPECT_EQ(map, copy);
  EXPECT_EQ(map.at(100), "100");
  EXPECT_EQ(map.count(500), 0U);
}

}  // namespace
}  // namespace swarmgate
