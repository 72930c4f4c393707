// Facts + records + static services → one definition per service name: who defines it (origin
// rules), what of Docker belongs to it, what is left out and why. No I/O but templates' files.
//
// A name may be claimed three times; the strongest wins: manual (API), static (DFP_SERVICE_*, the
// operator's), docker (labels). Tasks are Docker's whoever defines the routes.
//
// What was made is kept, and a change makes only those names anew that it touches: always with the
// outcome that everything made anew would have.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/facts_keeper.h"
#include "engine/records.h"
#include "swarmgate/base/chunked.h"
#include "swarmgate/base/cow.h"
#include "swarmgate/base/few.h"
#include "swarmgate/base/packed_texts.h"
#include "swarmgate/base/shared.h"
#include "swarmgate/labels/parse.h"
#include "swarmgate/model/docker.h"
#include "swarmgate/model/service_spec.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::engine {

using Parameters = std::map<std::string, std::string>;

/// The outcome of parsing one set of parameters.
struct Parsed {
  PackedTexts parameters;  ///< names without prefix
  std::uint64_t parameters_hash = 0;
  std::uint64_t hash = 0;              ///< of the parameters, and of the templates that they name
  Cow<labels::Templates> templates;    ///< as they were when it was made
  Shared<model::ServiceSpec> spec;     ///< as of labels::ParsedService
  Few<model::Diagnostic> diagnostics;  ///< all of them, sorted
  bool opted_in = true;                ///< com.df.notify; true for other origins
  bool other_instance = false;         ///< as of labels::ParsedService
  friend bool operator==(const Parsed&, const Parsed&) = default;
};
using ParsedPtr = Shared<Parsed>;

/// Begins what is told of such a service.
inline constexpr const char* kRefusedByHAProxy =
    "HAProxy refuses the configuration made of this service: ";

/// A service that HAProxy's check refused, until its parameters change.
struct Quarantined {
  std::uint64_t hash = 0;  ///< Parsed::hash
  std::string reason;
  friend bool operator==(const Quarantined&, const Quarantined&) = default;
};
using Quarantines = std::map<model::ServiceName, Quarantined>;

/// One service name, whoever defines it.
struct Definition {
  model::ServiceName name;
  model::Origin origin = model::Origin::kDocker;
  bool overrides_labels = false;
  bool withdrawn = false;
  bool quarantined = false;
  ParsedPtr parsed;
  ServicePtr facts;                    ///< none: not from Docker
  Few<model::Diagnostic> diagnostics;  ///< beside those of `parsed`
  std::int64_t created_unix_ns = 0;
  /// It is given to routing::Build.
  [[nodiscard]] bool served() const {
    return parsed->opted_in && !withdrawn && !quarantined && parsed->spec.has_value();
  }
  friend bool operator==(const Definition&, const Definition&) = default;
};

struct Assembly {
  SharedMap<model::ServiceName, Definition> definitions;
  routing::Inputs inputs;                         ///< of those that are served
  std::set<model::ServiceName> obsolete;          ///< withdrawals whose labels have changed
  std::set<std::string> include;                  ///< names that Docker should list without labels
  std::uint64_t include_version = 0;              ///< another for each content of `include`
  std::set<model::ServiceName> with_certificate;  ///< served, and bring a certificate
  std::size_t of_other_instances = 0;  ///< opted in by labels, and meant for another instance
  /// May be null; holds until the next change of the assembly.
  [[nodiscard]] const Definition* Find(const model::ServiceName& name) const;
};

class Assembler {
 public:
  /// The text of a template's file; see Engine::Ports.
  using ReadTemplate = std::function<Result<std::string>(const std::string& path)>;

  Assembler(labels::ParseOptions options, std::vector<Parameters> static_services,
            ReadTemplate read_template = {});

  /// Brings the assembly up to date. `changed_records`: names of all that are not what they were at
  /// the last call. The reference holds for ever; its content until the next call.
  const Assembly& Update(const Services& services, const Records& records,
                         const std::set<model::ServiceName>& changed_records,
                         const Quarantines& quarantine);
  [[nodiscard]] const Assembly& assembly() const { return assembly_; }
  /// Names whose definition has come, changed or gone since this was called last.
  [[nodiscard]] std::set<model::ServiceName> TakeChanged();

