// All services with the routes that they ask for, found by where these stand in the lookup table.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "routing/backends.h"
#include "routing/draft.h"
#include "routing/endpoints.h"
#include "routing/judge.h"
#include "routing/order.h"
#include "swarmgate/base/cow.h"
#include "swarmgate/base/few.h"
#include "swarmgate/base/text.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::routing {

/// A service and what is known of it so far.
struct Entry {
  std::shared_ptr<const ServiceInput> input;
  ServedService served;
  EndpointChooser::Way way;
  Text owner_acl;            ///< under which it stands in the list of aclNames; empty: under none
  model::ServiceName owner;  ///< the oldest of its aclName
  std::vector<Draft> drafts;
  Cow<std::set<std::string>> names;          ///< that it wants resolved
  std::vector<model::BackendName> backends;  ///< that it has, for requests
  Few<model::BackendName> tcp_backends;
  Few<model::Diagnostic> served_told;   ///< about its destinations
  Few<model::Diagnostic> drafts_told;   ///< about its names, hosts and paths
  Few<model::Diagnostic> backend_told;  ///< about its backends
  Few<model::Diagnostic> tcp_told;
  bool raw = false;
  bool tcp = false;      ///< some destination does not speak HTTP
  bool listens = false;  ///< on a port of its own
};

/// Drafts stay where they are from Add to Remove: it keeps pointers to them.
class RouteBook {
 public:
  /// By precedence.
  struct ByOrder {
    bool operator()(const Draft* a, const Draft* b) const {
      return ComesBefore(a->route, b->route);
    }
  };

  [[nodiscard]] std::map<model::ServiceName, Entry>& entries() { return entries_; }
  [[nodiscard]] Entry* Find(const model::ServiceName& name);

  /// Its drafts are found from now on. They stay where they are until Remove.
  void Add(Entry& entry);
  /// Its drafts are not found any more; adds where they stood.
  void Remove(Entry& entry, std::set<Region>& regions);
  /// Where its drafts stand.
  static void AddRegions(const Entry& entry, std::set<Region>& regions);
  void Clear();

  /// All, in order of precedence.
  [[nodiscard]] std::vector<Draft*> All();
  /// As JudgeRegion demands.
  [[nodiscard]] std::vector<const Draft*> Of(const Region& region) const;
  /// Those of its host whose keys begin with its key.
  [[nodiscard]] std::vector<Draft*> Inside(const Region& region) const;

  /// May come before routes of other hosts, in order.
  [[nodiscard]] const std::set<Draft*, ByOrder>& specials() const { return specials_; }
  /// Hosts of these are no names, or some that decide which wildcards move to their list.
  [[nodiscard]] bool listed() const { return host_regexes_ > 0 || special_wildcards_ > 0; }

  /// Of all that have this aclName the oldest; empty when nobody has.
  [[nodiscard]] model::ServiceName OwnerOf(const std::string& acl) const;
  [[nodiscard]] std::vector<model::ServiceName> WithAcl(const std::string& acl) const;
  void AddName(Entry& entry);
  void RemoveName(Entry& entry);

 private:
  /// Drafts of one host by their keys.
  using ByKey = std::multimap<Text, Draft*, std::less<>>;

  std::map<model::ServiceName, Entry> entries_;
  std::unordered_map<std::string, ByKey> hosts_;
  std::set<Draft*, ByOrder> specials_;
  std::size_t host_regexes_ = 0;
  std::size_t special_wildcards_ = 0;
  /// aclName, when the service was made, its name.
  using Named = std::tuple<Text, std::int64_t, model::ServiceName>;
  [[nodiscard]] std::set<Named>::const_iterator FirstWith(const std::string& acl) const;
  [[nodiscard]] static Named NamedAs(const Entry& entry);

  std::set<Named> acls_;
};

}  // namespace swarmgate::routing
