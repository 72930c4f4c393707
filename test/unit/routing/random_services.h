// Random services whose routes meet, for properties.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "routing_fixture.h"

namespace swarmgate::routing {

/// Few of everything, so that routes meet.
struct Vocabulary {
  std::vector<std::string> hosts;
  std::vector<std::string> paths;
  std::vector<std::string> question_hosts;
  std::vector<std::string> question_paths;
};

inline const Vocabulary& Words() {
  static const Vocabulary words = {
      {"", "", "a.com", "b.a.com", "x.b.a.com", "c.org", "*.a.com", "*.b.a.com", "*.com",
       "*.x.b.a.com", "^[^/|]*a\\.com$", "^(?:a|b)\\.[^/|]*$", "^[^/|]*\\.org$", "^[^/|]*$"},
      {"/",
       "/",
       "/a",
       "/a/b",
       "/a/b/c",
       "/ab",
       "/a/",
       "/a/b/",
       "/a//",
       "=/a",
       "=/a/",
       "=/a/b",
       "=/",
       "/a/~",
       "/a/b/~",
       "/~",
       "/.well-known",
       "/.well-known/acme",
       "=/.well-known/acme",
       "^/a.*$",
       "^.*\\.js$",
       "^/(?:a|b)/.*$",
       "^$",
       "^(?!/a).*$"},
      {"", "a.com", "A.com.", "b.a.com", "x.b.a.com", "y.x.b.a.com", "z.y.x.b.a.com",
       "w.z.y.x.b.a.com", "v.w.z.y.x.b.a.com", "c.org", "d.c.org", "localhost", ".a.com",
       "x..a.com", "a.com.evil.net", "ba.com", "[::1]"},
      {"",
       "/",
       "/a",
       "/a/",
       "/a//",
       "/a//x",
       "/a/b",
       "/a/b/",
       "/a/b/c",
       "/a/bc",
       "/ab",
       "/abc",
       "/b/a",
       "/x.js",
       "/a/x.js",
       "/.well-known",
       "/.well-known/",
       "/.well-known/acme",
       "/.well-known/acme/x",
       "/.well-knownx",
       "/|80|/a",
       "/A"}};
  return words;
}

class Dice {
 public:
  explicit Dice(std::uint32_t seed) : random_(seed) {}
  std::size_t Below(std::size_t end) { return random_() % end; }
  bool Chance(std::size_t percent) { return Below(100) < percent; }
  const std::string& Of(const std::vector<std::string>& words) {
    return words[Below(words.size())];
  }

 private:
  std::mt19937 random_;
};

/// How wild the routes of one round are.
struct Mood {
  std::size_t ranked, ports, excludes, defaults, services, conditions = 0, weights = 0;
};

inline ServiceInput RandomService(Dice& dice, const Mood& mood, std::size_t number) {
  Service service("s" + std::to_string(number));
  service.Created(static_cast<std::int64_t>(dice.Below(4)));
  const std::size_t dests = 1 + dice.Below(2);
  for (std::size_t i = 0; i < dests; ++i) {
    // One throw an expression: compilers differ in which argument they evaluate first.
    const std::string& path = dice.Of(Words().paths);
    service.Dest(path, dice.Of(Words().hosts));
    if (dice.Chance(25)) service.last().paths.push_back(Path(dice.Of(Words().paths)));
    if (dice.Chance(15)) service.last().hosts.push_back(Host(dice.Of(Words().hosts)));
    while (dice.Chance(mood.excludes)) service.Exclude(dice.Of(Words().paths));
    if (dice.Chance(mood.ports)) service.SrcPort(static_cast<std::uint16_t>(80 + dice.Below(2)));
    while (dice.Chance(mood.conditions)) {
      const std::size_t kind = dice.Below(4);
      if (kind == 0) service.Header("x-v", "1");
      if (kind == 1) service.Header("x-v", "2");
      if (kind == 2) service.Header("x-w", "a.b, c");
      if (kind == 3) service.UserAgent(dice.Chance(50) ? "curl" : "mozilla/5");
    }
    if (dice.Chance(mood.weights)) service.Weight(static_cast<std::uint32_t>(dice.Below(3)));
    if (dice.Chance(mood.ranked / 2)) {
      service.Priority(static_cast<std::uint32_t>(1 + dice.Below(3)));
    }
  }
  if (dice.Chance(mood.ranked)) service.Acl(std::to_string(dice.Below(4)) + "-acl");
  if (dice.Chance(mood.defaults)) service.Default();
  return service;
}

}  // namespace swarmgate::routing
