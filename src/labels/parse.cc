#include "swarmgate/labels/parse.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "labels/matches.h"
#include "labels/report.h"
#include "labels/schema.h"
#include "labels/setters.h"
#include "labels/template_use.h"
#include "labels/users.h"
#include "labels/values.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/model/names.h"

namespace swarmgate::labels {
namespace {

using model::PathMatch;

constexpr std::string_view kNotify = "notify";
constexpr std::string_view kNotShown = "(not shown)";

model::Origin OriginOf(Source source) {
  switch (source) {
    case Source::kLabel:
      return model::Origin::kDocker;
    case Source::kQuery:
      return model::Origin::kManual;
    case Source::kEnvironment:
      break;
  }
  return model::Origin::kStatic;
}

// A parameter as it was given: under which name, with which value.
struct Given {
  const std::string* name = nullptr;
  const std::string* value = nullptr;
  bool exact = false;  // written exactly as the table has it
  bool alias = false;
};

// A name taken apart: "port.1" → "port", 1.
struct Indexed {
  std::string_view base;
  bool has_index = false;
  std::optional<int> index;  // nothing where it is no index of ours
};

Indexed TakeApart(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return {name, false, 0};
  const auto number = ParseUint(name.substr(dot + 1), kMaxIndex);
  if (!number || *number == 0) return {name.substr(0, dot), true, std::nullopt};
  return {name.substr(0, dot), true, static_cast<int>(*number)};
}

class ServiceParser {
 public:
  ServiceParser(const model::ServiceName& name, const ParseOptions& options)
      : options_(options), report_(name) {
    draft_.spec.name = name;
    const auto table = Parameters();
    const auto with_effect = std::find_if(table.begin(), table.end(),
                                          [](const Parameter& p) { return p.set == nullptr; });
    table_ = table.first(static_cast<std::size_t>(with_effect - table.begin()));
    given_.resize(table_.size());
  }

  ParsedService Parse(const std::map<std::string, std::string>& parameters) {
    ParsedService parsed;
    if (OfOtherInstance(parameters)) {
      parsed.other_instance = true;
      return parsed;
    }
    if (parameters.size() > kMaxParameters) {
      report_.Error("too-many-parameters",
                    "the service has " + std::to_string(parameters.size()) +
                        " parameters; more than " + std::to_string(kMaxParameters) +
                        " are not read",
                    "Split it into several services");
    } else {
      for (const auto& [name, value] : parameters) Place(name, value);
      ParseService();
      if (report_.errors() == 0) ParseDests();
      if (!draft_.template_fe.empty() || !draft_.template_be.empty()) UseTemplates();
    }
    if (!draft_.spec.dests.empty()) parsed.spec = std::move(draft_.spec);
    parsed.diagnostics = report_.Take();
    return parsed;
  }

 private:
  [[nodiscard]] std::string Shown(std::string_view name) const {
    return model::ShownParameter(OriginOf(options_.source), options_.label_prefix, name);
  }

  [[nodiscard]] std::string_view Kind() const {
    switch (options_.source) {
      case Source::kLabel:
        return "label";
      case Source::kEnvironment:
        return "variable";
      case Source::kQuery:
        break;
    }
    return "parameter";
  }

  [[nodiscard]] bool OfOtherInstance(const std::map<std::string, std::string>& parameters) const {
    if (!options_.filter_instance) return false;
    std::string wanted;
    for (const auto& [name, value] : parameters) {
      const bool exact = name == "proxyInstanceName";
      if (exact || (wanted.empty() && ToLower(name) == "proxyinstancename")) wanted = value;
      if (exact) break;
    }
    return ToLower(Trim(wanted)) != ToLower(options_.instance_name);
  }

  void About(const std::string& name, std::string_view value, const Parameter* parameter) {
    report_.About(Shown(name), parameter->secret ? kNotShown : value, parameter->hint);
  }

