// The Docker daemon behind ports::DockerApi, over its HTTP API.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "swarmgate/base/error.h"
#include "swarmgate/ports/docker_api.h"
#include "swarmgate/ports/peers.h"

namespace swarmgate::docker {

struct DockerOptions {
  /// DOCKER_HOST: "unix:///path", "tcp://host[:port]", "http://…", "https://…".
  std::string host = "unix:///var/run/docker.sock";
  bool tls = false;         ///< TLS for tcp:// (DOCKER_TLS_VERIFY or DOCKER_CERT_PATH is set)
  bool tls_verify = true;   ///< false: the daemon's certificate is not checked
  std::string cert_path{};  ///< DOCKER_CERT_PATH: directory of ca.pem, cert.pem, key.pem
  std::string label_prefix = "com.df.";
  /// Id or name of the container that the proxy runs in. Empty: found out by itself.
  std::string own_container{};
};

/// Connects nowhere yet: a daemon that is away now may come.
/// Errors: kInvalidArgument, with the option's name, for a host that cannot be understood or
/// certificates that are not there.
Result<std::unique_ptr<ports::DockerApi>> MakeDockerApi(const DockerOptions& options);

/// Where the other tasks of our own Swarm service are, with this port; none outside of a service.
/// Errors: as MakeDockerApi.
Result<std::unique_ptr<ports::Peers>> MakeOwnService(const DockerOptions& options,
                                                     std::uint16_t port);

}  // namespace swarmgate::docker
