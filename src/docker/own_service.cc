// ports::Peers: the tasks of the Swarm service that this process is a task of.
#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "docker/daemon.h"
#include "docker/host.h"
#include "docker/own_container.h"
#include "swarmgate/codec/docker_json.h"
#include "swarmgate/docker/docker_api.h"

namespace swarmgate::docker {
namespace {

constexpr Duration kLookAgain{60000};

class OwnService final : public ports::Peers {
 public:
  OwnService(const DockerOptions& options, http::Endpoint endpoint, std::uint16_t port)
      : daemon_(std::move(endpoint)), port_(port) {
    candidates_ = options.own_container.empty() ? ReadOwnContainerCandidates()
                                                : std::vector<std::string>{options.own_container};
  }

  Result<std::vector<std::string>> Find(SteadyTime deadline) override {
    if (service_.empty()) {
      // Whoever is no task of a service hardly becomes one, and every manager's list is long.
      if (std::chrono::steady_clock::now() < look_again_) return std::vector<std::string>();
      auto service = FindService(deadline);
      if (!service) return Forward(service.error());
      service_ = *std::move(service);
      if (service_.empty()) {
        look_again_ = std::chrono::steady_clock::now() + kLookAgain;
        return std::vector<std::string>();
      }
    }
    std::set<std::string> addresses;
    const Status read = ReadTasks(
        R"({"service":[")" + service_ + R"("],"desired-state":["running"]})", deadline,
        [&](const codec::SwarmTask& task) {
          for (const auto& [network, text] : task.facts.addresses) {
            const std::string& address = text.str();
            const bool v6 = address.find(':') != std::string::npos;
            addresses.insert((v6 ? "[" + address + "]" : address) + ":" + std::to_string(port_));
          }
        });
    if (!read) {
      daemon_.Forget();
      return Forward(read.error());
    }
    return std::vector<std::string>(addresses.begin(), addresses.end());
  }

  void Cancel() override { daemon_.Cancel(); }

 private:
  template <typename Take>
  Status ReadTasks(const std::string& filters, SteadyTime deadline, Take take) {
    return daemon_.GetList("/tasks?filters=" + http::EscapeQuery(filters), deadline,
                           [&](std::string_view text) -> Status {
                             const auto json =
                                 codec::JsonValue::Parse(text, {}, &codec::TaskShape());
                             if (!json) return Forward(json.error(), "docker: GET /tasks");
                             // One that cannot be read is a task that is not asked.
                             if (const auto task = codec::DecodeTask(*json)) take(*task);
                             return Ok();
                           });
  }

  /// Its id; empty when this is no task of a service.
  Result<std::string> FindService(SteadyTime deadline) {
    for (const std::string& candidate : candidates_) {
      const auto json =
          daemon_.Get("/containers/" + http::EscapeQuery(candidate) + "/json", deadline);
      if (!json && json.error().code == Code::kNotFound) continue;
      if (!json) {
        daemon_.Forget();
        return Forward(json.error());
      }
      const auto details = codec::DecodeContainerDetails(*json);
      if (!details) return Forward(details.error());
      return details->service_id;
    }
    if (candidates_.empty()) return std::string();
    // Our container runs on another node than this daemon (a socket proxy on a manager).
    std::string service;
    const Status read =
        ReadTasks(R"({"desired-state":["running"]})", deadline, [&](const codec::SwarmTask& task) {
          for (const std::string& candidate : candidates_) {
            if (task.facts.container_id.str().starts_with(candidate)) service = task.service_id;
          }
        });
    if (!read) return Forward(read.error());
    return service;
  }

  Daemon daemon_;
  std::uint16_t port_;
  std::vector<std::string> candidates_;
  std::string service_;  ///< the id; stays as long as this container does
  SteadyTime look_again_;
};

}  // namespace

Result<std::unique_ptr<ports::Peers>> MakeOwnService(const DockerOptions& options,
                                                     std::uint16_t port) {
  const auto endpoint = ResolveHost(options);
  if (!endpoint) return Forward(endpoint.error());
  return std::make_unique<OwnService>(options, *endpoint, port);
}

}  // namespace swarmgate::docker
