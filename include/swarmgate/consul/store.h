// ports::SharedStore in Consul's key-value store.
//
// Keys, below the name of the proxy instance:
//   services/<name>   one document per record (codec/record_json.h)
//   journal           the cluster's revision and the names of the last changes
//   replicas/<id>     who is there; each held by a session that ends with its replica
// A write is one transaction: compare-and-set on the document and on the journal. Watching blocks
// on the journal alone and then reads the documents that it names, so that what a change costs does
// not grow with the number of records.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"
#include "swarmgate/ports/shared_store.h"

namespace swarmgate::consul {

struct ConsulOptions {
  std::vector<std::string> servers;  ///< "http://a:8500", in the order in which they are preferred
  std::string prefix;                ///< the proxy instance's name
  std::string token;                 ///< ACL token; empty: none
  std::string ca_file;               ///< of https servers; empty: the system's authorities
  std::string cert_file;             ///< client certificate, with key_file
  std::string key_file;
  bool verify_peer = true;
  Duration connect_timeout{500};   ///< then the next server is tried
  Duration request_timeout{3000};  ///< of one try; complete loads get ten times as long
  Duration return_after{10000};    ///< a server that failed is preferred again after this time
  /// How often a watch looks whether anybody else has touched the documents (a question of a few
  /// bytes), and how often it reads everything anyway. Both are shortened by up to a quarter.
  Duration check_interval{60000};
  Duration full_interval{1'200'000};
};

/// "a:8500,http://b:8500,https://c" → base URLs. A server without port gets 8500, or 443 with
/// https. Errors: kInvalidArgument, with what is wrong.
[[nodiscard]] Result<std::vector<std::string>> ParseServers(std::string_view text);

/// Connects to nothing before the first call.
[[nodiscard]] std::unique_ptr<ports::SharedStore> MakeStore(ConsulOptions options);

}  // namespace swarmgate::consul
