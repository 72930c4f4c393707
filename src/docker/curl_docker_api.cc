#include <atomic>
#include <utility>

#include "docker/daemon.h"
#include "docker/event.h"
#include "docker/host.h"
#include "docker/lister.h"
#include "docker/own_container.h"
#include "swarmgate/docker/docker_api.h"

namespace swarmgate::docker {
namespace {

/// Two connections: one for lists, one that events occupy for good.
class CurlDockerApi final : public ports::DockerApi {
 public:
  CurlDockerApi(const DockerOptions& options, const http::Endpoint& endpoint)
      : lister_(options, endpoint, ReadOwnContainerCandidates(), IsLocal(endpoint), clock_),
        events_(endpoint) {}

  Result<model::DockerFacts> List(SteadyTime deadline) override { return lister_.List(deadline); }

  void Include(std::vector<std::string> names) override { lister_.Include(std::move(names)); }

  Result<SomeServices> ListServices(const std::vector<std::string>& service_ids,
                                    SteadyTime deadline) override {
    return lister_.ListServices(service_ids, deadline);
  }

  Result<std::vector<ServiceTasks>> ListTasks(const std::vector<std::string>& service_ids,
                                              SteadyTime deadline) override {
    return lister_.ListTasks(service_ids, deadline);
  }

  Result<std::optional<StartedTask>> LookAt(const std::string& container_id,
                                            SteadyTime deadline) override {
    return lister_.LookAt(container_id, deadline);
  }

  Error Watch(std::int64_t since_ns, const std::function<void()>& connected,
              const std::function<void(const ports::DockerEvent&)>& on_event) override {
    events_.Forget();  // whatever answered before, now it may be another daemon
    return events_.GetStream("/events?" + EventsQuery(since_ns), connected,
                             [&](std::string_view text) -> Status {
                               const auto json = codec::JsonValue::Parse(text);
                               if (!json) return Forward(json.error(), "docker: GET /events");
                               on_event(DecodeEvent(*json));
                               return Ok();
                             });
  }

  void Cancel() override {
    lister_.Cancel();
    events_.Cancel();
  }

 private:
  SystemClock clock_;
  Lister lister_;
  Daemon events_;
};

}  // namespace

Result<std::unique_ptr<ports::DockerApi>> MakeDockerApi(const DockerOptions& options) {
  const auto endpoint = ResolveHost(options);
  if (!endpoint) return Forward(endpoint.error());
  return std::make_unique<CurlDockerApi>(options, *endpoint);
}

}  // namespace swarmgate::docker
