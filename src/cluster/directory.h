// All addresses at which other replicas may be, from every way to find them. Each way has a thread
// of its own, so that one that hangs keeps nobody waiting, and one that fails keeps what it said
// last.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/inbox.h"
#include "swarmgate/ports/peers.h"

namespace swarmgate::cluster {

class Directory {
 public:
  /// More addresses than this are not looked at.
  static constexpr std::size_t kMost = 64;

  /// The sources outlive it. `every`: how often they are asked.
  Directory(const std::vector<ports::Peers*>& sources, Duration every);
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  void Start();
  void Stop();

  /// Sorted, each once. Thread: any.
  [[nodiscard]] std::vector<std::string> Addresses() const;
  /// Every source has answered once, or failed. Thread: any.
  [[nodiscard]] bool asked() const;
  /// Is one of them at this host ("10.0.0.3")? Thread: any.
  [[nodiscard]] bool IsHostOfPeer(std::string_view host) const;

 private:
  struct Known {
    bool asked = false;
    std::vector<std::string> addresses;
  };
  struct Source {
    ports::Peers* peers = nullptr;
    Cell<Known> known{std::make_shared<const Known>()};
    Inbox<bool> wakeup;  ///< never pushed to: closed, it ends a pause
    std::thread thread;
  };
  void Loop(Source& source) const;

  Duration every_;
  std::vector<std::unique_ptr<Source>> sources_;
};

/// "10.0.0.3:8080" → "10.0.0.3", "[fd00::1]:8080" → "fd00::1".
[[nodiscard]] std::string HostOf(std::string_view address);

}  // namespace swarmgate::cluster
