#include "docker/host.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "swarmgate/base/strings.h"

namespace swarmgate::docker {
namespace {

constexpr std::size_t kMaxSocketPath = 107;  // sockaddr_un

tl::unexpected<Error> BadHost(const std::string& host, std::string_view what) {
  return Fail(Code::kInvalidArgument,
              fmt::format("DOCKER_HOST \"{}\" {}; write unix:///var/run/docker.sock or "
                          "tcp://host:2375",
                          Printable(host), what));
}

/// "host", "host:port", "[v6]:port" → with a port; nothing when it is none of them.
std::optional<std::string> WithPort(std::string_view address, std::string_view default_port) {
  const std::size_t bracket = address.rfind(']');
  const std::size_t colon = address.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  const std::string_view name = has_port ? address.substr(0, colon) : address;
  const std::string_view port = has_port ? address.substr(colon + 1) : default_port;
  const auto number = ParseUint(port, 65535);
  const bool bracketed = name.size() > 2 && name.front() == '[' && name.back() == ']';
  const bool clean = std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_' || (bracketed && (c == ':' || c == '[' || c == ']'));
  });
  if (name.empty() || !clean || !number || *number == 0) return std::nullopt;
  return fmt::format("{}:{}", name, *number);
}

Status ResolveTls(const DockerOptions& options, http::Endpoint* endpoint) {
  endpoint->verify_peer = options.tls_verify;
  if (options.cert_path.empty()) return Ok();
  endpoint->ca_file = options.cert_path + "/ca.pem";
  endpoint->cert_file = options.cert_path + "/cert.pem";
  endpoint->key_file = options.cert_path + "/key.pem";
  for (const std::string* file : {&endpoint->ca_file, &endpoint->cert_file, &endpoint->key_file}) {
    if (file == &endpoint->ca_file && !options.tls_verify) continue;
    if (access(file->c_str(), R_OK) != 0) {
      return Fail(Code::kInvalidArgument,
                  fmt::format("DOCKER_CERT_PATH: {} cannot be read; the directory must hold "
                              "ca.pem, cert.pem and key.pem",
                              Printable(*file)));
    }
  }
  if (!options.tls_verify) endpoint->ca_file.clear();
  return Ok();
}

}  // namespace

Result<http::Endpoint> ResolveHost(const DockerOptions& options) {
  const std::string& host = options.host;
  const std::size_t scheme_end = host.find("://");
  if (scheme_end == std::string::npos) {
    return BadHost(host, "has no scheme");
  }
  const std::string scheme = ToLower(host.substr(0, scheme_end));
  std::string_view rest = std::string_view(host).substr(scheme_end + 3);
  http::Endpoint endpoint;
  if (scheme == "unix") {
    if (rest.empty() || rest.front() != '/' || rest.size() > kMaxSocketPath) {
      return BadHost(host, "needs the absolute path of a socket, up to 107 bytes long");
    }
    endpoint.base_url = "http://docker";
    endpoint.unix_socket = std::string(rest);
    return endpoint;
  }
  if (scheme != "tcp" && scheme != "http" && scheme != "https") {
    return BadHost(host, "has a scheme that is not supported");
  }
  const bool tls = scheme == "https" || (scheme == "tcp" && options.tls);
  if (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
  const auto address = WithPort(rest, tls ? "2376" : "2375");
  if (!address) return BadHost(host, "is not a host name or address with a port");
  endpoint.base_url = (tls ? "https://" : "http://") + *address;
  if (tls) {
    if (Status status = ResolveTls(options, &endpoint); !status) return Forward(status.error());
  }
  return endpoint;
}

bool IsLocal(const http::Endpoint& endpoint) {
  if (!endpoint.unix_socket.empty()) return true;
  static constexpr std::array<std::string_view, 3> kLoopback = {"://localhost:", "://127.",
                                                                "://[::1]:"};
  return std::any_of(kLoopback.begin(), kLoopback.end(), [&](std::string_view name) {
    return endpoint.base_url.find(name) != std::string::npos;
  });
}

}  // namespace swarmgate::docker
