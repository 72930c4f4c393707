// How Docker is reached, out of the options.
#pragma once

#include "swarmgate/app/options.h"
#include "swarmgate/docker/docker_api.h"

namespace swarmgate::app {

/// REQUIRES: a DOCKER_HOST.
[[nodiscard]] docker::DockerOptions DockerOptionsOf(const Options& options);

}  // namespace swarmgate::app
