#include "labels/template_use.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "labels/templates.h"
#include "labels/values.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::labels {
namespace {

constexpr std::string_view kFe = "templateFePath";
constexpr std::string_view kBe = "templateBePath";

// Fields of the predecessor's that are no parameters, and were filled by it for its own templates.
constexpr auto kEmptyServiceFields = std::to_array<std::string_view>({"ServicePort", "IsGlobal"});
constexpr auto kEmptyDestFields = std::to_array<std::string_view>(
    {"IncludeSrcPortACL", "IncludeSrcHttpsPortACL", "SrcPortAcl", "SrcPortAclName",
     "SrcHttpsPortAcl", "SrcHttpsPortAclName", "ReqPathSearchReplaceFormatted"});

/// servicePath → ServicePath, as the predecessor's structures have it.
std::string FieldName(std::string_view parameter) {
  if (parameter == "checkTcp") return "CheckTCP";
  std::string name(parameter);
  if (name.front() >= 'a' && name.front() <= 'z') name.front() = static_cast<char>(name[0] - 32);
  return name;
}

void AddField(const Parameter& parameter, std::string_view value, char separator,
              TemplateFields& fields) {
  const std::string name = FieldName(parameter.name);
  if (parameter.type.starts_with("list of ")) {
    std::vector<std::string>& items = fields.lists[name];
    if (!value.empty()) items = SplitEscaped(value, separator);
    std::erase(items, "");
    return;
  }
  const bool no = parameter.type.starts_with("bool") && ParseBool(value) == false;
  // Some may have several lines; a field is a piece of one.
  const bool lines = value.find_first_of("\r\n") != std::string_view::npos;
  fields.texts[name] = no || lines ? std::string() : std::string(value);
}

TemplateData DataOf(const ServiceDraft& draft, const ParseOptions& options,
                    const std::function<std::string_view(const Parameter&, int)>& value) {
  TemplateData data;
  data.dests.resize(draft.spec.dests.size());
  for (const Parameter& parameter : Parameters()) {
    if (parameter.effect == Effect::kElsewhere) continue;
    if (parameter.secret) {
      data.withheld.insert(FieldName(parameter.name));
      continue;
    }
    if (parameter.level == Level::kService) {
      AddField(parameter, value(parameter, 0), options.separator, data.service);
      continue;
    }
    for (std::size_t i = 0; i < data.dests.size(); ++i) {
      AddField(parameter, value(parameter, draft.spec.dests[i].index), options.separator,
               data.dests[i]);
    }
  }
  for (const std::string_view name : kEmptyServiceFields)
    data.service.texts[std::string(name)] = "";
  data.service.lists["Tasks"] = {};
  data.service.texts["ServiceName"] = draft.spec.name.str();
  data.service.texts["AclName"] = draft.spec.acl_name;
  for (std::size_t i = 0; i < data.dests.size(); ++i) {
    TemplateFields& dest = data.dests[i];
    const auto fallback = [&dest](const std::string& name, const char* text) {
      if (dest.texts[name].empty()) dest.texts[name] = text;
    };
    for (const std::string_view name : kEmptyDestFields) dest.texts[std::string(name)] = "";
    fallback("PathType", "path_beg");
    fallback("ReqMode", "http");
    dest.texts["ReqModeFormatted"] = dest.texts["ReqMode"];
    dest.texts["Index"] = std::to_string(draft.spec.dests[i].index);
    if (dest.lists["ServicePath"].empty()) dest.lists["ServicePath"] = {"/"};
  }
  return data;
}

/// A service that asks for a restriction which its template would not carry out must not be open.
const char* Restriction(const model::DestSpec& dest) {
  const model::Policy& policy = dest.policy;
  if (!policy.users.empty() || !dest.profile->encrypted_users.empty()) return "users";
  if (!policy.allowed_methods.empty()) return "allowedMethods";
  if (!policy.denied_methods.empty()) return "deniedMethods";
  if (policy.deny_http) return "denyHttp";
  if (policy.redirect_when_http) return "redirectWhenHttpProto";
  if (policy.redirect_unless_https) return "redirectUnlessHttpsProto";
  if (policy.verify_client) return "verifyClientSsl";
  if (policy.rate_limit) return "rateLimit";
  if (policy.maintenance) return "maintenance";
  if (!dest.profile->allow_from.empty()) return "allowFrom";
  if (!dest.profile->deny_from.empty()) return "denyFrom";
  return nullptr;
}

/// The templates of one service. Each step is false when the service cannot be served; why has been
/// told.
class Use {
 public:
  Use(ServiceDraft& draft, const ParseOptions& options,
      const std::function<void(std::string_view, std::string_view)>& about, Report& report)
      : draft_(draft), options_(options), about_(about), report_(report) {}

