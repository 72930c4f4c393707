// Facts + records + static services → one definition per service name: who defines it (origin
// rules), what of Docker belongs to it, what is left out and why. Pure, but for a cache of parsed
// parameters that changes nothing but the time it takes.
//
// A name may be claimed three times; the strongest wins: manual (API), static (DFP_SERVICE_*, the
// operator's), docker (labels). Tasks are Docker's whoever defines the routes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/facts_keeper.h"
#include "swarmgate/labels/parse.h"
#include "swarmgate/model/docker.h"
#include "swarmgate/model/service_spec.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::engine {

using Parameters = std::map<std::string, std::string>;
using Records = std::map<model::ServiceName, model::Record>;

/// The outcome of parsing one set of parameters; shared, never changed.
struct Parsed {
  Parameters parameters;  ///< names without prefix
  std::string parameters_hash;
  std::string hash;      ///< of the parameters, and of the templates that they name
  bool opted_in = true;  ///< com.df.notify; true for other origins
  labels::ParsedService result;
  std::vector<model::Diagnostic> diagnostics;  ///< all of them, sorted
};

/// Begins what is told of such a service.
inline constexpr const char* kRefusedByHAProxy =
    "HAProxy refuses the configuration made of this service: ";

/// A service that HAProxy's check refused, until its parameters change.
struct Quarantined {
  std::string hash;
  std::string reason;
};

/// One service name, whoever defines it.
struct Definition {
  model::ServiceName name;
  model::Origin origin = model::Origin::kDocker;
  bool overrides_labels = false;
  bool withdrawn = false;
  bool quarantined = false;
  std::shared_ptr<const Parsed> parsed;
  const model::ServiceFacts* facts = nullptr;  ///< of the FactsKeeper given; may be null
  std::uint64_t facts_revision = 0;            ///< FactsKeeper::RevisionOf
  std::vector<model::Diagnostic> diagnostics;  ///< beside those of `parsed`
  std::int64_t created_unix_ns = 0;
  /// It is given to routing::Build.
  [[nodiscard]] bool served() const {
    return parsed->opted_in && !withdrawn && !quarantined && parsed->result.spec.has_value();
  }
};

/// What an input was made of; equal keys make equal inputs.
struct InputKey {
  std::shared_ptr<const Parsed> parsed;
  std::uint64_t facts_revision = 0;
  model::Origin origin = model::Origin::kDocker;
  std::int64_t created_unix_ns = 0;
  friend bool operator==(const InputKey&, const InputKey&) = default;
};

struct Assembly {
  std::vector<Definition> definitions;       ///< sorted by name, unique
  routing::Inputs inputs;                    ///< of those that are served
  std::vector<InputKey> keys;                ///< of the inputs
  std::vector<model::ServiceName> obsolete;  ///< withdrawals whose labels have changed
  std::vector<std::string> include;          ///< names that Docker should list without labels
  [[nodiscard]] const Definition* Find(const model::ServiceName& name) const;
};

class Assembler {
 public:
  /// The text of a template's file; see Engine::Ports.
  using ReadTemplate = std::function<Result<std::string>(const std::string& path)>;

  Assembler(labels::ParseOptions options, std::vector<Parameters> static_services,
            ReadTemplate read_template = {});

  /// `previous`: an earlier result, of which is taken over what did not change.
  Assembly Assemble(const FactsKeeper& facts, const Records& records,
                    const std::map<model::ServiceName, Quarantined>& quarantine,
                    Assembly previous = {});

  /// Parses as Assemble does, and remembers nothing: for calls, whose names anybody may invent.
  /// `parameters`: for origin docker, all of the object's labels.
  [[nodiscard]] std::shared_ptr<const Parsed> ParseOnce(model::Origin origin,
                                                        const model::ServiceName& name,
                                                        const Parameters& parameters) const;
  /// Is there now another text than before in a file that a service names?
  [[nodiscard]] bool TemplatesChanged() const;
  /// Sets of parameters that are remembered; not more than the last Assemble was given.
  [[nodiscard]] std::size_t remembered() const { return cache_.size(); }

 private:
  struct Cached {
    Parameters source;
    labels::Templates templates;  ///< that `parsed` was made with
    std::shared_ptr<const Parsed> parsed;
    std::uint64_t round = 0;
  };
  /// The files that parameters name, as they are now; none without the operator's leave.
  /// `parameters` of origin docker: all of the object's labels.
  [[nodiscard]] labels::Templates TemplatesOf(model::Origin origin,
                                              const Parameters& parameters) const;
  /// `parameters` of origin docker: all of the object's labels.
  [[nodiscard]] std::shared_ptr<const Parsed> ParseWith(model::Origin origin,
                                                        const model::ServiceName& name,
                                                        const Parameters& parameters,
                                                        labels::Templates templates) const;
  using Definitions = std::map<model::ServiceName, Definition>;

  void AddLabelled(const FactsKeeper& facts, Definitions& definitions);
  void AddGiven(model::Origin origin, const model::ServiceName& name, const Parameters& parameters,
                std::int64_t created_unix_ns,
                const std::unordered_map<std::string, const model::ServiceFacts*>& by_name,
                Definitions& definitions);
  std::shared_ptr<const Parsed> Parse(model::Origin origin, const model::ServiceName& name,
                                      const Parameters& parameters);
  static void AddInput(const Definition& definition, const Assembly& previous,
                       routing::Inputs::const_iterator& old, std::size_t& key, Assembly& assembly);
  void Sweep();

  labels::ParseOptions options_;
  std::vector<Parameters> static_services_;
  ReadTemplate read_template_;
  std::unordered_map<std::string, Cached> cache_;
  std::uint64_t round_ = 0;
};

/// Stable hash of parameters.
[[nodiscard]] std::string HashParameters(const Parameters& parameters);

}  // namespace swarmgate::engine
