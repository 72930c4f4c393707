// The threads that block in the owner's place: one watches Docker's events, one lists, some resolve
// names, one runs `haproxy -c`, one watches what replicas share, one writes to it. Each takes
// requests from a queue of its own and answers with messages. Ends when it is destroyed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "engine/message.h"
#include "swarmgate/base/inbox.h"
#include "swarmgate/engine/engine.h"

namespace swarmgate::engine {

class ThreadSources final : public Sources {
 public:
  /// All outlive it. `inbox` gets the answers.
  ThreadSources(const Engine::Ports& ports, const EngineOptions& options, Inbox<Message>& inbox);
  ~ThreadSources() override;

  void Start();
  /// Ends the threads; waits for them. Thread: any, once.
  void Stop();

  void List(std::uint64_t generation, std::vector<std::string> include) override;
  void ListServices(std::vector<std::string> ids) override;
  void ListTasks(std::vector<std::string> ids) override;
  void LookAt(std::string container_id, std::string service_id) override;
  void Resolve(std::string name) override;
  void CheckFiles(std::uint64_t writes) override;
  void Share(ShareRequest request) override;
  void Announce(ports::Replica self) override;

 private:
  struct ListerRequest {
    enum class Kind { kEverything, kServices, kTasks, kContainer };
    Kind kind = Kind::kEverything;
    std::uint64_t generation = 0;
    std::vector<std::string> names;  ///< to include, or ids of services
    std::string container;           ///< to look at, of the one service named
  };

  void WatchLoop();
  void ListLoop();
  [[nodiscard]] Message AnswerOf(ListerRequest request);
  void ResolveLoop();
  void CheckLoop();
  void CertificateLoop();
  void SharedWatchLoop();
  void ShareLoop();
  void Spawn(void (ThreadSources::*loop)());

  const Engine::Ports& ports_;
  const EngineOptions& options_;
  Inbox<Message>& inbox_;
  Inbox<ListerRequest> list_requests_;
  Inbox<std::string> resolve_requests_;
  Inbox<std::uint64_t> check_requests_;
  Inbox<std::variant<ShareRequest, ports::Replica>> share_requests_;
  Inbox<bool> certificate_wakeup_;  ///< as watch_wakeup_
  Inbox<bool> shared_wakeup_;       ///< as watch_wakeup_
  Inbox<bool> watch_wakeup_;        ///< never pushed to: closed, it ends the watch thread's pauses
  std::vector<std::thread> threads_;
};

}  // namespace swarmgate::engine
