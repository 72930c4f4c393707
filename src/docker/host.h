// DOCKER_HOST and the files of DOCKER_CERT_PATH → where the daemon is.
#pragma once

#include "swarmgate/base/error.h"
#include "swarmgate/docker/docker_api.h"
#include "swarmgate/http/client.h"

namespace swarmgate::docker {

/// Errors: kInvalidArgument, with what to write instead.
Result<http::Endpoint> ResolveHost(const DockerOptions& options);

/// Is the daemon on this machine, as far as its address tells?
[[nodiscard]] bool IsLocal(const http::Endpoint& endpoint);

}  // namespace swarmgate::docker
