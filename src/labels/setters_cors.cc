// Requests from pages of other origins.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "labels/log_format.h"
#include "labels/setter_values.h"
#include "labels/setters.h"
#include "labels/values.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::labels::set {
namespace {

// "https://a.example.com:8443": what a browser sends, which has no path and no capital letter.
bool IsOrigin(std::string_view text) {
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos || colon == 0) return false;
  const auto all_of = [](std::string_view part, std::string_view more) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [&](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || more.find(c) != more.npos;
    });
  };
  return all_of(text.substr(0, colon), "+.-") && all_of(text.substr(colon + 3), "-._:[]");
}

// Nothing (and a warning) where corsOrigin is not given.
model::Cors* CorsOf(Setting& setting) {
  auto& cors = setting.dest->spec.profile.Edit().cors;
  if (cors) return &*cors;
  setting.report.Warning("no-effect", "without corsOrigin it has no effect",
                         "Add corsOrigin=https://app.example.com");
  return nullptr;
}

void Tokens(Setting& setting, std::vector<std::string>& field) {
  for (std::string& item : Items(setting, setting.options.separator)) {
    if (!IsToken(item)) {
      field.clear();
      return setting.report.Error("bad-name", Quoted(item) + " is not a name");
    }
    field.push_back(std::move(item));
  }
}

}  // namespace

void CorsOrigin(Setting& setting) {
  model::Cors cors;
  for (std::string& item : Items(setting, setting.options.separator)) {
    if (item != "*" && !IsOrigin(item)) {
      return setting.report.Error("bad-origin", Quoted(item) + " is no origin");
    }
    cors.origins.push_back(std::move(item));
  }
  if (cors.origins.empty()) return;
  const bool any = std::find(cors.origins.begin(), cors.origins.end(), "*") != cors.origins.end();
  if (any && cors.origins.size() > 1) {
    return setting.report.Error("bad-origin", "* stands there beside others");
  }
  setting.dest->spec.profile.Edit().cors = std::move(cors);
}

void CorsMethods(Setting& setting) {
  if (model::Cors* cors = CorsOf(setting)) Tokens(setting, cors->methods);
}

void CompleteCors(model::DestSpec& dest) {
  if (!dest.profile->cors || !dest.profile->cors->methods.empty()) return;
  const model::Policy& policy = *dest.policy;
  std::vector<std::string> methods = policy.allowed_methods;
  if (methods.empty()) methods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
  // What a page asks for beforehand, and then gets 405 for, helps nobody.
  std::erase_if(methods, [&policy](const std::string& method) {
    const auto& denied = policy.denied_methods;
    return std::find(denied.begin(), denied.end(), method) != denied.end();
  });
  dest.profile.Edit().cors->methods = std::move(methods);
}

void CorsHeaders(Setting& setting) {
  if (model::Cors* cors = CorsOf(setting)) Tokens(setting, cors->headers);
}

void CorsCredentials(Setting& setting) {
  model::Cors* cors = CorsOf(setting);
  if (cors == nullptr) return;
  Boolean(setting, cors->credentials);
  if (cors->credentials && cors->origins.front() == "*") {
    cors->credentials = false;
    setting.report.Error("bad-cors", "every page of the world would act in its visitors' names",
                         "List the origins in corsOrigin instead of *");
  }
}

void CorsMaxAge(Setting& setting) {
  model::Cors* cors = CorsOf(setting);
  if (cors == nullptr) return;
  const auto age = ParseDuration(setting.value);
  if (!age) return setting.report.Error("bad-duration", "it is not a duration");
  cors->max_age = std::chrono::duration_cast<std::chrono::seconds>(*age);
}

}  // namespace swarmgate::labels::set
