// Options for what HAProxy does with every request, beside ports and timeouts.
#include <algorithm>

#include "app/option_table.h"
#include "app/option_values.h"

namespace swarmgate::app {
namespace {

Status SetAccessLog(Options& options, const std::string& value) {
  return ParseWord(value, {"off", "errors", "all"}, options.access_log);
}

Status SetAccessLogFormat(Options& options, const std::string& value) {
  return ParseWord(value, {"json", "http"}, options.access_log_format);
}

/// The predecessor put the value into the configuration as it was, so that blanks had to be written
/// "\ ", or the whole in double quotes. Both are understood, and blanks as they are.
Status ParseLogFormat(const std::string& value, const char* example, std::string& field) {
  std::string format(Trim(value));
  if (format.size() >= 2 && format.front() == format.back() &&
      (format.front() == '"' || format.front() == '\'')) {
    format = format.substr(1, format.size() - 2);
  }
  std::string plain;
  for (std::size_t i = 0; i < format.size(); ++i) {
    const bool escape = format[i] == '\\' && i + 1 < format.size() &&
                        (format[i + 1] == ' ' || format[i + 1] == '"');
    plain += escape ? format[++i] : format[i];
  }
  if (plain.empty() || HasControlByte(plain)) {
    return Bad(std::string("write a log-format of HAProxy, for example ") + example);
  }
  field = plain;
  return Ok();
}

Status SetLogFormat(Options& options, const std::string& value) {
  return ParseLogFormat(value, "%ci %[var(txn.host)] %ST", options.debug_http_format);
}

Status SetTcpFormat(Options& options, const std::string& value) {
  return ParseLogFormat(value, "%ci %fp %B", options.debug_tcp_format);
}

template <std::vector<std::string> haproxy::Extras::*kMember>
Status SetNetworks(Options& options, const std::string& value) {
  return ParseNetworks(value, options.extras.*kMember);
}

Status SetExtraFrontend(Options& options, const std::string& value) {
  return ParseRawLines(value, options.extras.extra_frontend);
}

/// Without what would take the process out of our hands.
Status SetExtraGlobal(Options& options, const std::string& value) {
  constexpr std::string_view kOurs[] = {"daemon",  "master-worker", "nbproc", "user",
                                        "group",   "uid",           "gid",    "chroot",
                                        "pidfile", "default-path"};
  std::vector<std::string> lines;
  if (const Status good = ParseRawLines(value, lines); !good) return good;
  for (std::string& line : lines) {
    const std::string word = line.substr(0, line.find(' '));
    if (std::find(std::begin(kOurs), std::end(kOurs), word) == std::end(kOurs)) {
      options.extras.extra_global.push_back(std::move(line));
    } else {
      options.warnings.push_back(
          "EXTRA_GLOBAL: '" + word +
          "' has no effect: HAProxy is started by Swarmgate, which says this "
          "itself (HAPROXY_USER, DATA_DIR)");
    }
  }
  return Ok();
}

/// "Host:15,Referer:15".
Status SetCaptures(Options& options, const std::string& value) {
  constexpr std::string_view kToken = "!#$%&'*+-.^_`|~";
  for (const std::string_view raw : Split(value, ',')) {
    const std::string_view item = Trim(raw);
    if (item.empty()) continue;
    const auto colon = item.rfind(':');
    const std::string_view name = item.substr(0, colon);
    const bool token =
        !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), [&](char c) {
          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 kToken.find(c) != std::string_view::npos;
        });
    const auto length =
        colon == std::string_view::npos ? std::nullopt : ParseUint(item.substr(colon + 1), 4096);
    if (!token || !length || *length == 0) {
      return Bad("'" + Printable(item, 60) +
                 "': write header:length with a length from 1 to 4096, for example Host:15");
    }
    options.extras.captures.push_back({std::string(name), static_cast<int>(*length)});
  }
  if (options.extras.captures.size() > 16) return Bad("at most 16 headers can be captured");
  return Ok();
}

Status SetConnectionMode(Options& options, const std::string& value) {
  using Mode = model::ConnectionMode;
  std::string word;
  if (const Status good =
          ParseWord(value, {"http-keep-alive", "http-server-close", "httpclose"}, word);
      !good) {
    return good;
  }
  options.extras.connection_mode = word == "http-keep-alive"     ? Mode::kKeepAlive
                                   : word == "http-server-close" ? Mode::kServerClose
                                                                 : Mode::kClose;
  return Ok();
}