  void Unknown(const std::string& name, const Indexed& apart) {
    static const auto* const candidates = new std::vector<std::string>(ParameterNames());
    // Whoever has many unknown labels has no typos, but labels of something else.
    constexpr std::size_t kMostSuggestions = 32;
    const bool suggest = ++unknown_ <= kMostSuggestions;
    const auto closest = suggest ? ClosestMatch(apart.base, *candidates) : std::nullopt;
    // Nobody knows whether a secret was meant.
    report_.About(Shown(name), kNotShown);
    std::string hint;
    if (closest) {
      const std::string index = apart.has_index ? name.substr(apart.base.size()) : "";
      hint = "Did you mean " + Shown(*closest + index) + "?";
    }
    report_.Warning("unknown-label", "unknown " + std::string(Kind()), hint);
  }

  // Finds out which parameter a name means, and keeps it with its index.
  void Place(const std::string& name, const std::string& value) {
    Indexed apart = TakeApart(name);
    Found found = FindParameter(name);
    if (found.parameter != nullptr) {
      apart = {name, false, 0};
    } else if (apart.has_index) {
      found = FindParameter(apart.base);
    }
    if (found.parameter == nullptr) return Unknown(name, apart);
    const Parameter& parameter = *found.parameter;
    if (parameter.effect == Effect::kElsewhere) return;
    About(name, value, &parameter);
    if (apart.has_index && !IndexAllowed(parameter, apart)) return;
    if (!found.exact) {
      report_.Warning(
          "letter-case", "the letter case differs from " + std::string(parameter.name),
          "Write " + Shown(std::string(parameter.name) + name.substr(apart.base.size())));
    }
    if (parameter.effect == Effect::kNotYet) return NotYet(parameter, value);
    if (parameter.effect == Effect::kReplaced) {
      return report_.Info("replaced", std::string(parameter.name) + " has no effect here",
                          parameter.help);
    }
    if (parameter.effect == Effect::kObsolete) {
      return report_.Info("obsolete", "Docker Flow Proxy had dropped it, and it has no effect");
    }
    const Given next{&name, &value, found.exact, apart.base == parameter.alias};
    Keep(parameter, static_cast<std::size_t>(*apart.index), next);
  }

  bool IndexAllowed(const Parameter& parameter, const Indexed& apart) {
    if (!apart.index) {
      report_.Warning("bad-index", "there is no such destination, so it is left out",
                      "Destinations are numbered .1 to .10, or have no number");
      return false;
    }
    if (parameter.level == Level::kService) {
      report_.Add(Severity(parameter), "not-indexable",
                  std::string(parameter.name) +
                      " concerns the whole service, so with an index it is left out",
                  "Write " + Shown(parameter.name));
      return false;
    }
    return true;
  }

  /// Of a notice that a parameter has no effect.
  static model::Severity Severity(const Parameter& parameter) {
    return parameter.restricts ? model::Severity::kError : model::Severity::kWarning;
  }

  void NotYet(const Parameter& parameter, std::string_view value) {
    // A restriction that is switched off restricts nothing.
    const bool off = parameter.type == "bool" && ParseBool(Trim(value)) == false;
    if (off && parameter.notice == model::Severity::kError) return;
    const std::string message = std::string(parameter.name) + " is not honoured yet";
    if (parameter.notice == model::Severity::kError) {
      return report_.Error(
          "not-yet",
          message +
              ", and without it the service would be open to more "
              "requests than its owner wants",
          "Restrict it elsewhere and leave the " + std::string(Kind()) + " out to have it served");
    }
    report_.Add(parameter.notice.value_or(model::Severity::kWarning), "not-yet", message,
                parameter.help.starts_with("Use ")
                    ? parameter.help.substr(0, parameter.help.size() - 1)
                    : "It has no effect in this version");
  }

  void Keep(const Parameter& parameter, std::size_t index, const Given& next) {
    Given& place = given_[Position(parameter)][index];
    const auto rank = [](const Given& given) {
      return (given.exact ? 2 : 0) - (given.alias ? 1 : 0);
    };
    const bool replaces = place.name == nullptr || rank(next) > rank(place);
    if (place.name != nullptr) {
      const Given& loser = replaces ? place : next;
      const Given& winner = replaces ? next : place;
      About(*loser.name, *loser.value, &parameter);
      report_.Warning("given-twice", "it is left out, because " + Shown(*winner.name) +
                                         " says the same parameter");
    }
    if (replaces) place = next;
  }

  static std::size_t Position(const Parameter& parameter) {
    return static_cast<std::size_t>(&parameter - Parameters().data());
  }

