#include "admin/guard.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <array>

#include "admin/answers.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::admin {
namespace {

/// "Example.com:8080" → "example.com", "[::1]:80" → "::1".
std::string HostOnly(std::string_view host) {
  if (!host.empty() && host.front() == '[') {
    const auto end = host.find(']');
    return ToLower(host.substr(1, end == std::string_view::npos ? end : end - 1));
  }
  return ToLower(host.substr(0, host.find(':')));
}

/// Host and port of "https://a.com:8080/path".
std::string_view Authority(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  url.remove_prefix(scheme + 3);
  return url.substr(0, url.find_first_of("/?#"));
}

bool IsIpLiteral(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

/// A name that somebody else's DNS cannot make to mean this machine: rebinding needs a name of the
/// attacker's.
bool IsOwnHost(const Request& request, const GuardOptions& options) {
  const std::string host = HostOnly(request.Header("host"));
  constexpr std::string_view kLocal = ".localhost";
  const bool local = host == "localhost" ||
                     (host.size() > kLocal.size() &&
                      host.compare(host.size() - kLocal.size(), kLocal.size(), kLocal) == 0);
  return host.empty() || local || IsIpLiteral(host) || host == ToLower(options.host_name);
}

/// A browser that acts for a page of another site.
bool IsCrossSite(const Request& request) {
  const std::string site = ToLower(request.Header("sec-fetch-site"));
  if (!site.empty() && site != "same-origin" && site != "none") return true;
  const std::string host = ToLower(request.Header("host"));
  for (const char* name : {"origin", "referer"}) {
    const std::string value = ToLower(request.Header(name));
    if (!value.empty() && Authority(value) != host) return true;
  }
  return false;
}

std::string BearerToken(const Request& request) {
  const std::string value = request.Header("authorization");
  constexpr std::string_view kScheme = "bearer ";
  if (value.size() <= kScheme.size() || ToLower(value.substr(0, kScheme.size())) != kScheme) {
    return {};
  }
  return std::string(Trim(std::string_view(value).substr(kScheme.size())));
}

}  // namespace

bool EqualSecrets(std::string_view left, std::string_view right) {
  // Digests have one length whatever the secret's, so that not even that shows in the time.
  std::array<unsigned char, SHA256_DIGEST_LENGTH> a{};
  std::array<unsigned char, SHA256_DIGEST_LENGTH> b{};
  SHA256(reinterpret_cast<const unsigned char*>(left.data()), left.size(), a.data());
  SHA256(reinterpret_cast<const unsigned char*>(right.data()), right.size(), b.data());
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool IsLoopback(std::string_view address) {
  constexpr std::string_view kMapped = "::ffff:";
  if (address.rfind(kMapped, 0) == 0) address.remove_prefix(kMapped.size());
  in_addr v4{};
  if (inet_pton(AF_INET, std::string(address).c_str(), &v4) == 1) {
    return (ntohl(v4.s_addr) >> 24U) == 127;
  }
  return address == "::1";
}

std::optional<Response> Refuse(const Request& request, Access access, const GuardOptions& options) {
  if (access == Access::kOpen) return std::nullopt;
  const bool loopback = IsLoopback(request.remote_address);
  const bool local_only = options.token.empty() && !options.allow_remote;
  if (local_only && loopback && !IsOwnHost(request, options)) {
    return Problem(403, "host_refused",
                   "the Host header names '" + Printable(request.Header("host"), 80) +
                       "'; this API is called as localhost, or by an address");
  }
  if (access == Access::kRead) return std::nullopt;
  if (IsCrossSite(request)) {
    return Problem(403, "cross_site", "a page of another site may not call this API");
  }
  if (!options.token.empty()) {
    const std::string token = BearerToken(request);
    if (!token.empty() && EqualSecrets(token, options.token)) return std::nullopt;
    Response refused =
        Problem(401, "unauthorized",
                token.empty() ? "this call needs the token: Authorization: Bearer <ADMIN_TOKEN>"
                              : "the token is wrong");
    refused.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"swarmgate\"");
    return refused;
  }
  if (!options.allow_remote && !loopback) {
    return Problem(403, "remote_refused",
                   "calls that change something are taken from this machine only; set ADMIN_TOKEN "
                   "(or MODE=swarm, to trust everybody who can reach this port)");
  }
  return std::nullopt;
}

}  // namespace swarmgate::admin
