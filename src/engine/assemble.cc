#include "engine/assemble.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "swarmgate/base/strings.h"

namespace swarmgate::engine {
namespace {

using model::Diagnostic;
using model::Origin;
using model::Record;
using model::ServiceFacts;
using model::ServiceName;
using model::Severity;

constexpr std::size_t kMisplacedShown = 10;

void SortUnique(std::vector<Diagnostic>& diagnostics) {
  std::sort(diagnostics.begin(), diagnostics.end());
  diagnostics.erase(std::unique(diagnostics.begin(), diagnostics.end()), diagnostics.end());
}

void AddMisplaced(const ServiceFacts& facts, const ServiceName& name,
                  const std::string& label_prefix, Few<Diagnostic>& diagnostics) {
  std::size_t shown = 0;
  for (const auto& [label, value] : facts.misplaced_labels.Unpack()) {
    if (++shown > kMisplacedShown) break;
    const bool harmless = label.starts_with(label_prefix) &&
                          labels::MayShowValue(std::string_view(label).substr(label_prefix.size()));
    diagnostics.push_back({Severity::kWarning, "misplaced-label", name, Printable(label),
                           harmless ? Printable(value, 60) : "(not shown)",
                           "the label stands on the service's containers, where it has no effect",
                           "Put it on the service: `--label` (not `--container-label`), or "
                           "`deploy.labels` in a stack file."});
  }
}

// Which of two objects of one name is served: the older one.
bool Older(const ServiceFacts& a, const ServiceFacts& b) {
  return std::tie(a.created_unix_ns, a.kind, a.id) < std::tie(b.created_unix_ns, b.kind, b.id);
}

const char* KindName(model::ServiceKind kind) {
  switch (kind) {
    case model::ServiceKind::kSwarm:
      return "Swarm service";
    case model::ServiceKind::kCompose:
      return "compose service";
    case model::ServiceKind::kContainer:
      return "container";
  }
  return "service";
}

/// Without the prefix of labels.
Parameters ByName(Origin origin, const Parameters& given, const labels::ParseOptions& options) {
  return origin == Origin::kDocker ? labels::ParametersFromLabels(given, options) : given;
}

std::shared_ptr<const routing::ServiceInput> MakeInput(const Definition& definition) {
  auto input = std::make_shared<routing::ServiceInput>();
  input->spec = definition.parsed->spec;
  if (input->spec->name != definition.name) input->spec.Edit().name = definition.name;
  input->origin = definition.origin;
  input->created_unix_ns = definition.created_unix_ns;
  input->facts = definition.facts;
  return input;
}

// `before`: the definition that the inputs were made with. Either may be null.
void SetInput(routing::Inputs& inputs, const ServiceName& name, const Definition* definition,
              const Definition* before) {
  const bool had = before != nullptr && before->served();
  const bool has = definition != nullptr && definition->served();
  if (!had && !has) return;
  const bool same = had && has && before->parsed == definition->parsed &&
                    before->facts == definition->facts && before->origin == definition->origin &&
                    before->created_unix_ns == definition->created_unix_ns;
  if (same) return;
  const auto place =
      inputs.PartitionPoint([&](const auto& input) { return input->spec->name < name; });
  if (!has) {
    inputs.erase(place);
  } else if (had) {
    inputs.Edit(place) = MakeInput(*definition);
  } else {
    inputs.insert(place, MakeInput(*definition));
  }
}

}  // namespace

std::uint64_t HashParameters(const Parameters& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters) {
    text += name + '\x1f' + value + '\x1e';
  }
  return Hash64(text);
}

const Definition* Assembly::Find(const ServiceName& name) const {
  const auto found = definitions.find(name);
  return found == definitions.end() ? nullptr : &found->second;
}

Assembler::Assembler(labels::ParseOptions options, std::vector<Parameters> static_services,
                     ReadTemplate read_template)
    : options_(std::move(options)), read_template_(std::move(read_template)) {
  for (const Parameters& parameters : static_services) {
    const auto found = parameters.find("serviceName");
    if (found == parameters.end() || found->second.empty()) continue;  // told by the options
    const ServiceName name(found->second);
    static_[name].push_back(ParseOnce(Origin::kStatic, name, parameters));
  }
}

