// A Reconciler with a wholly fake world around it, driven step by step: time passes only when the
// test says so, and what the sources would do in threads is done by Settle.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/reconciler.h"
#include "engine/sharing.h"
#include "support/fake_clock.h"
#include "support/fake_docker.h"
#include "support/fake_proxy.h"
#include "support/fake_shared_store.h"
#include "support/fake_store.h"

namespace swarmgate::engine {

/// Notes what is asked for; a test (or Rig::Settle) answers.
class FakeSources final : public Sources {
 public:
  struct List_ {
    std::uint64_t generation = 0;
    std::vector<std::string> include;
  };
  void List(std::uint64_t generation, std::vector<std::string> include) override {
    lists.push_back({generation, std::move(include)});
  }
  void ListServices(std::vector<std::string> ids) override { services.push_back(std::move(ids)); }
  void ListTasks(std::vector<std::string> ids) override { tasks.push_back(std::move(ids)); }
  void LookAt(std::string container_id, std::string service_id) override {
    looks.push_back({std::move(container_id), std::move(service_id)});
  }
  void Resolve(std::string name) override { names.push_back(std::move(name)); }
  void CheckFiles(std::uint64_t writes) override { checks.push_back(writes); }
  void Share(ShareRequest request) override { shares.push_back(std::move(request)); }
  void Announce(ports::Replica self) override { replicas.push_back(std::move(self)); }

  std::deque<List_> lists;
  std::deque<std::vector<std::string>> services;
  std::deque<std::vector<std::string>> tasks;
  std::deque<std::pair<std::string, std::string>> looks;  ///< container, service
  std::deque<std::string> names;
  std::deque<std::uint64_t> checks;
  std::deque<ShareRequest> shares;
  std::deque<ports::Replica> replicas;
};

/// The world outlives the engine: Restart is a new controller on the same files, store and HAProxy.
class Rig {
 public:
  using Parameters = std::map<std::string, std::string>;

  Rig() {
    options.proxy.version = {2, 6, 12};
    options.proxy.binds = {{"*", 80}};
    options.proxy.run_dir = "/run/sg";
    options.proxy.files_dir = "/fake/live";
    options.proxy.cookie_key = std::string(32, 'a');
    options.minimum_slots = 8;
    store.SetFrozen([this] { return proxy.frozen(); });
  }

  /// Starts a controller (after the one before has vanished without a word).
  void Restart() {
    reconciler.reset();
    sources = FakeSources();
    ports.docker = with_docker ? &docker : nullptr;
    ports.proxy = &proxy;
    ports.files = &proxy;
    ports.store = &store;
    ports.shared = shared;
    store.SetShares(shared != nullptr);
    watched = {};
    shared_failed = false;
    ports.clock = &clock;
    ports.files_ready = [this] {
      ++files_ready_calls;
      if (start_haproxy && !proxy.running()) proxy.Start();
    };
    ports.resolve = [](const std::string&) { return Fail(Code::kUnavailable, "not used"); };
    reconciler = std::make_unique<Reconciler>(options, ports, sources, cell);
    reconciler->Start();
  }

  /// Start, and everything that follows without time passing.
  void Start() {
    Restart();
    Settle();
  }

  /// Answers the sources' requests and does what is due, until nothing is due now.
  void Settle() {
    for (int round = 0; round < 1000; ++round) {
      const bool answered = AnswerOne();
      if (!answered && reconciler->Next() > clock.Now()) return;
      reconciler->RunDue();
    }
    ADD_FAILURE() << "the engine does not come to rest";
  }

  /// Lets time pass, stopping wherever something is due.
  void Advance(Duration duration) {
    const SteadyTime end = clock.Now() + duration;
    for (int round = 0; round < 100000; ++round) {
      const SteadyTime next = reconciler->Next();
      if (next > end) {
        clock.Set(end);
        Settle();
        return;
      }
      if (next > clock.Now()) clock.Set(next);
      reconciler->RunDue();
      while (AnswerOne()) reconciler->RunDue();
    }
    ADD_FAILURE() << "the engine is busy for ever";
  }

