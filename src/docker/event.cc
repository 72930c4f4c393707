#include "docker/event.h"

#include <fmt/format.h>

#include "swarmgate/http/client.h"

namespace swarmgate::docker {

ports::DockerEvent DecodeEvent(const codec::JsonValue& json) {
  const codec::JsonValue& actor = json["Actor"];
  const codec::JsonValue& attributes = actor["Attributes"];
  ports::DockerEvent event;
  event.type = json["Type"].StringOr();
  event.action = json["Action"].StringOr();
  event.id = actor["ID"].StringOr();
  event.name = attributes["name"].StringOr();
  event.service_id = attributes["com.docker.swarm.service.id"].StringOr();
  event.signal = attributes["signal"].StringOr();
  if (event.type == "network") event.container_id = attributes["container"].StringOr();
  event.time_ns = json["timeNano"].AsInt64().value_or(0);
  return event;
}

std::string EventsQuery(std::int64_t since_ns) {
  // Without "event", health checks alone (exec_create, exec_start, exec_die) would make most of the
  // stream. Docker matches by prefix where health_status is among them: "start" is no prefix of
  // those.
  static constexpr std::string_view kFilters =
      R"({"type":["service","node","network","secret","config","container"],)"
      R"("event":["create","update","remove","start","kill","die","stop","pause","unpause",)"
      R"("health_status","destroy","rename","connect","disconnect"]})";
  std::string query = "filters=" + http::EscapeQuery(kFilters);
  if (since_ns > 0) {
    query += fmt::format("&since={}.{:09}", since_ns / 1'000'000'000, since_ns % 1'000'000'000);
  }
  return query;
}

}  // namespace swarmgate::docker
