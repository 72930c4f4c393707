#include "haproxy/extras.h"

#include "haproxy/quote.h"

namespace swarmgate::haproxy {
namespace {

/// As one JSON object. What comes from the client passes the converter json, which escapes quotes
/// and control bytes and drops what is not UTF-8; all else is numbers and names of a closed
/// grammar. The query is left out: it may hold secrets. Retries are a text because a redispatched
/// request has "+1".
std::string JsonFormat(const Extras& extras) {
  std::string format =
      R"({"time":%Ts.%ms,"client":"%ci","clientPort":%cp,"port":%fp,"tls":"%sslv","method":"%HM",)"
      R"("host":"%[var(txn.host),json(utf8s)]","path":"%[var(txn.path),json(utf8s)]",)"
      R"("protocol":"%HV","service":"%[var(txn.r),field(2,|)]","route":"%[var(txn.r),field(3,|)]",)"
      R"("server":"%s","status":%ST,"bytes":%B,"received":%U,"ms":{"request":%TR,"queue":%Tw,)"
      R"("connect":%Tc,"response":%Tr,"total":%Ta},"retries":"%rc","end":"%ts")";
  if (!extras.captures.empty()) {
    format += R"(,"captured":{)";
    for (std::size_t i = 0; i < extras.captures.size(); ++i) {
      format += (i == 0 ? "\"" : ",\"") + extras.captures[i].header + "\":\"%[capture.req.hdr(" +
                std::to_string(i) + "),json(utf8s)]\"";
    }
    format += "}";
  }
  return format + "}";
}

/// `option httplog`, but for the name of the backend.
constexpr const char* kHttpFormat =
    "%ci:%cp [%tr] %ft %[var(txn.r),field(2,|)]/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc "
    "%ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r";

/// Of connections: as JsonFormat, `name` being what clients of reqMode=sni ask for.
constexpr const char* kTcpJsonFormat =
    R"({"time":%Ts.%ms,"client":"%ci","clientPort":%cp,"port":%fp,"tls":"%sslv",)"
    R"("name":"%[var(txn.n),json(utf8s)]","service":"%[var(txn.r),field(2,|)]",)"
    R"("route":"%[var(txn.r),field(3,|)]","server":"%s","bytes":%B,"received":%U,)"
    R"("ms":{"queue":%Tw,"connect":%Tc,"total":%Tt},"retries":"%rc","end":"%ts"})";

/// `option tcplog`, but for the name of the backend.
constexpr const char* kTcpFormat =
    "%ci:%cp [%t] %ft %[var(txn.r),field(2,|)]/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq";

std::string Source(const std::vector<std::string>& networks) {
  std::string condition = "{ src";
  for (const std::string& network : networks) condition += " " + network;
  return condition + " }";
}

std::string Milliseconds(std::chrono::milliseconds duration) {
  return std::to_string(duration.count()) + "ms";
}

Lines To(const Settings& settings, const std::string& format) {
  const AccessLog& log = settings.extras.access_log;
  // A line that is cut is no JSON: room for the longest path and host, each byte of them escaped.
  Lines lines = {"log " + Quote(AccessLogSocket(settings.run_dir)) + " len 65535 format raw local0",
                 "log-format " + Quote(format)};
  if (log.what == AccessLog::What::kErrors) lines.emplace_back("option dontlog-normal");
  return lines;
}

}  // namespace

std::string AccessLogSocket(const std::string& run_dir) { return run_dir + "/access.sock"; }

Lines TcpLogLines(const Settings& settings) {
  const AccessLog& log = settings.extras.access_log;
  if (log.what == AccessLog::What::kOff) return {};
  if (!log.tcp_custom.empty()) return To(settings, log.tcp_custom);
  return To(settings, log.format == AccessLog::Format::kJson ? kTcpJsonFormat : kTcpFormat);
}

Lines LogLines(const Settings& settings) {
  const AccessLog& log = settings.extras.access_log;
  if (log.what == AccessLog::What::kOff) return {};
  std::string format;
  switch (log.format) {
    case AccessLog::Format::kJson:
      format = JsonFormat(settings.extras);
      break;
    case AccessLog::Format::kHttp:
      format = kHttpFormat;
      break;
    case AccessLog::Format::kCustom:
      format = log.custom;
      break;
  }
  return To(settings, format);
}

Lines ProxyProtocolLines(const Extras& extras) {
  if (extras.proxy_protocol_from.empty()) return {};
  return {"tcp-request connection expect-proxy layer4 if " + Source(extras.proxy_protocol_from)};
}

Lines FrontendLines(const Extras& extras) {
  Lines lines = ProxyProtocolLines(extras);
  for (const Capture& capture : extras.captures) {
    lines.push_back("capture request header " + Quote(capture.header) + " len " +
                    std::to_string(capture.length));
  }
  lines.insert(lines.end(), extras.extra_frontend.begin(), extras.extra_frontend.end());
  return lines;
}

Lines ForwardedRules(const Extras& extras) {
  const bool trusts = !extras.trusted_proxies.empty();
  Lines lines = {"http-request set-var(txn.xfp) req.hdr(x-forwarded-proto,1)"};
  std::string from_others;
  if (trusts) {
    lines.push_back("http-request set-var(txn.trusted) bool(true) if " +
                    Source(extras.trusted_proxies));
    lines.emplace_back("http-request set-var(txn.secure) bool(true) if { ssl_fc }");
    lines.emplace_back(
        "http-request set-var(txn.secure) bool(true) if { var(txn.trusted) -m found } "
        "{ var(txn.xfp) -m str -i https }");
    from_others = " unless { var(txn.trusted) -m found }";
  }
  // All of the family at once, in one walk over the headers.
  lines.push_back("http-request del-header X-Forwarded- -m beg" + from_others);
  const auto add = [&](const std::string& name, const std::string& value) {
    std::string rule = "http-request add-header " + name + " " + value;
    if (trusts) rule += " unless { req.hdr(" + name + ") -m found }";
    lines.push_back(std::move(rule));
  };
  add("X-Forwarded-Proto", "%[ssl_fc,iif(https,http)]");
  add("X-Forwarded-Host", "%[req.hdr(host)]");
  add("X-Forwarded-Port", "%[dst_port]");
  return lines;
}

std::string SecureCondition(const Extras& extras) {
  return extras.trusted_proxies.empty() ? "{ ssl_fc }" : "{ var(txn.secure) -m found }";
}

Lines BackendLines(const Extras& extras) {
  Lines lines;
  if (extras.connection_mode == model::ConnectionMode::kServerClose) {
    lines.emplace_back("option http-server-close");
  } else if (extras.connection_mode == model::ConnectionMode::kClose) {
    lines.emplace_back("option httpclose");
  }
  if (extras.first_request_reuses) lines.emplace_back("http-reuse always");
  if (!extras.compression_algo.empty()) {
    lines.push_back("compression algo " + extras.compression_algo);
    if (!extras.compression_type.empty()) {
      lines.push_back("compression type " + extras.compression_type);
    }
  }
  return lines;
}

std::string StatsCondition(const Extras& extras) {
  if (extras.stats.uri.empty() || extras.stats.port) return {};
  return "{ pathq -m beg " + Quote(extras.stats.uri) + " }";
}

std::string StatsSections(const Settings& settings) {
  const StatsPage& stats = settings.extras.stats;
  if (stats.uri.empty()) return {};
  std::string text;
  if (stats.port) {
    text += "\nfrontend stats from sg_front\n  bind *:" + std::to_string(*stats.port) +
            "\n  default_backend stats\n";
  }
  text += "\nbackend stats from sg_front\n";
  text += "  timeout connect " + Milliseconds(settings.timeout_connect) + "\n";
  text += "  timeout server " + Milliseconds(settings.timeout_server) + "\n";
  text += "  stats enable\n  stats refresh 30s\n  stats realm 'Strictly Private'\n";
  text += "  stats uri " + Quote(stats.uri) + "\n";
  if (!stats.user.empty())
    text += "  stats auth " + Quote(stats.user + ":" + stats.password) + "\n";
  return text;
}

}  // namespace swarmgate::haproxy
