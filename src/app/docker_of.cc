#include "app/docker_of.h"

namespace swarmgate::app {

docker::DockerOptions DockerOptionsOf(const Options& options) {
  docker::DockerOptions docker;
  docker.host = options.docker_host;
  docker.tls = options.docker_tls || !options.docker_cert_path.empty();
  docker.tls_verify = options.docker_tls && options.docker_tls_verify;
  docker.cert_path = options.docker_cert_path;
  docker.label_prefix = options.label_prefix;
  docker.own_container = options.own_container;
  return docker;
}

}  // namespace swarmgate::app
