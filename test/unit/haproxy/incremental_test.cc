// Whatever a state has become by, its image, slots and files are those of a start with it.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>

#include "support/random_desired.h"
#include "support/rounds.h"
#include "swarmgate/haproxy/plan.h"
#include "swarmgate/haproxy/renderer.h"
#include "swarmgate/haproxy/slot_book.h"

namespace swarmgate::haproxy {
namespace {

using testing::RandomDesired;

/// A desired state that changes by little, most of the time.
class World {
 public:
  explicit World(unsigned seed) : random_(seed), desired_(RandomDesired(random_, 12)) {}

  const model::Desired& Next() {
    const model::Desired other = RandomDesired(random_, 12);
    if (Below(12) == 0) {
      desired_ = other;
      return desired_;
    }
    for (int i = 1 + Below(2); i > 0; --i) Change(other);
    DropDangling();
    return desired_;
  }

  std::vector<model::SlotName> Busy(const SlotMap& slots) {
    std::vector<model::SlotName> busy;
    for (const auto& [name, slot] : slots.assigned) {
      if (Below(8) == 0) busy.push_back(slot);
    }
    return busy;
  }

  int Below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

 private:
  void Change(const model::Desired& other) {
    switch (Below(8)) {
      case 0:
        return SetBackend(AnyOf(other.backends));
      case 1: {
        model::Backend backend = AnyOf(desired_.backends);
        backend.servers = AnyOf(other.backends).servers;
        return SetBackend(backend);
      }
      case 2:
        if (desired_.backends.size() > 1) desired_.backends.erase(Any(desired_.backends));
        return;
      case 3:
        if (!other.matches.entries.empty()) SetEntry(AnyOf(other.matches.entries));
        return;
      case 4:
        if (!desired_.matches.entries.empty()) {
          desired_.matches.entries.erase(Any(desired_.matches.entries));
        }
        return;
      case 5:
        desired_.matches.host_regexes = other.matches.host_regexes;
        return;
      case 6:
        desired_.tls = other.tls;
        return;
      default:
        return SetTcp();
    }
  }

  template <typename T>
  typename Chunked<T>::const_iterator Any(const Chunked<T>& items) {
    return items.At(static_cast<std::size_t>(Below(static_cast<int>(items.size()))));
  }
  template <typename T>
  const T& AnyOf(const Chunked<T>& items) {
    return *Any(items);
  }

  void SetBackend(const model::Backend& backend) {
    const auto at = desired_.backends.PartitionPoint(
        [&](const model::Backend& other) { return other.name < backend.name; });
    if (at != desired_.backends.end() && at->name == backend.name) {
      desired_.backends.Edit(at) = backend;
    } else {
      desired_.backends.insert(at, backend);
    }
  }

  void SetEntry(const model::MatchEntry& entry) {
    auto& entries = desired_.matches.entries;
    const auto at = entries.PartitionPoint(
        [&](const model::MatchEntry& other) { return other.key < entry.key; });
    if (at != entries.end() && at->key == entry.key) {
      entries.Edit(at) = entry;
    } else {
      entries.insert(at, entry);
    }
  }

  void SetTcp() {
    desired_.tcp_listeners.clear();
    desired_.tcp_routes.clear();
    for (std::uint16_t port = 7000; Below(3) != 0; ++port) {
      desired_.tcp_listeners.push_back({port, false, false, std::nullopt, false});
      const model::Backend& backend = AnyOf(desired_.backends);
      desired_.tcp_routes.push_back(
          {port, {}, model::RouteId(backend.service.str() + "/0"), backend.service, backend.name});
    }
  }

  void DropDangling() {
    std::set<model::BackendName> there;
    for (const model::Backend& backend : desired_.backends) there.insert(backend.name);
    const auto dangles = [&](const model::MatchCandidate& candidate) {
      return !there.contains(candidate.backend) ||
             std::any_of(candidate.shares.begin(), candidate.shares.end(),
                         [&](const auto& share) { return !there.contains(share.backend); });
    };
    auto& entries = desired_.matches.entries;
    for (auto at = entries.begin(); at != entries.end();) {
      const bool bad = std::any_of(at->candidates.begin(), at->candidates.end(), dangles);
      at = bad ? entries.erase(at) : std::next(at);
    }
    std::erase_if(desired_.matches.host_regexes,
                  [&](const auto& entry) { return dangles(entry.candidate); });
    std::erase_if(desired_.tcp_routes,
                  [&](const auto& route) { return !there.contains(route.backend); });
  }