  bool Apply(const TemplateData& data) {
    std::string frontend;
    std::string backends;
    if (!draft_.template_fe.empty() && !Render(kFe, draft_.template_fe, data, frontend)) {
      return false;
    }
    if (!draft_.template_be.empty() && !Render(kBe, draft_.template_be, data, backends)) {
      return false;
    }
    if (draft_.template_be.empty()) {
      return Refuse("bad-template",
                    "it leads to backends, and without templateBePath there are none",
                    "Write templateBePath as well");
    }
    if (draft_.template_fe.empty()) return AddToOwnBackends(backends);
    about_(kFe, draft_.template_fe);
    return Replace(frontend, backends);
  }

 private:
  bool Refuse(std::string_view code, const std::string& message, const std::string& hint) {
    report_.Error(code, message, hint);
    return false;
  }

  /// One file's text with the service's fields in it.
  bool Render(std::string_view label, const std::string& path, const TemplateData& data,
              std::string& out) {
    about_(label, path);
    const auto file = options_.templates.files.find(path);
    if (file == options_.templates.files.end()) {
      return Refuse("bad-template", "the file has not been read", "");
    }
    if (!file->second.problem.empty()) return Refuse("bad-template", file->second.problem, "");
    auto rendered = RenderTemplate(file->second.text, data);
    if (!rendered) return Refuse("bad-template", rendered.error().ToString(), kCorrect);
    out = std::move(*rendered);
    return true;
  }

  bool AddToOwnBackends(const std::string& backends) {
    const auto taken = TakeBackendLines(backends);
    if (!taken) return Refuse("bad-template", taken.error().ToString(), kCorrect);
    for (model::DestSpec& dest : draft_.spec.dests) {
      const std::string_view ignored =
          dest.mode == model::ReqMode::kHttp ? "" : FirstHttpLine(taken->lines);
      if (!ignored.empty()) {
        return Refuse("not-for-tcp",
                      "HAProxy ignores " + Quoted(ignored) + " where it reads no requests",
                      "Write tcp-request content … instead");
      }
      std::vector<std::string>& raw = dest.profile.Edit().raw;
      raw.insert(raw.end(), taken->lines.begin(), taken->lines.end());
    }
    if (taken->servers) {
      report_.Warning("template-servers",
                      "its lines about servers are left out: without templateFePath the service's "
                      "own tasks are the servers",
                      "Take them out, or write templateFePath as well");
    }
    return true;
  }

  /// In the place of routes and servers.
  bool Replace(const std::string& frontend, const std::string& backends) {
    auto raw = TakeSections(draft_.spec.name, frontend, backends);
    if (!raw) return Refuse("bad-template", raw.error().ToString(), kCorrect);
    for (const model::DestSpec& dest : draft_.spec.dests) {
      const char* restriction = draft_.acl_condition.empty() ? Restriction(dest) : "aclCondition";
      if (restriction == nullptr) continue;
      return Refuse("template-restricts",
                    std::string(restriction) +
                        " is not carried out for a service with templates, which would be open to "
                        "more requests than its owner wants",
                    "Say it in the template, and take " + std::string(restriction) +
                        " off (ignoreAuthorization=true where it is the proxy's USERS)");
    }
    const auto& dests = draft_.spec.dests;
    const bool https_only = std::any_of(dests.begin(), dests.end(),
                                        [](const auto& dest) { return dest.policy->https_only; });
    if (https_only && frontend.find("redirect") == std::string::npos) {
      report_.Warning("template-ignores",
                      "httpsOnly is what the template makes of it, and this one redirects nobody",
                      "Write http-request redirect scheme https … between {{#HttpsOnly}} and "
                      "{{/HttpsOnly}}");
    }
    draft_.spec.raw = std::move(*raw);
    return true;
  }

  static constexpr const char* kCorrect = "Correct the file, see templates.md";

  ServiceDraft& draft_;
  const ParseOptions& options_;
  const std::function<void(std::string_view, std::string_view)>& about_;
  Report& report_;
};

}  // namespace

Templates ReadTemplates(const std::map<std::string, std::string>& parameters,
                        const std::function<Result<std::string>(const std::string& path)>& read) {
  Templates templates;
  for (const std::string& path : TemplatePaths(parameters)) {
    auto text = read(path);
    Templates::File& file = templates.files[path];
    if (text) {
      file.text = std::move(*text);
    } else {
      file.problem = text.error().ToString();
    }
  }
  return templates;
}

std::vector<std::string> TemplatePaths(const std::map<std::string, std::string>& parameters) {
  std::vector<std::string> paths;
  for (const auto& [name, value] : parameters) {
    const std::string lower = ToLower(name);
    if (lower != "templatefepath" && lower != "templatebepath") continue;
    const std::string_view path = Trim(value);
    if (!path.empty() && paths.size() < 2) paths.emplace_back(path);
  }
  return paths;
}

void ApplyTemplates(ServiceDraft& draft, const ParseOptions& options,
                    const std::function<std::string_view(const Parameter&, int)>& value,
                    const std::function<void(std::string_view, std::string_view)>& about,
                    Report& report) {
  if (draft.spec.dests.empty()) return;
  const TemplateData data = DataOf(draft, options, value);
  if (!Use(draft, options, about, report).Apply(data)) draft.spec.dests.clear();
}

}  // namespace swarmgate::labels