  // Runs a parameter's setter on a value. False: there is no value to speak of.
  void Set(const Parameter& parameter, const Given& given, DestDraft* dest) {
    const std::string_view value = Trim(*given.value);
    About(*given.name, value, &parameter);
    if (parameter.long_text ? value.size() > kMaxTextBytes : value.size() > kMaxValueBytes) {
      return report_.Error(
          "value-too-long",
          "the value is longer than " +
              std::to_string(parameter.long_text ? kMaxTextBytes : kMaxValueBytes) + " bytes",
          "Split it into several destinations");
    }
    const auto control = [&parameter](char c) {
      if (parameter.long_text && (c == '\n' || c == '\r')) return false;
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    };
    if (std::any_of(value.begin(), value.end(), control)) {
      return report_.Error("control-character", "the value contains a control character",
                           "Write it in one line, without tabs");
    }
    if (parameter.effect == Effect::kAccepted && parameter.notice) {
      report_.Add(*parameter.notice, "no-effect-yet",
                  std::string(parameter.name) + " is accepted, but has no effect yet");
    }
    Setting setting{value, options_, draft_, dest, report_};
    parameter.set(setting);
  }

  // Is something given, and not empty? Empty values are told once.
  [[nodiscard]] const Given* Lookup(std::size_t position, std::size_t index) {
    const Given& given = given_[position][index];
    if (given.name == nullptr) return nullptr;
    if (!Trim(*given.value).empty()) return &given;
    About(*given.name, "", &table_[position]);
    if (table_[position].restricts) {
      report_.Error("empty-value", "the value is empty, and it restricts who may send what");
    } else {
      report_.Warning("empty-value", "the value is empty, so it counts as not given");
    }
    return nullptr;
  }

  void ParseService() {
    if (!IsValidServiceName(draft_.spec.name.str())) {
      report_.About("", "");
      report_.Error("bad-name", "the name of the service cannot be used",
                    "Use letters, digits, dot, dash and underscore, the first a letter or digit, "
                    "at most 128");
    }
    if (!options_.domain_algo.empty()) {
      if (const auto algo = ParseDomainAlgo(options_.domain_algo)) {
        draft_.domain_algo = *algo;
      } else {
        report_.About("SERVICE_DOMAIN_ALGO", options_.domain_algo);
        report_.Error("bad-domain-algo", "there is no such way to compare domains",
                      FindParameter("serviceDomainAlgo").parameter->hint);
      }
    }
    for (std::size_t i = 0; i < table_.size(); ++i) {
      if (table_[i].level != Level::kService) continue;
      if (const Given* given = Lookup(i, 0)) Set(table_[i], *given, nullptr);
    }
    if (!draft_.path_search.empty()) {
      report_.About(Shown("reqPathSearch"), draft_.path_search);
      report_.Warning("incomplete-pair", "without reqPathReplace it has no effect",
                      "Write " + Shown("reqPathSearchReplace") + "=search,replacement");
    }
    if (!draft_.spec.acl_name_given) draft_.spec.acl_name = draft_.spec.name.str();
    const auto about = [this](std::string_view name, std::string_view value) {
      About(std::string(name), value, FindParameter(name).parameter);
    };
    if (report_.errors() == 0) FindUsers(draft_, options_, about, report_);
  }

  // Which destinations there are: bit i for destination i.
  std::array<bool, kMaxIndex + 1> Created() {
    std::array<bool, kMaxIndex + 1> created{};
    for (std::size_t i = 0; i < table_.size(); ++i) {
      if (!table_[i].creates) continue;
      for (std::size_t index = 0; index < created.size(); ++index) {
        if (Lookup(i, index) != nullptr) created[index] = true;
      }
    }
    return created;
  }

  void ParseDests() {
    const auto created = Created();
    const bool indexed = std::find(created.begin() + 1, created.end(), true) != created.end();
    WarnAboutLeftOvers(created, indexed);
    if (report_.errors() > 0) return;
    if (!indexed) {
      ParseDest(0);
    } else {
      for (std::size_t index = 1; index < created.size(); ++index) {
        if (created[index]) ParseDest(index);
      }
    }
    LimitRoutes();
  }

