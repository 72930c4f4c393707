// The daemon's HTTP API as calls that return checked JSON: versioned paths, one mapping from HTTP
// statuses to codes, lists read element by element.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/codec/json.h"
#include "swarmgate/http/client.h"

namespace swarmgate::docker {

/// Thread: one at a time; Cancel from any.
class Daemon {
 public:
  explicit Daemon(http::Endpoint endpoint) : client_(std::move(endpoint)) {}

  // All calls: `path` begins after the version and is escaped already. They negotiate the version
  // first where that is still to be done. Errors: kNotFound (404), kRejected (other 4xx),
  // kUnavailable (5xx, no connection), kDeadlineExceeded, kCorrupt, kCancelled.

  Result<codec::JsonValue> Get(const std::string& path, SteadyTime deadline);

  /// Hands over the text of each element; an error of the sink ends the call and is returned.
  using ElementSink = std::function<Status(std::string_view element)>;
  Status GetList(const std::string& path, SteadyTime deadline, const ElementSink& sink);

  /// A stream of objects that has no end of its own: returns why it ended.
  Error GetStream(const std::string& path, const std::function<void()>& opened,
                  const ElementSink& sink);

  /// The version that both sides speak: asks the daemon once, until Forget.
  /// Errors: also kRejected, when there is none.
  Result<std::string> Version(SteadyTime deadline);
  /// The daemon may be another one now.
  void Forget() { version_.clear(); }

  void Cancel() { client_.Cancel(); }

 private:
  /// "/v1.41" + path, negotiated.
  Result<std::string> Target(const std::string& path, SteadyTime deadline);

  http::Client client_;
  std::string version_;
};

/// The greatest version that both speak. `min_api` may be empty. Errors: kRejected, kCorrupt.
[[nodiscard]] Result<std::string> NegotiateVersion(const std::string& api,
                                                   const std::string& min_api);

}  // namespace swarmgate::docker
