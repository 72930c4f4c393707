#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "labels/setter_values.h"
#include "labels/setters.h"
#include "labels/values.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::labels::set {
namespace {

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

void Methods(Setting& setting, std::vector<std::string>& field) {
  constexpr std::size_t kLongest = 32;
  for (const std::string& item : Items(setting, setting.options.separator)) {
    std::string method;
    for (const char c : item) {
      method += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    if (!IsToken(method) || method.size() > kLongest) {
      return setting.report.Error("bad-method", Quoted(item) + " is no method of HTTP");
    }
    field.push_back(std::move(method));
  }
  std::sort(field.begin(), field.end());
  field.erase(std::unique(field.begin(), field.end()), field.end());
}

/// "10.1.2.3/8" → "10.0.0.0/8"; nothing when it is no network.
std::optional<std::string> CanonicalNetwork(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::string address = text.substr(0, slash);
  for (const int family : {AF_INET, AF_INET6}) {
    const std::size_t bytes = family == AF_INET ? 4 : 16;
    std::array<unsigned char, 16> binary{};
    if (address.find('\0') != std::string::npos ||
        inet_pton(family, address.c_str(), binary.data()) != 1) {
      continue;
    }
    std::uint64_t prefix = 8 * bytes;
    if (slash != std::string::npos) {
      const auto given = ParseUint(std::string_view(text).substr(slash + 1), prefix);
      if (!given) return std::nullopt;
      prefix = *given;
    }
    for (std::size_t bit = prefix; bit < 8 * bytes; ++bit) {
      binary[bit / 8] &= static_cast<unsigned char>(~(0x80U >> (bit % 8)));
    }
    std::array<char, INET6_ADDRSTRLEN> canonical{};
    if (inet_ntop(family, binary.data(), canonical.data(), canonical.size()) == nullptr) break;
    return std::string(canonical.data()) +
           (prefix == 8 * bytes ? "" : "/" + std::to_string(prefix));
  }
  return std::nullopt;
}

void Networks(Setting& setting, std::vector<std::string>& field) {
  for (const std::string& item : Items(setting, setting.options.separator)) {
    auto network = CanonicalNetwork(item);
    if (!network) {
      return setting.report.Error("bad-network", Quoted(item) + " is neither address nor network");
    }
    field.push_back(std::move(*network));
  }
  std::sort(field.begin(), field.end());
  field.erase(std::unique(field.begin(), field.end()), field.end());
}

/// "max-age=1;includeSubDomains;preload", or nothing.
std::optional<std::string> CanonicalHsts(std::string_view text) {
  constexpr std::uint64_t kMost = 3'153'600'000;
  std::string age;
  bool domains = false;
  bool preload = false;
  for (const std::string_view raw : Split(text, ';')) {
    const std::string part = ToLower(Trim(raw));
    const bool named = part.starts_with("max-age=");
    const auto seconds = ParseUint(std::string_view(part).substr(named ? 8 : 0), kMost);
    if (seconds && age.empty()) {
      age = std::to_string(*seconds);
    } else if (part == "includesubdomains" && !domains) {
      domains = true;
    } else if (part == "preload" && !preload) {
      preload = true;
    } else {
      return std::nullopt;
    }
  }
  if (age.empty()) return std::nullopt;
  return "max-age=" + age + (domains ? ";includeSubDomains" : "") + (preload ? ";preload" : "");
}

}  // namespace

void AllowedMethods(Setting& setting) {
  Methods(setting, setting.dest->spec.policy.Edit().allowed_methods);
}

void AllowFrom(Setting& setting) {
  Networks(setting, setting.dest->spec.profile.Edit().allow_from);
}

void DeniedMethods(Setting& setting) {
  Methods(setting, setting.dest->spec.policy.Edit().denied_methods);
}

void DenyFrom(Setting& setting) { Networks(setting, setting.dest->spec.profile.Edit().deny_from); }

void DenyHttp(Setting& setting) { Boolean(setting, setting.dest->spec.policy.Edit().deny_http); }

void Hsts(Setting& setting) {
  std::string& field = setting.dest->spec.policy.Edit().hsts;
  constexpr const char* kYear = "max-age=31536000";
  if (setting.value != "0" && setting.value != "1") {
    if (const auto wanted = ParseBool(setting.value)) {
      field = *wanted ? kYear : "";
      return;
    }
  }
  auto value = CanonicalHsts(setting.value);
  if (!value) {
    return setting.report.Error("bad-hsts", "it is no value of Strict-Transport-Security");
  }
  field = std::move(*value);
}

void HttpsOnly(Setting& setting) { Boolean(setting, setting.dest->spec.policy.Edit().https_only); }

void HttpsRedirectCode(Setting& setting) {
  for (const int code : {301, 302, 303, 307, 308}) {
    if (setting.value != std::to_string(code)) continue;
    setting.dest->spec.policy.Edit().redirect_code = code;
    return;
  }
  setting.report.Error("bad-redirect-code", "it is no status of a redirect");
}

void IgnoreAuthorization(Setting& setting) { Boolean(setting, setting.dest->ignore_authorization); }

void Maintenance(Setting& setting) {
  constexpr std::size_t kLongest = 1000;
  model::Policy& policy = setting.dest->spec.policy.Edit();
  if (const auto wanted = ParseBool(setting.value)) {
    policy.maintenance = *wanted;
    return;
  }
  if (setting.value.size() > kLongest) {
    return setting.report.Error("text-too-long", "the text is longer than 1000 bytes");
  }
  policy.maintenance = true;
  policy.maintenance_text = setting.value;
}

void RateLimit(Setting& setting) {
  constexpr std::uint64_t kMost = 1'000'000;
  struct Period {
    std::string_view text;
    int seconds;
  };
  constexpr auto kPeriods = std::to_array<Period>(
      {{"1s", 1}, {"10s", 10}, {"1m", 60}, {"60s", 60}, {"1h", 3600}, {"60m", 3600}});
  const std::size_t slash = setting.value.find('/');
  const auto requests = ParseUint(Trim(setting.value.substr(0, slash)), kMost);
  const std::string_view wanted =
      slash == std::string_view::npos ? "" : Trim(setting.value.substr(slash + 1));
  const auto* const period = std::find_if(kPeriods.begin(), kPeriods.end(),
                                          [wanted](const Period& p) { return p.text == wanted; });
  if (!requests || *requests == 0 || period == kPeriods.end()) {
    return setting.report.Error("bad-rate-limit", "it is no number of requests per period");
  }
  setting.dest->spec.policy.Edit().rate_limit = model::RateLimit{
      static_cast<std::uint32_t>(*requests), std::chrono::seconds(period->seconds)};
}

void RedirectUnlessHttpsProto(Setting& setting) {
  Boolean(setting, setting.service.access.redirect_unless_https);
}

void RedirectWhenHttpProto(Setting& setting) {
  Boolean(setting, setting.service.access.redirect_when_http);
}

void RetryAfter(Setting& setting) {
  const auto value = ParseDuration(setting.value);
  if (!value || value->count() == 0) {
    return setting.report.Error("bad-duration", "it is not a duration");
  }
  setting.dest->spec.policy.Edit().retry_after = std::chrono::ceil<std::chrono::seconds>(*value);
}

void UseGlobalUsers(Setting& setting) { Boolean(setting, setting.service.access.use_global); }

void Users(Setting& setting) { setting.service.access.users = setting.value; }

void UsersPassEncrypted(Setting& setting) { Boolean(setting, setting.service.access.encrypted); }

void UsersSecret(Setting& setting) {
  if (!IsValidServiceName(setting.value)) {
    return setting.report.Error("bad-secret-name", "it is no name of a secret");
  }
  setting.service.access.secret = setting.value;
}

void VerifyClientSsl(Setting& setting) {
  bool& verify = setting.dest->spec.policy.Edit().verify_client;
  Boolean(setting, verify);
  if (!verify || setting.options.verifies_clients) return;
  setting.report.Warning("no-client-ca",
                         "the proxy has no CA_FILE to verify certificates of clients by, so every "
                         "request is answered with 403",
                         "Set CA_FILE of the proxy");
}

}  // namespace swarmgate::labels::set
