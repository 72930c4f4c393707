// Who may call what. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "admin/http_types.h"

namespace swarmgate::admin {

struct GuardOptions {
  std::string token;
  bool allow_remote = false;
  std::string host_name;  ///< of this machine: also a name of our own
};

enum class Access {
  kOpen,   ///< health and metrics: never refused
  kRead,   ///< tells about services
  kWrite,  ///< changes something
  kPeer,   ///< tells everything, keys too: for other replicas only (RefuseStranger)
};

/// The refusal, or nothing when the call may go on.
[[nodiscard]] std::optional<Response> Refuse(const Request& request, Access access,
                                             const GuardOptions& options);

/// 127.0.0.0/8, ::1, and the former mapped into IPv6.
[[nodiscard]] bool IsLoopback(std::string_view address);

/// Takes the same time for every input of one length.
[[nodiscard]] bool EqualSecrets(std::string_view left, std::string_view right);

}  // namespace swarmgate::admin
