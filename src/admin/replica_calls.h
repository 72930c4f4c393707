// Calls that go on to other replicas (distribute=true), and calls that come from them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "admin/handlers.h"
#include "admin/http_types.h"
#include "swarmgate/engine/engine.h"
#include "swarmgate/model/replica.h"

namespace swarmgate::admin {

/// A call that changes something, as the engine is to see it.
struct Change {
  std::map<std::string, std::string> parameters;
  std::int64_t made_unix_ms = 0;  ///< when another replica accepted it; 0: it is made here and now
  bool distribute = false;        ///< it is to be handed on
};
/// Errors: kInvalidArgument, for a time that no replica says.
[[nodiscard]] Result<Change> ReadChange(const Request& request);

/// What the others answered; nothing when it was not to be handed on, or was refused here. The
/// outcome's message tells what became of it.
[[nodiscard]] std::optional<std::vector<model::PeerAnswer>> HandOn(const Request& request,
                                                                   const HandlerContext& context,
                                                                   const Change& change,
                                                                   engine::Outcome& outcome);
/// The same of a call that only reads.
/// Is the same wanted of all others?
[[nodiscard]] bool AsksOthers(const Request& request);
[[nodiscard]] std::vector<model::PeerAnswer> AskOthers(const Request& request,
                                                       const HandlerContext& context);

/// GET /v1/replica, /v1/replica/records and /v1/replica/facts.
[[nodiscard]] Response ReplicaCall(const Request& request, const HandlerContext& context);
[[nodiscard]] Response RecordsCall(const Request& request, const HandlerContext& context);
[[nodiscard]] Response FactsCall(const Request& request, const HandlerContext& context);

/// A call that another replica has signed, as that was given it; nothing for any other call.
[[nodiscard]] std::optional<Request> FromPeer(const Request& request,
                                              const HandlerContext& context);
/// As Refuse, for what replicas only tell each other.
[[nodiscard]] std::optional<Response> RefuseStranger(const Request& request,
                                                     const HandlerContext& context);

}  // namespace swarmgate::admin
