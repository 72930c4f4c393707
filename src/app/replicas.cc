#include "app/replicas.h"

#include <chrono>
#include <utility>

#include "app/docker_of.h"
#include "app/resolve.h"
#include "app/shared_store.h"
#include "swarmgate/base/system.h"
#include "swarmgate/certs/proof.h"
#include "swarmgate/cluster/resolved_peers.h"
#include "swarmgate/docker/docker_api.h"
#include "swarmgate/sqlite/peer_log.h"

namespace swarmgate::app {
namespace {

using cluster::HostPort;

/// Where others reach the admin API, as far as we can tell.
std::string AddressOf(const Options& options) {
  const bool everywhere = options.ip.empty() || options.ip == "0.0.0.0" || options.ip == "::";
  const bool v6 = options.ip.find(':') != std::string::npos;
  const std::string host = everywhere ? HostName() : v6 ? "[" + options.ip + "]" : options.ip;
  return host + ":" + std::to_string(options.port);
}

std::vector<HostPort> NamedPeers(const Options& options) {
  std::vector<HostPort> peers =
      cluster::ParseHostPorts(options.peers, options.port).value_or(std::vector<HostPort>());
  if (options.mode == "swarm") peers.push_back({"tasks." + options.service_name, options.port});
  return peers;
}

/// One whose address cannot be read is not called; it finds us.
std::vector<HostPort> AnnouncedPeers(const Replicas::Announced& announced, std::uint16_t port) {
  std::vector<HostPort> peers;
  for (const ports::Replica& replica : announced()) {
    auto peer = cluster::ParseHostPort(replica.address, port);
    if (peer) peers.push_back(std::move(*peer));
  }
  return peers;
}

cluster::Membership MembershipOf(const Options& options, const ports::Replica& self) {
  cluster::Membership member;
  member.cluster = options.instance_name;
  member.service = options.service_name;
  member.instance = self.id;
  member.run = certs::MakeNonce();
  member.version = self.version;
  member.role = RoleName(options.role);
  member.started_unix_ms = self.started_unix_ms;
  member.token = options.admin_token;
  return member;
}

}  // namespace

Result<std::unique_ptr<Replicas>> Replicas::Make(const Options& options, const Layout& layout,
                                                 const std::optional<certs::SealKey>& key,
                                                 const Clock& clock, Announced announced) {
  auto id = LoadInstanceId(layout, HostName());
  if (!id) return Forward(id.error());
  std::unique_ptr<Replicas> parts(new Replicas());
  ports::Replica& self = parts->self_;
  self.id = *std::move(id);
  self.address = AddressOf(options);
  self.version = SWARMGATE_VERSION;
  self.started_unix_ms =
      std::chrono::duration_cast<Duration>(clock.WallNow().time_since_epoch()).count();

  const bool has_consul = !options.consul_servers.empty();
  const bool in_swarm = options.mode == "swarm";
  const std::vector<HostPort> named = NamedPeers(options);
  if (!named.empty()) {
    parts->sources_.push_back(cluster::MakeResolvedPeers([named] { return named; }, ResolveName));
  }
  if (in_swarm && !options.docker_host.empty()) {
    auto own = docker::MakeOwnService(DockerOptionsOf(options), options.port);
    if (!own) return Forward(own.error());
    parts->sources_.push_back(*std::move(own));
  }
  if (has_consul) {
    parts->sources_.push_back(cluster::MakeResolvedPeers(
        [announced = std::move(announced), port = options.port] {
          return AnnouncedPeers(announced, port);
        },
        ResolveName));
    parts->consul_ = consul::MakeStore(ConsulOptionsOf(options));
  } else if (!parts->sources_.empty()) {
    parts->log_ = sqlite::MakePeerLog(layout.state_dir + "/peers.db");
  }
  std::vector<ports::Peers*> sources;
  for (const auto& source : parts->sources_) sources.push_back(source.get());
  cluster::ClusterOptions cluster_options;
  cluster_options.self = MembershipOf(options, self);
  parts->cluster_ = std::make_unique<cluster::Cluster>(
      std::move(cluster_options), std::move(sources), parts->log_.get(), clock);
  parts->shared_ = has_consul ? parts->consul_.get() : parts->cluster_->store();
  if (key && parts->shared_ != nullptr) {
    parts->sealed_ = SealShared(*parts->shared_, *key);
    parts->shared_ = parts->sealed_.get();
  }
  return parts;
}

}  // namespace swarmgate::app
