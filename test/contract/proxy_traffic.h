// What tests of real traffic share: HAProxy on our files and commands, and servers that say who
// they are.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "support/child_process.h"
#include "support/http_client.h"
#include "support/paths.h"
#include "support/real_haproxy.h"
#include "swarmgate/haproxy/plan.h"

namespace swarmgate::testing {

inline constexpr int kBackends = 24;

/// HAProxy, and a web server that listens on one port per backend and says which.
class ProxyTrafficTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RealHaproxy::Available()) GTEST_SKIP() << "no haproxy on this machine";
    std::string list;
    for (int i = 0; i < kBackends; ++i) {
      ports_.push_back(static_cast<std::uint16_t>(FreePort()));
      list += (i == 0 ? "" : ",") + std::to_string(ports_.back());
    }
    echo_ = std::make_unique<ChildProcess>(
        ChildOptions{{EchoServerBinary(), list}, {}, "", "", "", false});
    for (int i = 0; i < 2; ++i) {
      haproxy_.settings().binds.push_back({"127.0.0.1", static_cast<std::uint16_t>(FreePort())});
    }
    ASSERT_TRUE(WaitUntil([this] { return Get({"127.0.0.1", ports_.back()}, "/").status == 200; }));
  }

  void Serve(const model::Desired& desired) {
    slots_ = AssignSlots(slots_, desired.backends, Busy(), 64);
    const haproxy::Image image = Render(desired, slots_, haproxy_.settings());
    const haproxy::Plan plan = MakePlan(held_, image);
    const Status written = haproxy_.files().Write(RenderFiles(image, plan.files), {});
    ASSERT_TRUE(written) << written.error().ToString();
    if (haproxy_.master() == 0) {
      ASSERT_TRUE(haproxy_.Start()) << proxy::HaproxyLogTail(haproxy_.settings().run_dir);
      held_ = {image, {}};
    } else {
      ASSERT_EQ(plan.reload_reason, "");
      const auto done = haproxy_.control().Execute(plan.steps, In(std::chrono::seconds(10)));
      ASSERT_TRUE(done) << done.error().ToString();
      for (const auto& step : plan.steps) ApplyStep(held_, step);
    }
    ASSERT_EQ(held_.image, image);
  }

  [[nodiscard]] std::vector<model::SlotName> Busy() const {
    std::vector<model::SlotName> busy;
    for (const auto& [slot, servers] : held_.draining) busy.push_back(slot);
    return busy;
  }

  /// A backend on the n-th port of the web server, and a candidate that leads to it.
  model::Backend MakeBackend(int n, model::BackendKind kind = model::BackendKind::kPlain) {
    model::Backend backend;
    backend.name = model::BackendName("b" + std::to_string(n));
    backend.service = model::ServiceName("s" + std::to_string(n));
    backend.kind = kind;
    model::Server server;
    server.name = model::ServerName("t-" + std::to_string(n));
    server.address = "127.0.0.1";
    server.port = ports_[static_cast<std::size_t>(n)];
    backend.servers = {server};
    return backend;
  }
  static void Route(model::Desired& desired, const std::string& key,
                    const model::Backend& backend) {
    model::MatchCandidate candidate;
    candidate.backend = backend.name;
    candidate.service = backend.service;
    candidate.route = model::RouteId(backend.service.str() + "/0/0");
    desired.matches.entries.push_back({key, {candidate}});
    desired.matches.entries.Sort([](const auto& a, const auto& b) { return a.key < b.key; });
  }
  [[nodiscard]] Endpoint Proxy() const { return {"127.0.0.1", haproxy_.port()}; }

  std::vector<std::uint16_t> ports_;
  std::unique_ptr<ChildProcess> echo_;
  RealHaproxy haproxy_;
  haproxy::SlotMap slots_;
  haproxy::Held held_;
};

}  // namespace swarmgate::testing