  void Send(Message message) {
    reconciler->Handle(std::move(message));
    reconciler->RunDue();
  }
  void Hint(const std::string& type, const std::string& action, const std::string& id = "",
            const std::string& service_id = "", const std::string& signal = "",
            std::int64_t time_ns = 0) {
    DockerHint hint;
    hint.event.type = type;
    hint.event.action = action;
    hint.event.id = id;
    hint.event.service_id = service_id;
    hint.event.signal = signal;
    hint.event.time_ns = time_ns != 0 ? time_ns : ++event_time_ns;
    Send(std::move(hint));
  }

  /// Posts a call; its outcome stands in `outcomes` when it is answered.
  /// `made_unix_ms`: of a call that another replica hands on.
  std::size_t Post(Command::Kind kind, Parameters parameters = {}, std::int64_t made_unix_ms = 0) {
    const std::size_t index = next_call++;
    Command command;
    command.kind = kind;
    command.parameters = std::move(parameters);
    command.made_unix_ms = made_unix_ms;
    command.received = clock.Now();
    command.deadline = clock.Now() + call_time;
    command.reply = [this, index](Outcome outcome) {
      EXPECT_FALSE(outcomes.contains(index)) << "answered twice";
      outcomes[index] = std::move(outcome);
    };
    reconciler->Handle(std::move(command));
    return index;
  }
  /// Posts a call, settles, and returns its outcome; status 0: not answered.
  Outcome Call(Command::Kind kind, Parameters parameters = {}, std::int64_t made_unix_ms = 0) {
    const std::size_t index = Post(kind, std::move(parameters), made_unix_ms);
    Settle();
    if (outcomes.contains(index)) return outcomes[index];
    Outcome none;
    none.status = 0;
    return none;
  }
  Outcome Reconfigure(Parameters parameters) {
    return Call(Command::Kind::kReconfigure, std::move(parameters));
  }
  Outcome Remove(const std::string& name) {
    return Call(Command::Kind::kRemove, {{"serviceName", name}});
  }

