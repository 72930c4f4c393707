// Options for what replicas share, and how they find each other.
#include <filesystem>

#include "app/option_table.h"
#include "app/option_values.h"
#include "swarmgate/cluster/resolved_peers.h"
#include "swarmgate/consul/store.h"

namespace swarmgate::app {
namespace {

constexpr const char* kReplicas = "Replicas";

Status SetConsul(Options& options, const std::string& value) {
  auto servers = consul::ParseServers(value);
  if (!servers) return Bad(servers.error().message);
  options.consul_servers = std::move(*servers);
  return Ok();
}

Status SetConsulToken(Options& options, const std::string& value) {
  if (value.size() > 500 || HasControlByte(value)) return Bad("a token is one line of text");
  options.consul_token = value;
  return Ok();
}

Status SetRole(Options& options, const std::string& value) {
  for (const Role role : {Role::kAll, Role::kListener, Role::kProxy}) {
    if (value != RoleName(role)) continue;
    options.role = role;
    return Ok();
  }
  return Bad("write all, listener or proxy");
}

Status SetPeers(Options& options, const std::string& value) {
  const auto peers = cluster::ParseHostPorts(value, 0);
  if (!peers) return Bad(peers.error().message);
  options.peers = value;
  return Ok();
}

template <std::string Options::*kMember>
Status SetFile(Options& options, const std::string& value) {
  if (!std::filesystem::path(value).is_absolute() || HasControlByte(value)) {
    return Bad("write an absolute path");
  }
  options.*kMember = value;
  return Ok();
}

}  // namespace

const char* RoleName(Role role) {
  if (role == Role::kListener) return "listener";
  return role == Role::kProxy ? "proxy" : "all";
}

std::vector<OptionRow> ReplicaRows() {
  return {
      {"SERVICE_NAME", "NAME", "proxy", kReplicas,
       "the proxy's own service: with MODE=swarm other replicas are looked for at "
       "tasks.SERVICE_NAME, and only those that have the same name are called",
       SetName<&Options::service_name>},
      {"ROLE", "ROLE", "all", kReplicas,
       "listener: hears Docker, and tells replicas that cannot; runs no HAProxy. proxy: needs no "
       "Docker socket, a replica that has one tells it what Docker says",
       SetRole},
      {"PEERS", "ADDRESSES", "", kReplicas,
       "where other replicas are, divided by commas: host or host:port of their admin API "
       "(default: "
       "PORT). With MODE=swarm they are found without it",
       SetPeers},
      {"CONSUL_ADDRESS", "ADDRESSES", "", kReplicas,
       "Consul servers that replicas share their definitions through, divided by commas: "
       "host:8500, "
       "http:// or https:// in front is allowed; the first that answers is used. Keys are below "
       "PROXY_INSTANCE_NAME",
       SetConsul},
      {"CONSUL_HTTP_TOKEN", "TOKEN", "", kReplicas,
       "Consul's ACL token; it needs to read and write the keys below PROXY_INSTANCE_NAME, and "
       "sessions",
       SetConsulToken, true, "CONSUL_TOKEN"},
      {"CONSUL_CACERT", "FILE", "", kReplicas,
       "PEM file of the authorities that https Consul servers are verified against; default: the "
       "system's",
       SetFile<&Options::consul_ca_file>},
      {"CONSUL_CLIENT_CERT", "FILE", "", kReplicas,
       "PEM file of our certificate for Consul, with CONSUL_CLIENT_KEY",
       SetFile<&Options::consul_cert_file>},
      {"CONSUL_CLIENT_KEY", "FILE", "", kReplicas, "and its key",
       SetFile<&Options::consul_key_file>},
      Yes<&Options::consul_verify>("CONSUL_HTTP_SSL_VERIFY", "true", kReplicas,
                                   "verify the certificates of https Consul servers"),
  };
}

}  // namespace swarmgate::app