labels::Templates Assembler::TemplatesOf(Origin origin, const Parameters& parameters) const {
  // Whoever is not allowed to name a file does not have one looked at.
  if (!options_.allow_raw || !read_template_) return {};
  return labels::ReadTemplates(ByName(origin, parameters, options_), read_template_);
}

ParsedPtr Assembler::ParseOnce(Origin origin, const ServiceName& name,
                               const Parameters& parameters) const {
  return ParseWith(origin, name, parameters, TemplatesOf(origin, parameters));
}

ParsedPtr Assembler::ParseWith(Origin origin, const ServiceName& name, const Parameters& parameters,
                               labels::Templates templates) const {
  Parsed parsed;
  labels::ParseOptions options = options_;
  options.templates = std::move(templates);
  parsed.templates = options.templates;
  std::vector<Diagnostic> diagnostics;
  Parameters own;
  if (origin == Origin::kDocker) {
    options.source = labels::Source::kLabel;
    labels::Notify notify = labels::ParseNotify(name, parameters, options);
    parsed.opted_in = notify.enabled;
    own = ByName(origin, parameters, options);
    diagnostics = std::move(notify.diagnostics);
  } else {
    options.source =
        origin == Origin::kStatic ? labels::Source::kEnvironment : labels::Source::kQuery;
    own = parameters;
  }
  parsed.parameters = own;
  parsed.parameters_hash = HashParameters(own);
  parsed.hash = parsed.parameters_hash;
  for (const auto& [path, file] : options.templates.files) {
    parsed.hash = Hash64(HexOf(parsed.hash) + path + '\x1f' + file.text + file.problem);
  }
  if (parsed.opted_in) {
    const labels::ParsedService result = labels::ParseParameters(name, own, options);
    parsed.spec = result.spec;
    parsed.other_instance = result.other_instance;
    diagnostics.insert(diagnostics.end(), result.diagnostics.begin(), result.diagnostics.end());
  }
  SortUnique(diagnostics);
  diagnostics.shrink_to_fit();
  parsed.diagnostics = std::move(diagnostics);
  return parsed;
}

bool Assembler::IsStale(const Parsed& parsed) const {
  return !parsed.templates->files.empty() &&
         labels::ReadTemplates(parsed.parameters.Unpack(), read_template_) != *parsed.templates;
}

bool Assembler::TemplatesChanged() const {
  const auto is_stale = [this](const auto& parsed) { return IsStale(*parsed); };
  return std::any_of(templated_.begin(), templated_.end(),
                     [&](const ServicePtr& service) { return IsStale(ParsedOf(*service)); }) ||
         std::any_of(templated_records_.begin(), templated_records_.end(),
                     [&](const auto& name) { return is_stale(by_record_.at(name)); }) ||
         std::any_of(static_.begin(), static_.end(), [&](const auto& entry) {
           return std::any_of(entry.second.begin(), entry.second.end(), is_stale);
         });
}

// --- what has changed ----------------------------------------------------------------------------

bool Assembler::Claim::counts() const {
  const bool says_nothing = !parsed->opted_in && parsed->parameters.empty() &&
                            parsed->diagnostics.empty() && service->misplaced_labels.empty();
  return !says_nothing && !parsed->other_instance;
}

Assembler::Claims::const_iterator Assembler::PlaceOfClaim(const ServiceFacts& service) const {
  return claims_.PartitionPoint(
      [&](const Claim& other) { return ComesBefore(*other.service, service); });
}

const Parsed& Assembler::ParsedOf(const ServiceFacts& service) const {
  return *PlaceOfClaim(service)->parsed;
}

std::vector<Assembler::Claim> Assembler::ClaimsOf(const ServiceName& name) const {
  std::vector<Claim> claims;
  auto claim =
      claims_.PartitionPoint([&](const Claim& other) { return other.service->name < name.text(); });
  for (; claim != claims_.end() && claim->service->name == name.text(); ++claim) {
    if (claim->counts()) claims.push_back(*claim);
  }
  return claims;
}

void Assembler::AddClaim(const ServicePtr& service, ParsedPtr parsed, Names& touched) {
  const ServiceName name(service->name);
  if (!parsed) parsed = ParseOnce(Origin::kDocker, name, service->labels.Unpack());
  if (!parsed->templates->files.empty()) templated_.insert(service);
  // Even if it claims nothing: a record or a static service may be about it.
  touched.insert(name);
  if (parsed->other_instance) ++assembly_.of_other_instances;
  claims_.insert(PlaceOfClaim(*service), {service, std::move(parsed)});
}