Status SetHttpReuse(Options& options, const std::string& value) {
  std::string word;
  if (const Status good = ParseWord(value, {"safe", "always"}, word); !good) return good;
  options.extras.first_request_reuses = word == "always";
  return Ok();
}

Status SetHttpRetry(Options& options, const std::string& value) {
  std::string word;
  if (const Status good = ParseWord(value, {"safe", "never"}, word); !good) return good;
  options.extras.repeats_unanswered = word == "safe";
  return Ok();
}

/// Words separated by blanks or commas.
std::vector<std::string> Words(const std::string& value) {
  std::string text = value;
  std::replace(text.begin(), text.end(), ',', ' ');
  std::vector<std::string> words;
  for (const std::string_view word : Split(text, ' ')) {
    if (!Trim(word).empty()) words.emplace_back(Trim(word));
  }
  return words;
}

Status SetCompressionAlgo(Options& options, const std::string& value) {
  std::string text;
  for (const std::string& given : Words(value)) {
    std::string word;
    if (const Status good = ParseWord(given, {"gzip", "deflate", "raw-deflate", "identity"}, word);
        !good) {
      return good;
    }
    text += (text.empty() ? "" : " ") + word;
  }
  options.extras.compression_algo = text;
  return Ok();
}

Status SetCompressionType(Options& options, const std::string& value) {
  std::string text;
  for (const std::string& word : Words(value)) {
    const bool good = std::all_of(word.begin(), word.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("/.+-_").find(c) != std::string_view::npos;
    });
    if (!good || word.find('/') == std::string::npos) {
      return Bad("'" + Printable(word, 60) + "' is not a media type such as text/css");
    }
    text += (text.empty() ? "" : " ") + word;
  }
  options.extras.compression_type = text;
  return Ok();
}

Status SetStatsPort(Options& options, const std::string& value) {
  std::uint16_t port = 0;
  if (const Status good = ParsePort(value, port); !good) return good;
  options.stats_port = port;
  return Ok();
}

/// Several variables of the predecessor name another one that holds the value.
template <std::string Options::*kMember>
Status SetVariable(Options& options, const std::string& value) {
  const bool good = value.size() <= 128 && std::all_of(value.begin(), value.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') || c == '_';
                    });
  if (!good) return Bad("write the name of a variable");
  options.*kMember = value;
  return Ok();
}

Status SetStats(Options& options, const std::string& value) {
  // Read where options are composed: another variable may hold it.
  (void)options;
  return HasControlByte(value) ? Bad("control characters cannot stand in it") : Ok();
}

constexpr const char* kHeaders = "Forwarded headers and PROXY protocol";
constexpr const char* kLog = "Access log";
constexpr const char* kStats = "Statistics page";
constexpr const char* kDefaults = "What holds for every service";

std::vector<OptionRow> LogRows() {
  return {
      {"ACCESS_LOG", "WHAT", "", kLog,
       "off, errors (5xx, timeouts, retries) or all: a line on standard output for each request, "
       "with service, route and task. Default: off, unless DEBUG says otherwise",
       SetAccessLog},
      {"ACCESS_LOG_FORMAT", "FORMAT", "", kLog,
       "json or http (HAProxy's httplog, with the service in the place of the backend). Default: "
       "http when DEBUG turned the log on, else json",
       SetAccessLogFormat},
      Yes<&Options::debug>("DEBUG", "false", kLog, "as ACCESS_LOG=all"),
      Yes<&Options::debug_errors_only>("DEBUG_ERRORS_ONLY", "false", kLog,
                                       "with DEBUG: as ACCESS_LOG=errors"),
      {"DEBUG_HTTP_FORMAT", "FORMAT", "", kLog,
       "a log-format of HAProxy, instead of ACCESS_LOG_FORMAT", SetLogFormat},
      {"DEBUG_TCP_FORMAT", "FORMAT", "", kLog,
       "the same for connections of services with reqMode=tcp and sni", SetTcpFormat},
      {"CAPTURE_REQUEST_HEADER", "LIST", "", kLog,
       "request headers that the access log shows, with their greatest lengths: Host:15,Referer:15",
       SetCaptures},
  };
}

