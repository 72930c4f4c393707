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
                  const std::string& label_prefix, std::vector<Diagnostic>& diagnostics) {
  std::size_t shown = 0;
  for (const auto& [label, value] : facts.misplaced_labels) {
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

}  // namespace

std::string HashParameters(const Parameters& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters) {
    text += name + '\x1f' + value + '\x1e';
  }
  return HashHex(text);
}

const Definition* Assembly::Find(const ServiceName& name) const {
  auto found = std::lower_bound(
      definitions.begin(), definitions.end(), name,
      [](const Definition& definition, const ServiceName& key) { return definition.name < key; });
  return found != definitions.end() && found->name == name ? &*found : nullptr;
}

Assembler::Assembler(labels::ParseOptions options, std::vector<Parameters> static_services,
                     ReadTemplate read_template)
    : options_(std::move(options)),
      static_services_(std::move(static_services)),
      read_template_(std::move(read_template)) {}

labels::Templates Assembler::TemplatesOf(Origin origin, const Parameters& parameters) const {
  // Whoever is not allowed to name a file does not have one looked at.
  if (!options_.allow_raw || !read_template_) return {};
  return labels::ReadTemplates(ByName(origin, parameters, options_), read_template_);
}

std::shared_ptr<const Parsed> Assembler::ParseOnce(Origin origin, const ServiceName& name,
                                                   const Parameters& parameters) const {
  return ParseWith(origin, name, parameters, TemplatesOf(origin, parameters));
}

std::shared_ptr<const Parsed> Assembler::ParseWith(Origin origin, const ServiceName& name,
                                                   const Parameters& parameters,
                                                   labels::Templates templates) const {
  auto parsed = std::make_shared<Parsed>();
  labels::ParseOptions options = options_;
  options.templates = std::move(templates);
  std::vector<Diagnostic> more;
  if (origin == Origin::kDocker) {
    options.source = labels::Source::kLabel;
    labels::Notify notify = labels::ParseNotify(name, parameters, options);
    parsed->opted_in = notify.enabled;
    parsed->parameters = ByName(origin, parameters, options);
    more = std::move(notify.diagnostics);
  } else {
    options.source =
        origin == Origin::kStatic ? labels::Source::kEnvironment : labels::Source::kQuery;
    parsed->parameters = parameters;
  }
  parsed->parameters_hash = HashParameters(parsed->parameters);
  parsed->hash = parsed->parameters_hash;
  for (const auto& [path, file] : options.templates.files) {
    parsed->hash = HashHex(parsed->hash + path + '\x1f' + file.text + file.problem);
  }
  if (parsed->opted_in) {
    parsed->result = labels::ParseParameters(name, parsed->parameters, options);
    parsed->diagnostics = parsed->result.diagnostics;
  }
  parsed->diagnostics.insert(parsed->diagnostics.end(), more.begin(), more.end());
  SortUnique(parsed->diagnostics);
  return parsed;
}

std::shared_ptr<const Parsed> Assembler::Parse(Origin origin, const ServiceName& name,
                                               const Parameters& parameters) {
  Cached& cached = cache_[std::string(model::OriginName(origin)) + '/' + name.str()];
  const bool same = cached.parsed && cached.source == parameters;
  // Files are looked at again where there are some: nearly nobody has any.
  if (!same || !cached.templates.files.empty()) {
    labels::Templates templates = TemplatesOf(origin, parameters);
    if (!same || cached.templates.files != templates.files) {
      cached.parsed = ParseWith(origin, name, parameters, templates);
      cached.source = parameters;
      cached.templates = std::move(templates);
    }
  }
  cached.round = round_;
  return cached.parsed;
}

bool Assembler::TemplatesChanged() const {
  return std::any_of(cache_.begin(), cache_.end(), [this](const auto& entry) {
    const Cached& cached = entry.second;
    return !cached.templates.files.empty() &&
           labels::ReadTemplates(cached.parsed->parameters, read_template_).files !=
               cached.templates.files;
  });
}

void Assembler::Sweep() {
  for (auto entry = cache_.begin(); entry != cache_.end();) {
    entry = entry->second.round == round_ ? std::next(entry) : cache_.erase(entry);
  }
}

void Assembler::AddLabelled(const FactsKeeper& facts, Definitions& definitions) {
  for (const ServiceFacts& service : facts.facts().services) {
    const ServiceName own_name(service.name);
    std::shared_ptr<const Parsed> parsed = Parse(Origin::kDocker, own_name, service.labels);
    if (!parsed->opted_in && parsed->parameters.empty() && parsed->diagnostics.empty() &&
        service.misplaced_labels.empty()) {
      continue;
    }
    if (parsed->result.other_instance) continue;
    Definition definition;
    definition.name = parsed->result.spec ? parsed->result.spec->name : own_name;
    definition.parsed = parsed;
    definition.facts = &service;
    definition.created_unix_ns = service.created_unix_ns;
    AddMisplaced(service, definition.name, options_.label_prefix, definition.diagnostics);
    auto [held, added] = definitions.try_emplace(definition.name);
    if (added) {
      held->second = std::move(definition);
      continue;
    }
    const bool replace = held->second.parsed->opted_in == parsed->opted_in
                             ? Older(service, *held->second.facts)
                             : parsed->opted_in;
    if (replace) std::swap(held->second, definition);
    if (!held->second.parsed->opted_in || !definition.parsed->opted_in) continue;
    const ServiceFacts& loser = *definition.facts;
    held->second.diagnostics.push_back(
        {Severity::kWarning, "duplicate-name", held->first, "", Printable(loser.id, 20),
         std::string("another ") + KindName(loser.kind) + " of this name is left out: the older " +
             "one is served",
         "Rename one of them."});
  }
}

