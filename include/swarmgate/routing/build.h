// Specs + endpoints → Desired: endpoints chosen, routes ordered by precedence, conflicts decided,
// the lookup table compiled. And the answer to "why": both use the same order. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "swarmgate/base/chunked.h"
#include "swarmgate/base/cow.h"
#include "swarmgate/base/error.h"
#include "swarmgate/base/few.h"
#include "swarmgate/base/shared.h"
#include "swarmgate/model/diagnostic.h"
#include "swarmgate/model/docker.h"
#include "swarmgate/model/routes.h"
#include "swarmgate/model/service_spec.h"

namespace swarmgate::routing {

/// A service to be served: what its owner asked for, and what of Docker belongs to it.
struct ServiceInput {
  Cow<model::ServiceSpec> spec;
  model::Origin origin = model::Origin::kDocker;
  std::int64_t created_unix_ns = 0;
  Shared<model::ServiceFacts> facts;  ///< absent for names that Docker does not know
};

/// Sorted by name, names unique.
using Inputs = Chunked<std::shared_ptr<const ServiceInput>>;

/// Addresses of names (outboundHostname, discoveryType=DNS, services of unknown origin), resolved
/// by the shell at run time. A name that is missing here is not resolved (yet): its backend has no
/// server.
using ResolvedNames = std::map<std::string, std::vector<std::string>>;

struct BuildContext {
  std::vector<model::NetworkFacts> networks;
  std::vector<std::string> own_network_ids;
  bool on_host = false;
  model::ContainerAddresses gateway_addresses;
  ResolvedNames names;
  std::vector<std::uint16_t> bound_ports;  ///< a srcPort outside of these gets a warning
  std::string label_prefix = "com.df.";    ///< for diagnostics: how an owner wrote a parameter
  bool tls = false;                        ///< one of them has TLS, so there are certificates
  /// What else listens where the proxy does (the admin API): not for reqMode=tcp.
  std::vector<std::uint16_t> reserved_ports;
};

/// A route that a service asked for and does not get: another one has the same claim, or comes
/// first for every request.
struct LostRoute {
  Cow<model::Route> route;
  std::string reason;  ///< one sentence; names the winner
  friend bool operator==(const LostRoute&, const LostRoute&) = default;
};

/// What became of one service.
struct ServiceOutcome {
  Few<model::Diagnostic> diagnostics;        ///< sorted
  std::vector<model::BackendName> backends;  ///< that it has; sorted
  std::size_t routes = 0;  ///< of `desired` that lead to it, or a part of their requests
  bool listens = false;    ///< on a port of its own
  bool raw = false;        ///< says itself what is done with its requests
  [[nodiscard]] bool served() const { return routes > 0 || listens || raw; }
  friend bool operator==(const ServiceOutcome&, const ServiceOutcome&) = default;
};

struct Built {
  model::Desired desired;
  SharedMap<model::ServiceName, ServiceOutcome> services;  ///< all that were given
  Chunked<LostRoute> lost;                                 ///< in order of precedence
  std::vector<std::string> names_wanted;  ///< names that should be resolved; sorted, unique
  /// Tasks that should get servers soon (starting, unhealthy yet): service names to poll.
  std::vector<model::ServiceName> converging;
};

/// A service that cannot be served is left out with a diagnostic, and changes nothing for the
/// others: Build({good, bad}).desired == Build({good}).desired.
[[nodiscard]] Built Build(const Inputs& services, const BuildContext& context);

/// How many entries there may be for routes that stand before more specific hosts (some 500 bytes
/// each): services with an aclName times domains that they come before.
inline constexpr std::size_t kMaxInserted = 100'000;

/// The same again and again, for inputs that change a little: an update costs what differs from
/// the last one. Thread: one at a time.
class Router {
 public:
  /// Where more would be inserted than `max_inserted`, the aclName of the youngest services does
  /// not count, and they are told.
  explicit Router(std::size_t max_inserted = kMaxInserted);
  ~Router();
  /// What Build(services, context) is. The reference holds until the next call.
  const Built& Update(const Inputs& services, const BuildContext& context);
  /// How often everything was made anew, the first time among them.
  [[nodiscard]] std::size_t rebuilds() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// In any order. REQUIRES: names are unique.
[[nodiscard]] Inputs MakeInputs(std::vector<ServiceInput> services);
/// Of all services, sorted.
[[nodiscard]] std::vector<model::Diagnostic> AllDiagnostics(const Built& built);

struct Question {
  std::string host;  ///< as in a URL or Host header; normalised here
  std::string path = "/";
  std::uint16_t port = 80;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in any letter case
};

/// Is this a request that can be made? What a client sends as host and path, and names of headers.
/// Errors: kInvalidArgument, with what to write instead.
[[nodiscard]] Status CheckQuestion(const Question& question);

struct Candidate {
  model::RouteId route;
  model::ServiceName service;
  bool matches = false;
  bool wins = false;
  std::string
      reason;  ///< "exact host a.com, prefix /demo", "excluded by /demo/private", "host differs", …
};

struct Explanation {
  std::optional<model::RouteId> winner;
  model::ServiceName service;  ///< empty when nothing matches
  model::BackendName backend;
  /// Empty, or who shares the requests of this kind by weight; the winner stands for all.
  std::vector<model::Share> shares;
  std::string reason;  ///< why the winner wins, or why nothing matches, one sentence
  std::vector<Candidate>
      candidates;  ///< in order of precedence; those that match, and at most 20 near misses; then
                   ///< at most 20 that would match and were left out
};

/// Which route gets this request, and why. Decided on the routes themselves in order of precedence,
/// not on the lookup table: tests hold the two against each other. `lost`: of the same Build.
[[nodiscard]] Explanation Explain(const Chunked<Cow<model::Route>>& routes,
                                  const Question& question, const Chunked<LostRoute>& lost = {});

/// The same for everything that is served: a port that does not speak HTTP leads where its name
/// (SNI, `question.host`) says, and services that decide by a template are named, because they are
/// asked before all routes and only HAProxy can say what they do.
[[nodiscard]] Explanation Explain(const model::Desired& desired, const Question& question,
                                  const Chunked<LostRoute>& lost = {});

/// What HAProxy will do with the lookup table, step by step as its rules do; the reference for
/// tests of the real one.
[[nodiscard]] std::optional<model::MatchCandidate> Lookup(const model::MatchTable& table,
                                                          const Question& question);

}  // namespace swarmgate::routing
