#include "swarmgate/labels/parse.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "labels/check_tcp.h"
#include "labels/matches.h"
#include "labels/placement.h"
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

/// By its name, or by what stands before its index.
Found FindWithIndex(std::string_view name) {
  const Found found = FindParameter(name);
  if (found.parameter != nullptr) return found;
  const IndexedName apart = TakeApart(name);
  return apart.index ? FindParameter(apart.base) : Found();
}

class ServiceParser {
 public:
  ServiceParser(const model::ServiceName& name, const ParseOptions& options)
      : options_(options), report_(name), placement_(options, report_), table_(placement_.table()) {
    draft_.spec.name = name;
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
      for (const auto& [name, value] : parameters) placement_.Place(name, value);
      ParseService();
      if (report_.errors() == 0) ParseDests();
      if (!draft_.template_fe.empty() || !draft_.template_be.empty()) {
        // A template speaks for all destinations: it would serve one that was refused.
        if (report_.errors() > 0) draft_.spec.dests.clear();
        if (!draft_.spec.dests.empty()) UseTemplates();
      }
    }
    if (!draft_.spec.dests.empty()) parsed.spec = std::move(draft_.spec);
    parsed.diagnostics = report_.Take();
    return parsed;
  }

 private:
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

  [[nodiscard]] std::string Shown(std::string_view name) const { return placement_.Shown(name); }

  void About(const std::string& name, std::string_view value, const Parameter* parameter) {
    placement_.About(name, value, *parameter);
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
          parameter.creates ? "Split it into several destinations" : "Write a shorter one");
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
      if (const Given* given = placement_.Lookup(i, 0)) Set(table_[i], *given, nullptr);
    }
    if (!draft_.path_search.empty()) {
      report_.About(Shown("reqPathSearch"), draft_.path_search);
      report_.Warning("incomplete-pair", "without reqPathReplace it has no effect",
                      "Write " + Shown("reqPathSearchReplace") + "=search,replacement");
    }
    if (!draft_.spec.acl_name_given) draft_.spec.acl_name = draft_.spec.name.text();
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
        if (placement_.Lookup(i, index) != nullptr) created[index] = true;
      }
    }
    return created;
  }

  void ParseDests() {
    const auto created = Created();
    const bool indexed = std::find(created.begin() + 1, created.end(), true) != created.end();
    WarnAboutLeftOvers(created, indexed);
    if (report_.errors() > 0) return;
    draft_.beside_http = SpeaksHttp(created);
    if (!indexed) {
      ParseDest(0);
    } else {
      for (std::size_t index = 1; index < created.size(); ++index) {
        if (created[index]) ParseDest(index);
      }
    }
    const auto& dests = draft_.spec.dests;
    const bool no_http = std::none_of(dests.begin(), dests.end(), [](const model::DestSpec& dest) {
      return dest.mode == model::ReqMode::kHttp;
    });
    if (no_http && !dests.empty()) TellServiceOfTcp(placement_, report_);
    TellHttp(dests, placement_, report_);
    LimitRoutes();
  }

  /// Has one of several destinations reqMode=http?
  bool SpeaksHttp(const std::array<bool, kMaxIndex + 1>& created) {
    const auto mode = std::find_if(table_.begin(), table_.end(),
                                   [](const Parameter& known) { return known.name == "reqMode"; });
    const auto position = static_cast<std::size_t>(mode - table_.begin());
    for (std::size_t index = 1; index < created.size(); ++index) {
      if (!created[index]) continue;
      const Given* given = &placement_.At(position, index);
      if (given->name == nullptr) given = &placement_.At(position, 0);
      if (given->name == nullptr ? DefaultMode() == model::ReqMode::kHttp
                                 : Trim(*given->value) == "http") {
        return true;
      }
    }
    return false;
  }

  [[nodiscard]] model::ReqMode DefaultMode() const {
    const bool fixed = options_.source == Source::kEnvironment && options_.static_req_mode;
    return fixed ? *options_.static_req_mode : options_.req_mode;
  }

  void WarnAboutLeftOvers(const std::array<bool, kMaxIndex + 1>& created, bool indexed) {
    for (std::size_t i = 0; i < table_.size(); ++i) {
      for (std::size_t index = 0; index <= kMaxIndex; ++index) {
        const Given& given = placement_.At(i, index);
        if (given.name == nullptr) continue;
        About(*given.name, *given.value, &table_[i]);
        if (index == 0 && indexed && table_[i].creates) {
          report_.Warning("unindexed-dropped",
                          "it is left out, because there are destinations with an index",
                          "Give it an index of its own, as " +
                              Shown(std::string(table_[i].name) + "." + FirstFree(created)));
        } else if (index > 0 && !created[index]) {
          const std::string suffix = "." + std::to_string(index);
          report_.Add(NoEffect(table_[i]), "no-destination",
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
      const auto at = std::find_if(table_.begin(), table_.end(), [&](const Parameter& known) {
        return known.name == parameter.name;
      });
      if (at == table_.end()) return {};
      const auto position = static_cast<std::size_t>(at - table_.begin());
      const Given* given = &placement_.At(position, static_cast<std::size_t>(index));
      if (given->name == nullptr && index > 0 && !parameter.creates) {
        given = &placement_.At(position, 0);
      }
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
    dest.spec.mode = DefaultMode();
    std::vector<GivenForDest> given_here;
    for (std::size_t i = 0; i < table_.size(); ++i) {
      if (table_[i].level != Level::kDest) continue;
      const Given* given = placement_.Lookup(i, index);
      const bool own = given != nullptr;
      if (!own && index > 0 && !table_[i].creates) given = placement_.Lookup(i, 0);
      if (given == nullptr) continue;
      Set(table_[i], *given, &dest);
      given_here.push_back({&table_[i], given, own});
    }
    const bool http = dest.spec.mode == model::ReqMode::kHttp;
    if (http) FinishAccess(draft_, options_, dest);
    if (report_.errors() == errors_before) {
      http ? AddDefaultPath(dest) : CheckTcp(draft_, given_here, placement_, dest, report_);
    }
    dest.spec.profile.Edit().condition = draft_.acl_condition;
    if (!set::CompleteServer(dest.spec, draft_.spec)) {
      const std::string suffix = index == 0 ? "" : "." + std::to_string(index);
      report_.About(Shown("sslServerName" + suffix), "");
      report_.Error("missing-name", "a certificate is verified by a name, and this is an address",
                    "Write the name that stands in the certificate");
    }
    if (report_.errors() != errors_before) return;
    CheckRedirect(dest.spec);
    set::CompleteCors(dest.spec);
    dest.spec.policy.Settle();
    dest.spec.profile.Settle();
    dest.spec.server.Settle();
    dest.spec.tcp.Settle();
    draft_.spec.dests.push_back(std::move(dest.spec));
  }

  // A redirect without a target is left out; the destination is served.
  void CheckRedirect(model::DestSpec& dest) {
    if (dest.redirect_from.empty()) return;
    const std::string target =
        dest.hosts.empty() ? std::string() : model::OwnName(dest.hosts.front());
    const std::string suffix = dest.index == 0 ? "" : "." + std::to_string(dest.index);
    report_.About(Shown("redirectFromDomain" + suffix), dest.redirect_from.front().original);
    if (target.empty()) {
      dest.redirect_from.clear();
      return report_.Error("redirect-without-domain",
                           "there is no serviceDomain to redirect to, so nothing is redirected",
                           "Write a host name in front of " + Shown("serviceDomain" + suffix));
    }
    // An exact name goes before a wildcard, one that is compared otherwise does not.
    const bool exact = dest.hosts.front().kind == model::HostMatch::Kind::kExact;
    const auto is_target = [&target, exact](const model::HostMatch& host) {
      const bool wildcard = host.kind == model::HostMatch::Kind::kWildcard;
      return host.text == target ||
             (wildcard && !exact && target.ends_with(std::string_view(host.text)));
    };
    if (std::erase_if(dest.redirect_from.Edit(), is_target) == 0) return;
    report_.Warning("redirect-to-itself", "a host is not redirected to itself, so it is left out",
                    "Leave out what is redirected to " + target);
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
  Placement placement_;
  std::span<const Parameter> table_;  // those with an effect
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
  const auto value = ParseBool(Trim(found->second));
  Report report(name);
  report.About(found->first, found->second);
  if (!exact) {
    if (value != false) {
      report.Error("letter-case",
                   "it is not seen, because Docker is asked for the exact name " + wanted,
                   "Write " + wanted);
    }
    notify.diagnostics = report.Take();
    return notify;
  }
  notify.enabled = value.value_or(false);
  if (!value) {
    report.Error("bad-bool", "it is neither true nor false, so the service is not served",
                 "Write true or false");
  }
  notify.diagnostics = report.Take();
  return notify;
}

bool AskForDestination(const std::map<std::string, std::string>& parameters) {
  return std::any_of(parameters.begin(), parameters.end(), [](const auto& parameter) {
    const Found found = FindWithIndex(parameter.first);
    return found.parameter != nullptr && found.parameter->creates;
  });
}

std::optional<std::string> MistypedNotify(const std::map<std::string, std::string>& parameters) {
  const std::vector<std::string> names = ParameterNames();
  for (const auto& [name, value] : parameters) {
    if (FindWithIndex(name).parameter == nullptr && ClosestMatch(name, names) == kNotify) {
      return name;
    }
  }
  return std::nullopt;
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
  const Found found = FindWithIndex(name);
  return found.parameter != nullptr && !found.parameter->secret;
}

std::vector<std::string> ParameterNames() {
  std::vector<std::string> names;
  for (const Parameter& parameter : Parameters()) names.emplace_back(parameter.name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace swarmgate::labels
