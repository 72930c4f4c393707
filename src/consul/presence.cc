#include "consul/presence.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "swarmgate/base/strings.h"
#include "swarmgate/codec/json.h"

namespace swarmgate::consul {
namespace {

using codec::JsonValue;
using codec::JsonWriter;
using ports::Replica;

// Consul lets a session live up to twice as long.
constexpr const char* kTtl = "15s";
constexpr Duration kRenewEvery{5000};

SteadyTime Now() { return std::chrono::steady_clock::now(); }

Status Expect200(const http::Response& response, const char* what) {
  if (response.status == 200) return Ok();
  return Fail(Code::kRejected,
              "Consul answers " + std::to_string(response.status) + ": " +
                  Printable(Trim(response.body), 200),
              what);
}

}  // namespace

std::string EncodeReplica(const Replica& replica) {
  JsonWriter json;
  json.BeginObject().Field("id", replica.id).Field("address", replica.address);
  json.Key("revision").Uint(replica.revision).Key("started").Int(replica.started_unix_ms);
  json.Field("version", replica.version).EndObject();
  return std::move(json).Take();
}

Result<Replica> DecodeReplica(std::string_view text) {
  const Result<JsonValue> json = JsonValue::Parse(text);
  if (!json) return Forward(json.error());
  Replica replica;
  replica.id = (*json)["id"].StringOr();
  replica.address = (*json)["address"].StringOr();
  replica.revision = (*json)["revision"].AsUint64().value_or(0);
  replica.started_unix_ms = (*json)["started"].AsInt64().value_or(0);
  replica.version = (*json)["version"].StringOr();
  if (replica.id.empty()) return Fail(Code::kCorrupt, "a replica without id");
  return replica;
}

Status Presence::KeepSession() {
  if (!session_.empty() && Now() < renew_at_) return Ok();
  if (!session_.empty()) {
    const auto renewed = servers_.Put("/v1/session/renew/" + session_, {});
    if (!renewed) return Forward(renewed.error(), "session");
    if (renewed->status != 404) {
      renew_at_ = Now() + kRenewEvery;
      return Expect200(*renewed, "session");
    }
    session_.clear();  // it has ended: we were silent for too long, or Consul was begun anew
  }
  JsonWriter body;
  body.BeginObject().Field("Name", "swarmgate").Field("TTL", kTtl);
  body.Field("Behavior", "delete").EndObject();
  const auto made = servers_.Put("/v1/session/create", std::move(body).Take());
  if (!made) return Forward(made.error(), "session");
  if (Status good = Expect200(*made, "session"); !good) return good;
  const Result<JsonValue> json = JsonValue::Parse(made->body);
  if (!json) return Forward(json.error(), "session");
  session_ = (*json)["ID"].StringOr();
  if (session_.empty()) return Fail(Code::kCorrupt, "Consul made a session without ID");
  published_.clear();
  renew_at_ = Now() + kRenewEvery;
  return Ok();
}

Status Presence::Publish(const Replica& self) {
  std::string document = EncodeReplica(self);
  if (document == published_) return Ok();
  const std::string key = keys_.replicas + EscapeName(self.id);
  const auto put = servers_.Put("/v1/kv/" + key + "?acquire=" + session_, document);
  if (!put) return Forward(put.error(), "replica");
  if (Status good = Expect200(*put, "replica"); !good) return good;
  if (Trim(put->body) != "true") {
    return Fail(Code::kConflict, "another session holds " + key);
  }
  published_ = std::move(document);
  return Ok();
}

Result<std::vector<Replica>> Presence::Announce(const Replica& self) {
  if (const Status kept = KeepSession(); !kept) return Forward(kept.error());
  if (const Status published = Publish(self); !published) return Forward(published.error());
  const auto listing = servers_.Read(keys_.replicas, true);
  if (!listing) return Forward(listing.error());
  std::vector<Replica> replicas;
  for (const codec::ConsulEntry& entry : listing->entries) {
    auto replica = DecodeReplica(entry.value);
    if (replica) replicas.push_back(std::move(*replica));
  }
  std::sort(replicas.begin(), replicas.end(),
            [](const Replica& a, const Replica& b) { return a.id < b.id; });
  return replicas;
}

Status Presence::Withdraw(Servers& servers) {
  if (session_.empty()) return Ok();
  const auto ended = servers.Put("/v1/session/destroy/" + std::exchange(session_, {}), {});
  if (!ended) return Forward(ended.error(), "session");
  return Ok();
}

}  // namespace swarmgate::consul