void Assembler::DropClaim(const ServicePtr& service, Names& touched) {
  touched.insert(ServiceName(service->name));
  templated_.erase(service);
  const auto claim = PlaceOfClaim(*service);
  if (claim->parsed->other_instance) --assembly_.of_other_instances;
  claims_.erase(claim);
}

void Assembler::TakeServices(const Services& services, Names& touched) {
  Services::Diff(
      services_, services, Before(), [&](const ServicePtr& gone) { DropClaim(gone, touched); },
      [&](const ServicePtr& come) { AddClaim(come, {}, touched); },
      [&](const ServicePtr& before, const ServicePtr& now) {
        // Most of the time it is about tasks.
        ParsedPtr parsed;
        if (before->labels == now->labels) parsed = PlaceOfClaim(*before)->parsed;
        DropClaim(before, touched);
        AddClaim(now, std::move(parsed), touched);
      });
  services_ = services;
}

void Assembler::SetOfRecord(const Record& record, ParsedPtr parsed) {
  if (parsed->templates->files.empty()) {
    templated_records_.erase(record.service);
  } else {
    templated_records_.insert(record.service);
  }
  by_record_[record.service] = std::move(parsed);
}

void Assembler::TakeRecords(const Records& records, const Names& changed, Names& touched) {
  for (const ServiceName& name : changed) {
    touched.insert(name);
    const auto record = records.find(name);
    if (record == records.end() || record->second.kind != Record::Kind::kReconfigure) {
      by_record_.erase(name);
      templated_records_.erase(name);
      continue;
    }
    const auto held = by_record_.find(name);
    if (held != by_record_.end() && held->second->parameters == record->second.parameters) continue;
    SetOfRecord(record->second, ParseOnce(Origin::kManual, name, record->second.parameters));
  }
}

void Assembler::TakeQuarantine(const Quarantines& quarantine, Names& touched) {
  if (quarantine == quarantine_) return;
  for (const auto& [name, entry] : quarantine_) touched.insert(name);
  for (const auto& [name, entry] : quarantine) touched.insert(name);
  quarantine_ = quarantine;
}

void Assembler::TakeTemplates(const Records& records, Names& touched) {
  for (const ServicePtr& service : InOrder(templated_)) {
    if (!IsStale(ParsedOf(*service))) continue;
    DropClaim(service, touched);
    AddClaim(service, {}, touched);
  }
  for (const ServiceName& name : Names(templated_records_)) {
    if (!IsStale(*by_record_.at(name))) continue;
    const Record& record = records.at(name);
    SetOfRecord(record, ParseOnce(Origin::kManual, name, record.parameters));
    touched.insert(name);
  }
  for (auto& [name, given] : static_) {
    for (ParsedPtr& parsed : given) {
      if (!IsStale(*parsed)) continue;
      parsed = ParseOnce(Origin::kStatic, name, parsed->parameters.Unpack());
      touched.insert(name);
    }
    if (!static_taken_) touched.insert(name);
  }
  static_taken_ = true;
}

std::set<ServiceName> Assembler::TakeChanged() { return std::exchange(changed_, {}); }

const Assembly& Assembler::Update(const Services& services, const Records& records,
                                  const std::set<ServiceName>& changed_records,
                                  const Quarantines& quarantine) {
  Names touched;
  TakeServices(services, touched);
  TakeRecords(records, changed_records, touched);
  TakeQuarantine(quarantine, touched);
  TakeTemplates(records, touched);
  for (const ServiceName& name : touched) {
    const auto record = records.find(name);
    const auto of_record = by_record_.find(name);
    std::optional<Definition> definition =
        Define(name, record == records.end() ? nullptr : &record->second,
               of_record == by_record_.end() ? ParsedPtr() : of_record->second);
    assembly_.obsolete.erase(name);
    if (definition && !definition->withdrawn && record != records.end() &&
        record->second.kind == Record::Kind::kWithdrawn) {
      assembly_.obsolete.insert(name);
    }
    Install(name, std::move(definition));
  }
  return assembly_;
}

// --- what becomes of one name --------------------------------------------------------------------

