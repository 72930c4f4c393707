#include "app/options_compose.h"

#include <algorithm>

#include "app/option_values.h"

namespace swarmgate::app {
namespace {

using Log = haproxy::AccessLog;

void ComposeLog(Options& options) {
  Log& log = options.extras.access_log;
  std::string what = options.access_log;
  const bool by_debug = what.empty() && options.debug;
  if (by_debug) what = options.debug_errors_only ? "errors" : "all";
  if (what == "errors") log.what = Log::What::kErrors;
  if (what == "all") log.what = Log::What::kAll;
  if (log.what == Log::What::kOff) return;
  log.tcp_custom = options.debug_tcp_format;
  std::string format = options.access_log_format;
  if (format.empty()) {
    if (!options.debug_http_format.empty()) {
      log.format = Log::Format::kCustom;
      log.custom = options.debug_http_format;
      return;
    }
    format = by_debug ? "http" : "json";
  }
  log.format = format == "json" ? Log::Format::kJson : Log::Format::kHttp;
}

Status Wrong(const std::string& name, const std::string& message) {
  return Fail(Code::kInvalidArgument, name + ": " + message);
}

Status ComposeStats(const std::function<std::optional<std::string>(const std::string&)>& variable,
                    const std::map<std::string, std::string>& flags, Options& options) {
  const auto value = [&](const char* flag, const std::string& name) {
    const auto given = flags.find(flag);
    return given != flags.end() ? given->second : variable(name).value_or("");
  };
  haproxy::StatsPage& stats = options.extras.stats;
  const std::string user = value("stats-user", options.stats_user_from);
  const std::string password = value("stats-pass", options.stats_pass_from);
  std::string uri = value("stats-uri", options.stats_uri_from);
  if (uri.empty()) uri = "/admin?stats";
  if (user.empty() != password.empty()) {
    options.warnings.emplace_back(
        "the statistics page is off: it needs both STATS_USER and STATS_PASS (none: nobody is "
        "asked)");
  }
  if (user.empty() || password.empty()) return Ok();
  if (HasControlByte(user) || HasControlByte(password)) {
    return Wrong("STATS_USER, STATS_PASS", "control characters cannot stand in them");
  }
  if (user.find(':') != std::string::npos) return Wrong("STATS_USER", "a name has no ':'");
  if (uri.front() != '/' || HasControlByte(uri) || uri.find(' ') != std::string::npos) {
    return Wrong("STATS_URI=" + Printable(uri, 60), "write a path such as /admin?stats");
  }
  stats.uri = uri;
  if (ToLower(user) == "none" || ToLower(password) == "none") {
    options.warnings.push_back("everybody who reaches " + uri +
                               " sees the statistics page (STATS_USER or STATS_PASS is none)");
  } else {
    stats.user = user;
    stats.password = password;
  }
  // A port that takes requests anyway carries the page beside them, as port 80 always did.
  const std::uint16_t port = options.stats_port.value_or(80);
  const bool shared =
      port == 80 || std::any_of(options.binds.begin(), options.binds.end(),
                                [&](const auto& bind) { return bind.port == port; });
  if (!shared) stats.port = port;
  if (port == options.port) {
    return Wrong("STATS_PORT=" + std::to_string(port), "that is the admin API's port (PORT)");
  }
  return Ok();
}

}  // namespace

bool SecretWins(const std::string& name) {
  static const std::vector<std::string> names = {"BIND_PORTS",
                                                 "CONNECTION_MODE",
                                                 "DEBUG",
                                                 "DEBUG_ERRORS_ONLY",
                                                 "DEBUG_HTTP_FORMAT",
                                                 "DEBUG_TCP_FORMAT",
                                                 "DEFAULT_PORTS",
                                                 "EXTRA_FRONTEND",
                                                 "EXTRA_GLOBAL",
                                                 "SSL_BIND_CIPHERS",
                                                 "SSL_BIND_OPTIONS",
                                                 "STATS_PASS",
                                                 "STATS_PORT",
                                                 "STATS_URI",
                                                 "STATS_USER",
                                                 "TIMEOUT_CLIENT",
                                                 "TIMEOUT_CONNECT",
                                                 "TIMEOUT_HTTP_KEEP_ALIVE",
                                                 "TIMEOUT_HTTP_REQUEST",
                                                 "TIMEOUT_QUEUE",
                                                 "TIMEOUT_SERVER",
                                                 "TIMEOUT_TUNNEL",
                                                 "USERS",
                                                 "USERS_PASS_ENCRYPTED"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

Status ComposeExtras(const std::function<std::optional<std::string>(const std::string&)>& variable,
                     const std::map<std::string, std::string>& flags, Options& options) {
  ComposeLog(options);
  if (options.terminate_on_reload) {
    options.hard_stop_after = std::min(options.hard_stop_after, Duration(1000));
  }
  return ComposeStats(variable, flags, options);
}

}  // namespace swarmgate::app
