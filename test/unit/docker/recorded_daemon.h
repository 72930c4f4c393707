// A daemon that answers as the recorded dockerd did, or as the test says.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "docker/lister.h"
#include "support/paths.h"
#include "support/test_root.h"
#include "swarmgate/docker/docker_api.h"
#include "unit/http/scripted_server.h"

namespace swarmgate::docker {

using testing::Exchange;

inline SteadyTime In(Duration duration) { return std::chrono::steady_clock::now() + duration; }

inline std::string Fixture(const std::string& name) {
  return testing::ReadFile(testing::SourcePath("fixtures/docker/20.10/") + name + ".json");
}

/// Answers as the recorded dockerd did; single answers can be replaced.
class RecordedDaemon {
 public:
  RecordedDaemon() : server_([this](const Exchange& exchange) { Answer(exchange); }) {
    Set("/version", 200, Fixture("version"));
    Set("/info", 200, Fixture("info"));
    Set("/services", 200, Fixture("services"));
    Set("/tasks", 200, Fixture("tasks"));
    Set("/containers/json", 200, Fixture("containers"));
    Set("/networks", 200, Fixture("networks"));
    Set("/networks/docker_gwbridge", 200, Fixture("network_docker_gwbridge"));
    Set("/nodes", 200, Fixture("nodes"));
    Set("/images/swarmgate/echo:1/json", 200, Fixture("image"));
    for (const auto& [name, id] : containers_) {
      Set("/containers/" + id + "/json", 200, Fixture("container_box"));
    }
  }

  void Set(const std::string& path, int status, const std::string& body) {
    SetScript(path, [status, body](const Exchange& x) { x.Reply(status, body); });
  }
  void SetScript(const std::string& path, testing::ScriptedServer::Script script) {
    const std::lock_guard<std::mutex> lock(mutex_);
    answers_[path] = std::move(script);
  }
  [[nodiscard]] testing::ScriptedServer::Script Script(const std::string& path) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return answers_.at(path);
  }

  [[nodiscard]] http::Endpoint endpoint() const {
    return {.base_url = "http://docker", .unix_socket = server_.path()};
  }
  [[nodiscard]] DockerOptions options() const {
    DockerOptions options;
    options.host = "unix://" + server_.path();
    return options;
  }
  testing::ScriptedServer& server() { return server_; }

 private:
  void Answer(const Exchange& exchange) {
    std::string path = exchange.target.substr(0, exchange.target.find('?'));
    if (path.rfind("/v1.", 0) == 0) path.erase(0, path.find('/', 1));
    testing::ScriptedServer::Script script;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (const auto it = answers_.find(path); it != answers_.end()) script = it->second;
    }
    if (script) return script(exchange);
    exchange.Reply(404, R"({"message":"no such thing"})");
  }

  std::map<std::string, std::string> containers_ = {
      {"stopped", "86b9233077fdc43daa833b3c2e4bb1b0fef150f171dbc6b95e14da368a09b3d7"}};
  std::mutex mutex_;
  std::map<std::string, testing::ScriptedServer::Script> answers_;
  testing::ScriptedServer server_;
};

/// Time passes when the test says so.
class FixedClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime Now() const override { return now; }
  [[nodiscard]] WallTime WallNow() const override { return {}; }
  SteadyTime now = std::chrono::steady_clock::now();
};

class DockerAdapterTest : public ::testing::Test {
 protected:
  Lister MakeLister(std::vector<std::string> own = {}, bool local = true) {
    return {daemon_.options(), daemon_.endpoint(), std::move(own), local, clock_};
  }
  static Result<model::DockerFacts> List(Lister& lister) {
    return lister.List(In(std::chrono::seconds(20)));
  }

  static std::vector<std::string> Names(const model::DockerFacts& facts) {
    std::vector<std::string> names;
    for (const model::ServiceFacts& service : facts.services) names.push_back(service.name);
    return names;
  }
  static const model::ServiceFacts* Find(const model::DockerFacts& facts, const std::string& name) {
    for (const model::ServiceFacts& service : facts.services) {
      if (service.name == name) return &service;
    }
    return nullptr;
  }

  RecordedDaemon daemon_;
  FixedClock clock_;
};

}  // namespace swarmgate::docker
