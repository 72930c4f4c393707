// What replicas tell each other: who they are, and the last change of each record.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "swarmgate/model/service_spec.h"

namespace swarmgate::model {

/// The last change of one record, a deletion too.
struct SharedDocument {
  ServiceName name;
  std::optional<Record> record;      ///< nothing: it was deleted
  std::int64_t changed_unix_ms = 0;  ///< of two versions the later one stands
  std::uint64_t sequence = 0;        ///< its place in the history of whoever tells it
  friend bool operator==(const SharedDocument&, const SharedDocument&) = default;
};

/// A replica as it presents itself.
struct ReplicaIdentity {
  std::string cluster;   ///< PROXY_INSTANCE_NAME
  std::string service;   ///< SERVICE_NAME
  std::string instance;  ///< stays the same over restarts
  std::string run;       ///< of this run of it: whoever shows ours is ourselves
  std::string version;
  std::string role;  ///< "all", "listener", "proxy"
  bool ready = false;
  std::int64_t started_unix_ms = 0;
  // Of what is shared without a store in common; empty and 0 where there is one.
  std::string epoch;           ///< of its history
  std::uint64_t revision = 0;  ///< everything that it knows
  std::uint64_t applied = 0;   ///< what HAProxy serves of it
  std::string digest;          ///< of all records and deletions: equal ones need not be compared
  std::string challenge;       ///< to be signed by a call; empty where no token is set
  friend bool operator==(const ReplicaIdentity&, const ReplicaIdentity&) = default;
};

/// A call of one replica to another.
struct PeerCall {
  std::string method = "GET";
  std::string path;
  std::map<std::string, std::string> query;
  std::string body;
  std::int64_t made_unix_ms = 0;  ///< when the change that it hands on was accepted; 0: none
};

/// What became of a call at one replica.
struct PeerAnswer {
  std::string address;
  std::string instance;  ///< empty: it has not identified itself
  bool ok = false;
  int status = 0;       ///< of HTTP; 0: there was no answer
  std::string message;  ///< of the other replica, or why there is none
  std::string body;
};

}  // namespace swarmgate::model