  void WarnAboutLeftOvers(const std::array<bool, kMaxIndex + 1>& created, bool indexed) {
    for (std::size_t i = 0; i < table_.size(); ++i) {
      for (std::size_t index = 0; index <= kMaxIndex; ++index) {
        const Given& given = given_[i][index];
        if (given.name == nullptr) continue;
        About(*given.name, *given.value, &table_[i]);
        if (index == 0 && indexed && table_[i].creates) {
          report_.Warning("unindexed-dropped",
                          "it is left out, because there are destinations with an index",
                          "Give it an index of its own, as " +
                              Shown(std::string(table_[i].name) + "." + FirstFree(created)));
        } else if (index > 0 && !created[index]) {
          const std::string suffix = "." + std::to_string(index);
          report_.Add(Severity(table_[i]), "no-destination",
                      "there is no destination " + std::to_string(index) + ", so it is left out",
                      "A destination needs one of servicePath" + suffix + ", serviceDomain" +
                          suffix + ", port" + suffix + ", httpsPort" + suffix);
        }
      }
    }
  }

  void UseTemplates() {
    const auto about = [this](std::string_view name, std::string_view value) {
      About(std::string(name), value, FindParameter(name).parameter);
    };
    const auto value = [this](const Parameter& parameter, int index) -> std::string_view {
      const std::size_t position = Position(parameter);
      if (position >= given_.size()) return {};
      const Given* given = &given_[position][static_cast<std::size_t>(index)];
      if (given->name == nullptr && index > 0 && !parameter.creates)
        given = given_[position].data();
      return given->value == nullptr ? std::string_view() : Trim(*given->value);
    };
    ApplyTemplates(draft_, options_, value, about, report_);
  }

  static std::string FirstFree(const std::array<bool, kMaxIndex + 1>& created) {
    const auto free = std::find(created.begin() + 1, created.end(), false);
    return free == created.end() ? "10" : std::to_string(free - created.begin());
  }

  void ParseDest(std::size_t index) {
    const std::size_t errors_before = report_.errors();
    DestDraft dest;
    dest.spec = draft_.common;
    dest.spec.index = static_cast<int>(index);
    for (std::size_t i = 0; i < table_.size(); ++i) {
      if (table_[i].level != Level::kDest) continue;
      const Given* given = Lookup(i, index);
      if (given == nullptr && index > 0 && !table_[i].creates) given = Lookup(i, 0);
      if (given != nullptr) Set(table_[i], *given, &dest);
    }
    FinishAccess(draft_, options_, dest);
    if (report_.errors() == errors_before) AddDefaultPath(dest);
    if (!set::CompleteServer(dest.spec, draft_.spec)) {
      const std::string suffix = index == 0 ? "" : "." + std::to_string(index);
      report_.About(Shown("sslServerName" + suffix), "");
      report_.Error("missing-name", "a certificate is verified by a name, and this is an address",
                    "Write the name that stands in the certificate");
    }
    if (report_.errors() == errors_before) draft_.spec.dests.push_back(std::move(dest.spec));
  }

  void AddDefaultPath(DestDraft& dest) {
    if (!dest.spec.paths.empty()) return;
    if (dest.domain_given) {
      dest.spec.paths.push_back({PathMatch::Kind::kPrefix, "/", "path_beg /"});
      return;
    }
    const std::string suffix = dest.spec.index == 0 ? "" : "." + std::to_string(dest.spec.index);
    report_.About(Shown("servicePath" + suffix), "");
    report_.Error("missing-path",
                  "When using reqMode http, servicePath or serviceDomain are mandatory",
                  "Write " + Shown("servicePath" + suffix) + "=/demo or " +
                      Shown("serviceDomain" + suffix) + "=demo.example.com");
  }

  // Keeps the destinations that together stay below the limit, in their order.
  void LimitRoutes() {
    std::size_t routes = 0;
    auto& dests = draft_.spec.dests;
    for (auto dest = dests.begin(); dest != dests.end();) {
      const std::size_t own = dest->paths.size() * std::max<std::size_t>(dest->hosts.size(), 1);
      if (routes + own <= kMaxRoutes) {
        routes += own;
        ++dest;
        continue;
      }
      const std::string suffix = dest->index == 0 ? "" : "." + std::to_string(dest->index);
      report_.About(Shown("servicePath" + suffix), "");
      report_.Error("too-many-routes",
                    "the paths times the domains of the service make more than " +
                        std::to_string(kMaxRoutes) + " routes",
                    "Use shorter paths or wildcards");
      dest = dests.erase(dest);
    }
  }

