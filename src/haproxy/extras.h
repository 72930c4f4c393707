// What the operator adds to the base configuration beyond ports and timeouts: forwarded headers,
// PROXY protocol, access log, statistics page, raw lines. Each function gives complete lines of one
// section, without indentation.
#pragma once

#include <string>
#include <vector>

#include "swarmgate/haproxy/image.h"

namespace swarmgate::haproxy {

using Lines = std::vector<std::string>;

/// For the section that frontends inherit from.
[[nodiscard]] Lines LogLines(const Settings& settings);
/// The same for frontends that do not speak HTTP.
[[nodiscard]] Lines TcpLogLines(const Settings& settings);
/// For every frontend, before all else: who begins with a PROXY protocol header.
[[nodiscard]] Lines ProxyProtocolLines(const Extras& extras);
/// For the frontend, before every rule of ours: PROXY protocol, captures, EXTRA_FRONTEND.
[[nodiscard]] Lines FrontendLines(const Extras& extras);
/// X-Forwarded-*. What the client itself said of its protocol stays in txn.xfp. The address is the
/// work of `option forwardfor` in the backends.
[[nodiscard]] Lines ForwardedRules(const Extras& extras);
/// Does the request come over TLS, to us or to a proxy that we trust? A condition without its
/// braces' negation: "{ … }".
[[nodiscard]] std::string SecureCondition(const Extras& extras);
/// For the section that the backends of services inherit from.
[[nodiscard]] Lines BackendLines(const Extras& extras);

/// The statistics page on the ports for requests: a condition that takes its URI; empty when there
/// is no such page.
[[nodiscard]] std::string StatsCondition(const Extras& extras);
/// Complete sections, indented; empty when there is no page.
[[nodiscard]] std::string StatsSections(const Settings& settings);

}  // namespace swarmgate::haproxy