std::vector<OptionRow> HeaderRows() {
  return {
      {"TRUSTED_PROXIES", "NETWORKS", "", kHeaders,
       "whose X-Forwarded-* headers are believed and passed on: 10.0.0.0/8,192.0.2.7. From "
       "everybody "
       "else they are taken off. A load balancer that ends TLS belongs here",
       SetNetworks<&haproxy::Extras::trusted_proxies>},
      {"PROXY_PROTOCOL_FROM", "NETWORKS", "", kHeaders,
       "whose connections begin with a PROXY protocol header, on every port. For a port on which "
       "everybody's do, write :proxy behind it (DEFAULT_PORTS, BIND_PORTS)",
       SetNetworks<&haproxy::Extras::proxy_protocol_from>},
  };
}

std::vector<OptionRow> StatsRows() {
  return {
      {"STATS_USER", "NAME", "", kStats,
       "who may see HAProxy's statistics page. There is one only where STATS_USER and STATS_PASS "
       "are "
       "both set; none: everybody may",
       SetStats},
      {"STATS_PASS", "PASSWORD", "", kStats, "the password; none: nobody is asked", SetStats, true},
      {"STATS_URI", "PATH", "/admin?stats", kStats, "where the page is", SetStats},
      {"STATS_PORT", "PORT", "", kStats,
       "a port of its own for the page. Default: every port for requests", SetStatsPort},
      {"STATS_USER_ENV", "VARIABLE", "", kStats,
       "the variable (or secret) that holds the user's name; default: STATS_USER",
       SetVariable<&Options::stats_user_from>},
      {"STATS_PASS_ENV", "VARIABLE", "", kStats,
       "the variable (or secret) that holds the password; default: STATS_PASS",
       SetVariable<&Options::stats_pass_from>},
      {"STATS_URI_ENV", "VARIABLE", "", kStats,
       "the variable (or secret) that holds the path; default: STATS_URI",
       SetVariable<&Options::stats_uri_from>},
  };
}

std::vector<OptionRow> DefaultRows() {
  return {
      {"CONNECTION_MODE", "MODE", "http-keep-alive", kDefaults,
       "http-keep-alive, http-server-close or httpclose, where a service does not say it",
       SetConnectionMode},
      {"HTTP_REUSE", "MODE", "safe", kDefaults,
       "safe or always: does a client's first request take a connection to a task that is open "
       "already? always halves the cost of clients that connect for each request; a POST fails "
       "with 502 where the task closes that connection at the same moment",
       SetHttpReuse},
      {"HTTP_RETRY", "MODE", "safe", kDefaults,
       "safe or never: is a GET, HEAD or OPTIONS asked again, of another task, where a task closes "
       "the connection without an answer? never saves a copy of each request, some 7 % of "
       "HAProxy's time, and loses requests when tasks are replaced or close idle connections",
       SetHttpRetry},
      {"COMPRESSION_ALGO", "WORDS", "", kDefaults,
       "answers are compressed: gzip, deflate, raw-deflate; several separated by blanks",
       SetCompressionAlgo},
      {"COMPRESSION_TYPE", "WORDS", "", kDefaults,
       "media types that are compressed, separated by blanks; empty: all", SetCompressionType},
      Yes<&Options::terminate_on_reload>(
          "TERMINATE_ON_RELOAD", "false", kDefaults,
          "connections of a replaced HAProxy process are cut after a second, whatever "
          "HARD_STOP_AFTER says; costs the requests that take longer"),
      {"EXTRA_FRONTEND", "LINES", "", kDefaults,
       "lines for HAProxy's section of the frontend, before all rules of ours; a comma begins "
       "another line, \\, is a comma",
       SetExtraFrontend},
      {"EXTRA_GLOBAL", "LINES", "", kDefaults,
       "lines for HAProxy's section global, written like EXTRA_FRONTEND", SetExtraGlobal},
  };
}

}  // namespace

std::vector<OptionRow> TrafficRows() {
  std::vector<OptionRow> rows;
  for (const auto part : {DefaultRows, HeaderRows, LogRows, StatsRows}) {
    const std::vector<OptionRow> more = part();
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace swarmgate::app
