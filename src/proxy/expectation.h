// What HAProxy must say after steps have been carried out: the questions to ask it, and the
// comparison of its answers.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "swarmgate/base/error.h"
#include "swarmgate/haproxy/plan.h"

namespace swarmgate::proxy {

class Expectation {
 public:
  explicit Expectation(const std::vector<haproxy::Step>& steps);

  /// Lines of commands, each for one connection. The first begins with `show info`.
  [[nodiscard]] const std::vector<std::string>& questions() const { return questions_; }

  /// Takes the answers (in the order of the questions). Returns the pid that answered first.
  /// Errors: kRejected when HAProxy holds something else, kCorrupt.
  [[nodiscard]] Result<int> Compare(const std::vector<std::string>& answers) const;

 private:
  enum class Server { kServing, kDraining, kGone };
  /// One map: the keys that were touched, or (after a ReplaceMap) everything.
  struct Map {
    std::map<std::string, std::optional<std::string>> touched;
    std::optional<std::vector<std::pair<std::string, std::string>>> all;
    bool whole = false;  ///< ask for the whole map
  };
  struct Visitor;

  void Ask();
  [[nodiscard]] Status CompareKeys(std::string_view answer, std::size_t& next) const;
  [[nodiscard]] Status CompareServers(const std::vector<haproxy::ServerState>& states) const;
  [[nodiscard]] Status CompareCertificates(std::string_view list, std::string_view fallback) const;
  static Status CompareWhole(haproxy::MapId id, const Map& map, std::string_view answer);

  std::map<haproxy::MapId, Map> maps_;
  std::map<model::SlotName, std::map<model::ServerName, Server>> servers_;
  std::map<std::string, bool> certificates_;  ///< file → is to be in the list
  std::string default_print_;                 ///< of the default certificate; empty: not touched
  std::vector<std::string> questions_;
  std::size_t lines_ =
      0;  ///< questions that are lines of keys and servers; the rest are whole maps
  std::vector<std::pair<std::string, std::optional<std::string>>> keys_;  ///< as asked
  std::vector<haproxy::MapId> wholes_;
};

}  // namespace swarmgate::proxy
