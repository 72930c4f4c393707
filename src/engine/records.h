// Records by name, which remember the names that have changed, so that whoever follows them looks
// at those only. Thread: owner.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <utility>

#include "swarmgate/model/ids.h"
#include "swarmgate/model/service_spec.h"

namespace swarmgate::engine {

class Records {
 public:
  using Map = std::map<model::ServiceName, model::Record>;
  using const_iterator = Map::const_iterator;

  [[nodiscard]] const_iterator begin() const { return records_.begin(); }
  [[nodiscard]] const_iterator end() const { return records_.end(); }
  [[nodiscard]] const_iterator find(const model::ServiceName& name) const {
    return records_.find(name);
  }
  [[nodiscard]] const_iterator lower_bound(const model::ServiceName& name) const {
    return records_.lower_bound(name);
  }
  [[nodiscard]] bool contains(const model::ServiceName& name) const {
    return records_.contains(name);
  }
  [[nodiscard]] bool empty() const { return records_.empty(); }
  /// REQUIRES: contains(name).
  [[nodiscard]] const model::Record& at(const model::ServiceName& name) const {
    return records_.at(name);
  }
  /// To be changed. REQUIRES: contains(name).
  [[nodiscard]] model::Record& at(const model::ServiceName& name) {
    changed_.insert(name);
    return records_.at(name);
  }
  void insert_or_assign(const model::ServiceName& name, model::Record record) {
    changed_.insert(name);
    records_.insert_or_assign(name, std::move(record));
  }
  std::size_t erase(const model::ServiceName& name) {
    changed_.insert(name);
    return records_.erase(name);
  }

  /// Names that have come, changed or gone since this was called last.
  [[nodiscard]] std::set<model::ServiceName> TakeChanged() { return std::exchange(changed_, {}); }

 private:
  Map records_;
  std::set<model::ServiceName> changed_;
};

}  // namespace swarmgate::engine