void Assembler::AddGiven(Origin origin, const ServiceName& name, const Parameters& parameters,
                         std::int64_t created_unix_ns,
                         const std::unordered_map<std::string, const ServiceFacts*>& by_name,
                         Definitions& definitions) {
  std::shared_ptr<const Parsed> parsed = Parse(origin, name, parameters);
  if (parsed->result.other_instance) return;
  Definition definition;
  definition.name = name;
  definition.origin = origin;
  definition.parsed = std::move(parsed);
  definition.created_unix_ns = created_unix_ns;
  auto held = definitions.find(name);
  if (held != definitions.end()) {
    definition.overrides_labels = held->second.parsed->opted_in;
    definition.facts = held->second.facts;
  } else if (auto known = by_name.find(name.str()); known != by_name.end()) {
    definition.facts = known->second;
  }
  if (definition.facts != nullptr) definition.created_unix_ns = definition.facts->created_unix_ns;
  definitions.insert_or_assign(name, std::move(definition));
}

Assembly Assembler::Assemble(const FactsKeeper& facts, const Records& records,
                             const std::map<ServiceName, Quarantined>& quarantine,
                             Assembly previous) {
  ++round_;
  Definitions definitions;
  AddLabelled(facts, definitions);
  std::unordered_map<std::string, const ServiceFacts*> by_name;
  if (!records.empty() || !static_services_.empty()) {
    for (const ServiceFacts& service : facts.facts().services) {
      by_name.emplace(service.name, &service);
    }
  }
  for (const Parameters& parameters : static_services_) {
    auto name = parameters.find("serviceName");
    if (name == parameters.end() || name->second.empty()) continue;  // told by the options
    AddGiven(Origin::kStatic, ServiceName(name->second), parameters, 0, by_name, definitions);
  }

  Assembly assembly;
  for (const auto& [name, record] : records) {
    if (record.kind == Record::Kind::kReconfigure) {
      AddGiven(Origin::kManual, name, record.parameters, record.created_unix_ms * 1'000'000,
               by_name, definitions);
      continue;
    }
    if (record.kind == Record::Kind::kCertificate) continue;
    auto held = definitions.find(name);
    if (held == definitions.end()) continue;
    // The labels alone: a template's file may change, or be away for a moment.
    if (held->second.parsed->parameters_hash == record.labels_hash) {
      held->second.withdrawn = true;
    } else {
      assembly.obsolete.push_back(name);
    }
  }
  assembly.definitions.reserve(definitions.size());
  assembly.keys.reserve(definitions.size());
  routing::Inputs::const_iterator old = previous.inputs.begin();
  std::size_t old_key = 0;
  for (auto& [name, definition] : definitions) {
    auto bad = quarantine.find(name);
    if (bad != quarantine.end() && bad->second.hash == definition.parsed->hash) {
      definition.quarantined = true;
      definition.diagnostics.push_back({Severity::kError, "quarantined", name, "", "",
                                        kRefusedByHAProxy + bad->second.reason,
                                        "Change its labels; it is tried again when they differ."});
    }
    if (definition.origin != Origin::kDocker) assembly.include.push_back(name.str());
    if (definition.facts != nullptr) {
      definition.facts_revision = facts.RevisionOf(definition.facts->id);
    }
    if (definition.served()) AddInput(definition, previous, old, old_key, assembly);
    assembly.definitions.push_back(std::move(definition));
  }
  Sweep();
  return assembly;
}

void Assembler::AddInput(const Definition& definition, const Assembly& previous,
                         routing::Inputs::const_iterator& old, std::size_t& old_key,
                         Assembly& assembly) {
  InputKey key{definition.parsed, definition.facts_revision, definition.origin,
               definition.created_unix_ns};
  const auto end = previous.inputs.end();
  for (; old != end && (*old)->spec.name < definition.name; ++old) ++old_key;
  if (old != end && previous.keys[old_key] == key && (*old)->spec.name == definition.name) {
    assembly.inputs.push_back(*old);
  } else {
    routing::ServiceInput input;
    input.spec = *definition.parsed->result.spec;
    input.spec.name = definition.name;
    input.origin = definition.origin;
    input.created_unix_ns = definition.created_unix_ns;
    if (definition.facts != nullptr) input.facts = *definition.facts;
    assembly.inputs.push_back(std::make_shared<const routing::ServiceInput>(std::move(input)));
  }
  assembly.keys.push_back(std::move(key));
}

}  // namespace swarmgate::engine