  std::mt19937_64 random_;
  model::Desired desired_;
};

Settings WithTls() {
  Settings settings = testing::TestSettings("/data", 80);
  settings.binds.push_back({"127.0.0.1", 443, true});
  return settings;
}

TEST(IncrementalTest, AfterManyChangesAllIsAsAfterAStart) {
  const Settings settings = WithTls();
  for (unsigned seed = 1; seed <= testing::Rounds(80); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    SlotBook book;
    Renderer renderer(settings);
    Files disk;
    Held held;
    for (int step = 0; step < 60; ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      const model::Desired& desired = world.Next();
      const std::vector<model::SlotName> busy = world.Busy(book.slots());
      const SlotMap slots = AssignSlots(book.slots(), desired.backends, busy, 2);
      ASSERT_EQ(book.Assign(desired.backends, busy, 2), slots);

      const Image expected = Render(desired, slots, settings);
      const Image& image = renderer.Update(desired, slots);
      ASSERT_EQ(image.base, expected.base);
      ASSERT_EQ(image.servers, expected.servers);
      ASSERT_EQ(image.routes, expected.routes);
      ASSERT_EQ(image.conditions, expected.conditions);
      ASSERT_EQ(image.regexes, expected.regexes);
      ASSERT_EQ(image.rewrites, expected.rewrites);
      ASSERT_EQ(image.policies, expected.policies);
      ASSERT_EQ(image, expected);

      const Plan plan = MakePlan(held, image);
      for (const std::string& path : plan.files) disk.erase(path);
      for (auto& [path, text] : RenderFiles(image, plan.files)) disk[path] = text;
      ASSERT_EQ(disk, RenderFiles(expected));
      held.image = image;
    }
  }
}

// What a refused attempt has given out is taken back; what is given out next must not depend on it.
TEST(IncrementalTest, SlotsThatWereTakenBackAreGivenOutAgain) {
  for (unsigned seed = 1; seed <= testing::Rounds(60); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    SlotBook book;
    Renderer renderer(WithTls());
    for (int step = 0; step < 20; ++step) {
      const SlotMap before = book.slots();
      const model::Desired refused = world.Next();
      renderer.Update(refused, book.Assign(refused.backends, {}, 2));
      book = SlotBook(before);
      const model::Desired& desired = world.Next();
      const SlotMap expected = AssignSlots(before, desired.backends, {}, 2);
      ASSERT_EQ(book.Assign(desired.backends, {}, 2), expected);
      ASSERT_EQ(renderer.Update(desired, book.slots()), Render(desired, expected, WithTls()));
    }
  }
}

TEST(IncrementalTest, AClassThatNobodyUsesGoesWithTheNextGrowth) {
  model::Backend odd;
  odd.name = model::BackendName("odd");
  odd.profile.Edit().retries = 7;
  SlotBook book;
  ASSERT_EQ(book.Assign({odd}, {}, 1).declared.size(), 4U);
  EXPECT_EQ(book.Assign({}, {}, 1).declared.size(), 4U);
  model::Backend a;
  a.name = model::BackendName("a");
  model::Backend b;
  b.name = model::BackendName("b");
  EXPECT_EQ(book.Assign({a, b}, {}, 1).declared.size(), 3U);
}

TEST(IncrementalTest, AConfirmedPlanHasTheEffectOfItsSteps) {
  const Settings settings = WithTls();
  for (unsigned seed = 1; seed <= testing::Rounds(60); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    SlotBook book;
    Renderer renderer(settings);
    Held held;
    model::Desired former;
    for (int step = 0; step < 30; ++step) {
      // Now and then back again, so that servers that drain are wanted once more.
      const model::Desired desired = step % 3 == 2 ? former : world.Next();
      if (step % 3 == 0) former = desired;
      const Image image = renderer.Update(desired, book.Assign(desired.backends, {}, 64));
      const Plan plan = MakePlan(held, image);
      if (!plan.reload_reason.empty()) {
        held = {image, {}};
        continue;
      }
      Held by_steps = held;
      for (const Step& one : plan.steps) ApplyStep(by_steps, one);
      ApplyPlan(held, plan, image);
      ASSERT_EQ(held, by_steps);
    }
  }
}

}  // namespace
}  // namespace swarmgate::haproxy