  [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const { return cell.Get(); }
  [[nodiscard]] const ServiceStatus* Status(const std::string& name) const {
    shown_ = snapshot();
    for (const auto& service : shown_->services) {
      if (service->name.str() == name) return &*service;
    }
    return nullptr;
  }
  /// "live", "no-server" …; "" for a service that is not known.
  [[nodiscard]] std::string State(const std::string& name) const {
    const ServiceStatus* status = Status(name);
    return status == nullptr ? "" : ServiceStateName(status->state);
  }
  [[nodiscard]] bool HasDiagnostic(const std::string& name, const std::string& code) const {
    const ServiceStatus* status = Status(name);
    if (status == nullptr) return false;
    for (const model::Diagnostic& diagnostic : status->diagnostics) {
      if (diagnostic.code == code) return true;
    }
    return false;
  }
  /// Key → addresses of the servers that HAProxy sends its requests to.
  [[nodiscard]] std::map<std::string, std::vector<std::string>> Served() const {
    const haproxy::Held held = proxy.held();
    std::map<std::string, std::vector<std::string>> served;
    for (const auto& [key, record] : held.image.routes) {
      std::vector<std::string>& addresses = served[key];
      auto servers = held.image.servers.find(model::SlotName(record.substr(0, record.find('|'))));
      if (servers == held.image.servers.end()) continue;
      for (const model::Server& server : servers->second) {
        addresses.push_back(server.address + ":" + std::to_string(server.port));
      }
      std::sort(addresses.begin(), addresses.end());
    }
    return served;
  }
  /// HAProxy holds what its files say: a reload at this moment changes nothing.
  void ExpectFilesAreTheTruth() const {
    const haproxy::Image disk = testing::LoadImage(proxy.disk());
    const haproxy::Image held = proxy.held().image;
    EXPECT_EQ(disk.declared, held.declared);
    EXPECT_EQ(disk.base, held.base);
    EXPECT_EQ(disk.routes, held.routes);
    EXPECT_EQ(disk, held);
  }

  testing::FakeClock clock;
  testing::FakeDocker docker;
  testing::FakeProxy proxy;
  testing::FakeStore store;
  EngineOptions options;
  Engine::Ports ports;
  FakeSources sources;
  Cell<Snapshot> cell{std::make_shared<const Snapshot>()};
  std::unique_ptr<Reconciler> reconciler;
  std::map<std::string, Result<std::vector<std::string>>> dns;
  std::map<std::size_t, Outcome> outcomes;
  Duration call_time{3600000};                 ///< how long callers wait
  testing::FakeSharedStore* shared = nullptr;  ///< several rigs may share one
  ports::SharedPosition watched;               ///< what the watching thread has seen
  bool shared_failed = false;
  bool answer_shares = true;
  bool answer_news = true;
  bool with_docker = true;
  bool start_haproxy = true;
  bool answer_lists = true;
  int files_ready_calls = 0;

 private:
  bool AnswerOne() {
    if (answer_lists && !sources.lists.empty()) {
      FakeSources::List_ request = std::move(sources.lists.front());
      sources.lists.pop_front();
      docker.Include(std::move(request.include));
      Send(DockerListed{request.generation, clock.Now(), docker.List({})});
      return true;
    }
    if (answer_lists && !sources.services.empty()) {
      std::vector<std::string> ids = std::move(sources.services.front());
      sources.services.pop_front();
      auto services = docker.ListServices(ids, {});
      Send(ServicesListed{std::move(ids), std::move(services)});
      return true;
    }
    if (answer_lists && !sources.looks.empty()) {
      auto [container, service] = std::move(sources.looks.front());
      sources.looks.pop_front();
      auto task = docker.LookAt(container, {});
      Send(ContainerSeen{std::move(container), std::move(service), std::move(task)});
      return true;
    }
    if (answer_lists && !sources.tasks.empty()) {
      std::vector<std::string> ids = std::move(sources.tasks.front());
      sources.tasks.pop_front();
      auto tasks = docker.ListTasks(ids, {});
      Send(TasksListed{clock.Now(), std::move(ids), std::move(tasks)});
      return true;
    }
    if (!sources.names.empty()) {
      std::string name = std::move(sources.names.front());
      sources.names.pop_front();
      auto known = dns.find(name);
      Result<std::vector<std::string>> addresses =
          known != dns.end() ? known->second : Fail(Code::kNotFound, "no such name");
      Send(NameResolved{std::move(name), std::move(addresses)});
      return true;
    }
    if (AnswerShared()) return true;
    if (!sources.checks.empty()) {
      const std::uint64_t writes = sources.checks.front();
      sources.checks.pop_front();
      Send(FilesChecked{writes, proxy.CheckFiles("/fake/live", {})});
      return true;
    }
    return false;
  }

  bool AnswerShared() {
    if (shared == nullptr) return false;
    if (!sources.replicas.empty()) {
      const ports::Replica self = sources.replicas.front();
      sources.replicas.pop_front();
      Send(ReplicasSeen{shared->Announce(self)});
      return true;
    }
    if (answer_shares && !sources.shares.empty()) {
      ShareRequest request = std::move(sources.shares.front());
      sources.shares.pop_front();
      auto outcome = ShareOne(*shared, request);
      Send(ShareDone{request.name, request.waiting, request.epoch, std::move(outcome)});
      return true;
    }
    if (!answer_news) return false;
    // As the watching thread: one failure is told once here, so that there is rest.
    Result<ports::Changes> changes = shared->Watch(watched, Duration(0));
    const bool failed = std::exchange(shared_failed, !changes);
    if (!changes) {
      if (failed) return false;
      Send(SharedNews{std::move(changes)});
      return true;
    }
    const bool news = changes->complete || changes->position != watched;
    watched = changes->position;
    if (!news && !failed) return false;
    Send(SharedNews{std::move(changes)});
    return true;
  }

  std::size_t next_call = 0;
  std::int64_t event_time_ns = 1'700'000'000'000'000'000;
  mutable std::shared_ptr<const Snapshot> shown_;
};

}  // namespace swarmgate::engine