  const ParseOptions& options_;
  Report report_;
  ServiceDraft draft_;
  std::size_t unknown_ = 0;
  std::span<const Parameter> table_;                     // those with an effect; they stand first
  std::vector<std::array<Given, kMaxIndex + 1>> given_;  // by place in the table
};

}  // namespace

ParsedService ParseParameters(const model::ServiceName& name,
                              const std::map<std::string, std::string>& parameters,
                              const ParseOptions& options) {
  return ServiceParser(name, options).Parse(parameters);
}

std::map<std::string, std::string> ParametersFromLabels(
    const std::map<std::string, std::string>& labels, const ParseOptions& options) {
  std::map<std::string, std::string> parameters;
  const std::string& prefix = options.label_prefix;
  for (auto it = labels.lower_bound(prefix); it != labels.end(); ++it) {
    if (!it->first.starts_with(prefix)) break;
    std::string name = it->first.substr(prefix.size());
    if (name.empty() || ToLower(name) == kNotify) continue;
    parameters.emplace(std::move(name), it->second);
  }
  return parameters;
}

Notify ParseNotify(const model::ServiceName& name, const std::map<std::string, std::string>& labels,
                   const ParseOptions& options) {
  Notify notify;
  const std::string wanted = options.label_prefix + std::string(kNotify);
  auto found = labels.find(wanted);
  const bool exact = found != labels.end();
  for (auto it = labels.begin(); !exact && it != labels.end() && found == labels.end(); ++it) {
    if (it->first.size() == wanted.size() && ToLower(it->first) == ToLower(wanted)) found = it;
  }
  if (found == labels.end()) return notify;
  Report report(name);
  report.About(found->first, found->second);
  if (!exact) {
    report.Warning("letter-case", "the letter case differs from " + wanted, "Write " + wanted);
  }
  const auto value = ParseBool(Trim(found->second));
  notify.enabled = value.value_or(false);
  if (!value) {
    report.Error("bad-bool", "it is neither true nor false, so the service is not served",
                 "Write true or false");
  }
  notify.diagnostics = report.Take();
  return notify;
}

bool IsValidServiceName(std::string_view name) {
  const auto letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (name.empty() || name.size() > 128 || !letter_or_digit(name.front())) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) {
    return letter_or_digit(c) || c == '.' || c == '_' || c == '-';
  });
}

std::string ParameterFromEnvironment(std::string_view variable) {
  std::string_view base = variable;
  std::string index;
  const std::size_t underscore = variable.rfind('_');
  if (underscore != std::string_view::npos && underscore + 1 < variable.size() &&
      variable.find_first_not_of("0123456789", underscore + 1) == std::string_view::npos) {
    base = variable.substr(0, underscore);
    index = "." + std::string(variable.substr(underscore + 1));
  }
  for (const Parameter& parameter : Parameters()) {
    if (model::EnvironmentName(parameter.name) == base) return std::string(parameter.name) + index;
    if (!parameter.alias.empty() && model::EnvironmentName(parameter.alias) == base) {
      return std::string(parameter.alias) + index;
    }
  }
  std::string name;
  bool upper = false;
  for (const char c : ToLower(base)) {
    const bool raise = upper && c >= 'a' && c <= 'z';
    if (c != '_') name += raise ? static_cast<char>(c - 'a' + 'A') : c;
    upper = c == '_' && !name.empty();
  }
  return name + index;
}

bool MayShowValue(std::string_view name) {
  Found found = FindParameter(name);
  if (found.parameter == nullptr) {
    const Indexed apart = TakeApart(name);
    if (apart.index) found = FindParameter(apart.base);
  }
  return found.parameter != nullptr && !found.parameter->secret;
}

std::vector<std::string> ParameterNames() {
  std::vector<std::string> names;
  for (const Parameter& parameter : Parameters()) names.emplace_back(parameter.name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace swarmgate::labels