std::optional<Definition> Assembler::DefineLabelled(const ServiceName& name) const {
  std::optional<Definition> held;
  for (const auto& [service, parsed] : ClaimsOf(name)) {
    Definition definition;
    definition.name = name;
    definition.parsed = parsed;
    definition.facts = service;
    definition.created_unix_ns = service->created_unix_ns;
    AddMisplaced(*service, name, options_.label_prefix, definition.diagnostics);
    if (!held) {
      held = std::move(definition);
      continue;
    }
    const bool opted_in = definition.parsed->opted_in;
    const bool replace =
        held->parsed->opted_in == opted_in ? Older(*service, *held->facts) : opted_in;
    if (replace) std::swap(*held, definition);
    if (!held->parsed->opted_in || !definition.parsed->opted_in) continue;
    const ServiceFacts& loser = *definition.facts;
    held->diagnostics.push_back({Severity::kWarning, "duplicate-name", name, "",
                                 Printable(loser.id.str(), 20),
                                 std::string("another ") + KindName(loser.kind) +
                                     " of this name is left out: the older " + "one is served",
                                 "Rename one of them."});
  }
  return held;
}

void Assembler::Give(std::optional<Definition>& held, Origin origin, const ServiceName& name,
                     const ParsedPtr& parsed, std::int64_t created_unix_ns) const {
  if (parsed->other_instance) return;
  Definition definition;
  definition.name = name;
  definition.origin = origin;
  definition.parsed = parsed;
  definition.created_unix_ns = created_unix_ns;
  if (held) {
    definition.overrides_labels = held->parsed->opted_in;
    definition.facts = held->facts;
  } else {
    definition.facts = FindByName(services_, name.str());
  }
  if (definition.facts) definition.created_unix_ns = definition.facts->created_unix_ns;
  held = std::move(definition);
}

std::optional<Definition> Assembler::Define(const ServiceName& name, const Record* record,
                                            const ParsedPtr& of_record) const {
  std::optional<Definition> definition = DefineLabelled(name);
  if (const auto given = static_.find(name); given != static_.end()) {
    for (const auto& parsed : given->second) Give(definition, Origin::kStatic, name, parsed, 0);
  }
  if (of_record) {
    Give(definition, Origin::kManual, name, of_record, record->created_unix_ms * 1'000'000);
  }
  if (!definition) return definition;
  // The labels alone: a template's file may change, or be away for a moment.
  definition->withdrawn = record != nullptr && record->kind == Record::Kind::kWithdrawn &&
                          HexOf(definition->parsed->parameters_hash) == record->labels_hash;
  const auto bad = quarantine_.find(name);
  if (bad != quarantine_.end() && bad->second.hash == definition->parsed->hash) {
    definition->quarantined = true;
    definition->diagnostics.push_back({Severity::kError, "quarantined", name, "", "",
                                       kRefusedByHAProxy + bad->second.reason,
                                       "Change its labels; it is tried again when they differ."});
  }
  return definition;
}

void Assembler::Install(const ServiceName& name, std::optional<Definition> definition) {
  const Definition* held = assembly_.Find(name);
  if (held == nullptr ? !definition : definition == *held) return;
  changed_.insert(name);
  SetInput(assembly_.inputs, name, definition ? &*definition : nullptr, held);
  const bool given = definition && definition->origin != Origin::kDocker;
  const bool certified =
      definition && definition->served() && !definition->parsed->spec->certificate.empty();
  if (given ? assembly_.include.insert(name.str()).second
            : assembly_.include.erase(name.str()) > 0) {
    ++assembly_.include_version;
  }
  if (certified) {
    assembly_.with_certificate.insert(name);
  } else {
    assembly_.with_certificate.erase(name);
  }
  if (definition) {
    assembly_.definitions.insert_or_assign(name, std::move(*definition));
  } else {
    assembly_.definitions.erase(name);
  }
}

Assembler::Trial Assembler::Try(const Record& record) const {
  Trial trial;
  const ServiceName& name = record.service;
  trial.definition = Define(name, &record, ParseOnce(Origin::kManual, name, record.parameters));
  trial.inputs = assembly_.inputs;
  SetInput(trial.inputs, name, trial.definition ? &*trial.definition : nullptr,
           assembly_.Find(name));
  return trial;
}

}  // namespace swarmgate::engine
