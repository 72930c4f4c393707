// The identifiers of the domain.
#pragma once

#include "swarmgate/base/strong.h"

namespace swarmgate::model {

/// A service as its owner calls it: a Swarm service's name, "<project>_<service>" of compose, a
/// container's name, or the serviceName of the API. Matches ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$ once
/// it is typed.
using ServiceName = StrongString<struct ServiceNameTag>;
/// One destination of a service, as Docker Flow Proxy named backends: "<aclName>-be<port>_<index>".
/// Unique: two services with one aclName are told apart by a suffix "~<serviceName>".
using BackendName = StrongString<struct BackendNameTag>;
/// The HAProxy backend that carries a BackendName just now: "sg_plain_00001".
using SlotName = StrongString<struct SlotNameTag>;
/// The pool that a backend's slot is taken from: "plain", "rich", "sticky", or, for backends whose
/// section says something by itself, "rich.<12 hex digits of what it says>".
using BackendClass = StrongString<struct BackendClassTag>;
/// A server inside a backend; derived from the task, so it is stable over a task's life: "t-<task
/// id, 12 digits>".
using ServerName = StrongString<struct ServerNameTag>;
/// One route: "<serviceName>/<dest index>/<ordinal>". Stable as long as the service's labels are.
using RouteId = StrongString<struct RouteIdTag>;

}  // namespace swarmgate::model
