#include "integration/world.h"

#include <utility>

#include "support/json.h"

namespace swarmgate::testing {
namespace {

std::unique_ptr<Dockerd> g_docker;
std::unique_ptr<Anchor> g_anchor;

}  // namespace

Dockerd& docker() {
  if (g_docker == nullptr) {
    auto daemon = std::make_unique<Dockerd>();
    daemon->SwarmInit();
    daemon->CreateOverlay(kWeb);
    daemon->CreateOverlay(kLonely);
    daemon->CreateBridge(kBridge);
    g_docker = std::move(daemon);
  }
  return *g_docker;
}

Anchor& anchor() {
  if (g_anchor != nullptr) {
    int status = 0;
    const std::string json =
        docker().Call("GET", "/containers/" + g_anchor->id() + "/json", {}, &status);
    if (status != 200 || JsonText(json, "/State/Running") != "true") g_anchor.reset();
  }
  if (g_anchor == nullptr) {
    g_anchor = std::make_unique<Anchor>(&docker(), "anchor", std::vector<std::string>{kWeb});
  }
  return *g_anchor;
}

void TearDownWorld() {
  g_anchor.reset();
  g_docker.reset();
}

void SwarmTest::SetUp() {
  if (const std::string reason = Dockerd::WhyNot(); !reason.empty()) {
    GTEST_SKIP() << "no Docker daemon can be started here: " << reason;
  }
  GateOptions options;
  options.docker_socket = docker().socket();
  if (place_ == Place::kTask) {
    options.network = anchor().network();
    options.own_container = anchor().id();
  } else {
    options.network = docker().network();
  }
  gate_ = std::make_unique<Gate>(options);
}

void SwarmTest::TearDown() {
  if (gate_ == nullptr) return;
  if (HasFailure()) {
    const std::string log = gate_->Log();
    GTEST_LOG_(INFO) << "Swarmgate's log ends with:\n"
                     << (log.size() > 12000 ? log.substr(log.size() - 12000) : log);
  }
  gate_.reset();
  docker().RemoveEverything("anchor");
}

Labels SwarmTest::Route(const std::string& path, Labels more) {
  more.emplace("com.df.notify", "true");
  more.emplace("com.df.servicePath", path);
  more.emplace("com.df.port", "8080");
  return more;
}

ServiceOptions SwarmTest::RunService(const std::string& name, const Labels& labels, int replicas) {
  ServiceOptions options;
  options.name = name;
  options.labels = labels;
  options.networks = {kWeb};
  options.replicas = replicas;
  docker().CreateService(options);
  docker().WaitRunning(name, static_cast<size_t>(replicas));
  return options;
}

LoadOptions SwarmTest::Load(const std::string& path, bool keep_alive) const {
  LoadOptions options;
  options.endpoint = gate_->web();
  options.targets = {GetTarget(path)};
  options.threads = 4;
  options.keep_alive = keep_alive;
  // Idle connections are what careless changes lose: leave room for them.
  options.think_time = std::chrono::milliseconds(2);
  options.max_duration = std::chrono::seconds(120);
  return options;
}

}  // namespace swarmgate::testing
