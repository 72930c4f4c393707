// Several Consul servers as one: the first that answers is spoken to. Knows HTTP and what tells
// Consul from something else that answers in its place; knows no documents.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/codec/consul_json.h"
#include "swarmgate/consul/store.h"
#include "swarmgate/http/client.h"

namespace swarmgate::consul {

/// The answer to a question about keys.
struct Listing {
  std::vector<codec::ConsulEntry> entries;  ///< empty when there is no such key
  std::uint64_t index = 0;                  ///< X-Consul-Index: for the next blocking question
};

/// Thread: one at a time; Cancel from any.
class Servers {
 public:
  explicit Servers(const ConsulOptions& options);

  /// One key, or with `recurse` all keys that begin so. With `index`: answers when the store's
  /// index is above it, or after `wait`. Errors: kUnavailable, kDeadlineExceeded, kRejected,
  /// kCorrupt, kCancelled. That there is nothing is known only if a Consul with a leader says so.
  Result<Listing> Read(const std::string& key, bool recurse, std::uint64_t index = 0,
                       Duration wait = Duration(0));
  /// The index of the last change of any key that begins so; moves no keys.
  Result<std::uint64_t> IndexOf(const std::string& prefix);
  /// A PUT. Any answer but 5xx is a success here.
  Result<http::Response> Put(const std::string& target, std::string body);

  void Cancel();
  /// Grows whenever another server is spoken to.
  [[nodiscard]] std::uint64_t switches() const { return switches_; }

 private:
  struct Server {
    std::string url;
    std::unique_ptr<http::Client> client;
    SteadyTime avoid_until;
  };
  /// One try of a question; called again for another server. An error that another server may
  /// not have: kUnavailable, kDeadlineExceeded, kCorrupt.
  using Try = std::function<Result<http::Response>(http::Client& client)>;
  Result<http::Response> AskAny(const char* what, const Try& one_try);
  Result<http::Response> Ask(http::Client& client, const std::string& target, Duration limit,
                             const http::StreamHandler& handler) const;
  [[nodiscard]] http::Request RequestOf(std::string method, const std::string& target,
                                        Duration limit) const;

  std::vector<Server> servers_;
  std::string token_;
  Duration request_timeout_;
  Duration return_after_;
  std::size_t current_ = 0;
  std::uint64_t switches_ = 0;
};

}  // namespace swarmgate::consul
