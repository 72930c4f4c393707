// Who is there: one document per replica, held by a session, so that it goes when the replica does.
#pragma once

#include <string>
#include <vector>

#include "consul/keys.h"
#include "consul/servers.h"
#include "swarmgate/ports/shared_store.h"

namespace swarmgate::consul {

[[nodiscard]] std::string EncodeReplica(const ports::Replica& replica);
[[nodiscard]] Result<ports::Replica> DecodeReplica(std::string_view text);

/// Thread: one at a time.
class Presence {
 public:
  Presence(Servers& servers, const Keys& keys) : servers_(servers), keys_(keys) {}

  Result<std::vector<ports::Replica>> Announce(const ports::Replica& self);
  /// By other connections than those that may have been cancelled.
  Status Withdraw(Servers& servers);

 private:
  Status KeepSession();
  Status Publish(const ports::Replica& self);

  Servers& servers_;
  const Keys& keys_;
  std::string session_;
  SteadyTime renew_at_;
  std::string published_;  ///< with this session
};

}  // namespace swarmgate::consul
