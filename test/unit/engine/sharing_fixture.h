// Two replicas, each a whole engine with a wholly fake world, around one shared store.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "unit/engine/rig.h"

namespace swarmgate::engine {

inline Rig::Parameters Call(const std::string& name, const std::string& path) {
  return {{"serviceName", name},
          {"servicePath", path},
          {"port", "9000"},
          {"outboundHostname", "192.0.2.7"}};
}

class SharingTest : public ::testing::Test {
 protected:
  SharingTest() {
    for (Rig* rig : {&a, &b}) {
      rig->shared = &shared;
      rig->options.sharing.self.id = rig == &a ? "a" : "b";
    }
    // Clocks of machines are never the same.
    b.clock.Advance(Duration(1));
  }
  void StartBoth() {
    a.Start();
    b.Start();
  }
  void SettleBoth() {
    for (int i = 0; i < 3; ++i) {
      a.Settle();
      b.Settle();
    }
  }
  /// The service "web", as this replica's Docker tells of it from now on.
  static void Label(Rig& rig, const std::string& path, std::uint64_t version = 1) {
    rig.docker.SetService(
        testing::MakeService("web", path, {testing::MakeTask("aaa", "10.0.0.1")}, version));
  }
  static std::vector<std::string> Keys(const Rig& rig) {
    std::vector<std::string> keys;
    for (const auto& [key, servers] : rig.Served()) keys.push_back(key);
    return keys;
  }
  std::vector<std::string> Shared() {
    std::vector<std::string> names;
    for (const auto& [name, record] : shared.records()) names.push_back(name.str());
    return names;
  }

  testing::FakeSharedStore shared;
  Rig a;
  Rig b;
};

}  // namespace swarmgate::engine