  /// What the assembly would be with this record, as far as it concerns the record's name.
  struct Trial {
    std::optional<Definition> definition;
    routing::Inputs inputs;
  };
  /// REQUIRES: of kind kReconfigure.
  [[nodiscard]] Trial Try(const model::Record& record) const;

  /// Parses as Update does, and remembers nothing: for calls, whose names anybody may invent.
  /// `parameters`: for origin docker, all of the object's labels.
  [[nodiscard]] ParsedPtr ParseOnce(model::Origin origin, const model::ServiceName& name,
                                    const Parameters& parameters) const;
  /// Is there now another text than before in a file that a service names?
  [[nodiscard]] bool TemplatesChanged() const;
  /// Sets of parameters that are remembered; not more than the last Update was given.
  [[nodiscard]] std::size_t remembered() const { return claims_.size() + by_record_.size(); }

 private:
  /// What an object of Docker's says by its labels.
  struct Claim {
    ServicePtr service;
    ParsedPtr parsed;
    /// Does it claim its service's name? Labels cannot claim another one.
    [[nodiscard]] bool counts() const;
  };
  struct Before {
    bool operator()(const ServicePtr& a, const ServicePtr& b) const { return ComesBefore(a, b); }
  };
  using InOrder = std::set<ServicePtr, Before>;
  using Claims = Chunked<Claim>;
  using Names = std::set<model::ServiceName>;

  /// `parameters` of origin docker: all of the object's labels.
  [[nodiscard]] ParsedPtr ParseWith(model::Origin origin, const model::ServiceName& name,
                                    const Parameters& parameters,
                                    labels::Templates templates) const;
  /// The files that parameters name, as they are now; none without the operator's leave.
  /// `parameters` of origin docker: all of the object's labels.
  [[nodiscard]] labels::Templates TemplatesOf(model::Origin origin,
                                              const Parameters& parameters) const;
  /// Files are looked at again where there are some: nearly nobody has any.
  [[nodiscard]] bool IsStale(const Parsed& parsed) const;

  void TakeServices(const Services& services, Names& touched);
  void TakeRecords(const Records& records, const Names& changed, Names& touched);
  void TakeQuarantine(const Quarantines& quarantine, Names& touched);
  void TakeTemplates(const Records& records, Names& touched);
  void AddClaim(const ServicePtr& service, ParsedPtr parsed, Names& touched);
  void DropClaim(const ServicePtr& service, Names& touched);
  [[nodiscard]] Claims::const_iterator PlaceOfClaim(const model::ServiceFacts& service) const;
  /// REQUIRES: there is one.
  [[nodiscard]] const Parsed& ParsedOf(const model::ServiceFacts& service) const;
  /// Of one name, in order of the services.
  [[nodiscard]] std::vector<Claim> ClaimsOf(const model::ServiceName& name) const;
  void SetOfRecord(const model::Record& record, ParsedPtr parsed);

  [[nodiscard]] std::optional<Definition> DefineLabelled(const model::ServiceName& name) const;
  /// `record`: that of the name; may be null. `of_record`: parsed from it.
  [[nodiscard]] std::optional<Definition> Define(const model::ServiceName& name,
                                                 const model::Record* record,
                                                 const ParsedPtr& of_record) const;
  void Give(std::optional<Definition>& held, model::Origin origin, const model::ServiceName& name,
            const ParsedPtr& parsed, std::int64_t created_unix_ns) const;
  void Install(const model::ServiceName& name, std::optional<Definition> definition);

  labels::ParseOptions options_;
  ReadTemplate read_template_;
  /// Several may have one name: the last one counts.
  std::map<model::ServiceName, std::vector<ParsedPtr>> static_;
  bool static_taken_ = false;
  Services services_;  ///< as of the last Update, as everything below
  Claims claims_;      ///< in order of the services
  std::map<model::ServiceName, ParsedPtr> by_record_;  ///< kReconfigure
  InOrder templated_;                                  ///< their labels name files
  Names templated_records_;                            ///< these name files
  Quarantines quarantine_;
  Assembly assembly_;
  Names changed_;
};

/// Stable hash of parameters.
[[nodiscard]] std::uint64_t HashParameters(const Parameters& parameters);

}  // namespace swarmgate::engine
