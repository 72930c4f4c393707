#include "admin/handlers.h"

#include <algorithm>
#include <chrono>

#include "admin/answers.h"
#include "admin/metrics.h"
#include "admin/proxy_metrics.h"
#include "admin/replica_calls.h"
#include "admin/views.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/routing/build.h"

namespace swarmgate::admin {
namespace {

constexpr const char* kText = "text/plain; charset=utf-8";

Response Json(std::string body) {
  Response response;
  response.body = std::move(body);
  return response;
}

SteadyTime WriteDeadline(const HandlerContext& context) {
  return std::chrono::steady_clock::now() + context.write_deadline;
}

Response FromOutcome(const engine::Outcome& outcome,
                     const std::map<std::string, std::string>& given = {}) {
  Response response = Json(OutcomeJson(outcome, given));
  response.status = outcome.status;
  return response;
}

int HttpStatus(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return 400;
    case Code::kNotFound:
      return 404;
    case Code::kConflict:
      return 409;
    case Code::kUnavailable:
      return 503;
    case Code::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

Response FromError(const Error& error) {
  return Problem(HttpStatus(error.code), std::string(CodeName(error.code)), error.ToString());
}

/// Somebody waits who asks every few seconds.
SteadyTime StatsDeadline() { return std::chrono::steady_clock::now() + std::chrono::seconds(3); }

// --- the predecessor's calls ----------------------------------------------------------

/// Reads the call, lets `apply` do it here, and hands it on where that was asked for.
template <typename Apply, typename Write>
Response Changed(const Request& request, const HandlerContext& context, Apply apply, Write write) {
  const auto change = ReadChange(request);
  if (!change) return FromError(change.error());
  engine::Outcome outcome = apply(*change);
  const auto others = HandOn(request, context, *change, outcome);
  Response response = Json(write(outcome, others ? &*others : nullptr));
  response.status = outcome.status;
  return response;
}

template <typename Apply>
Response ChangedService(const Request& request, const HandlerContext& context, Apply apply) {
  return Changed(request, context, apply,
                 [&](const engine::Outcome& outcome, const std::vector<model::PeerAnswer>* others) {
                   return OutcomeJson(outcome, request.query, others);
                 });
}

Response Reconfigure(const Request& request, const HandlerContext& context) {
  return ChangedService(request, context, [&](const Change& change) {
    return context.backend->Reconfigure(change.parameters, WriteDeadline(context),
                                        change.made_unix_ms);
  });
}

Response Remove(const Request& request, const HandlerContext& context) {
  return ChangedService(request, context, [&](const Change& change) {
    return context.backend->Remove(request.query, WriteDeadline(context), change.made_unix_ms);
  });
}

Response Cert(const Request& request, const HandlerContext& context) {
  const SteadyTime deadline = WriteDeadline(context);
  const std::string name = request.Query("certName");
  if (request.method != "PUT" && request.method != "DELETE") {
    Response refused =
        Problem(405, "method_not_allowed", "PUT stores a certificate, DELETE removes one");
    refused.headers.emplace_back("Allow", "PUT, DELETE");
    return refused;
  }
  return Changed(
      request, context,
      [&](const Change& change) {
        return request.method == "PUT"
                   ? context.backend->PutCertificate(name, request.body, deadline,
                                                     change.made_unix_ms)
                   : context.backend->RemoveCertificate(name, deadline, change.made_unix_ms);
      },
      [](const engine::Outcome& outcome, const std::vector<model::PeerAnswer>* others) {
        return CertOutcomeJson(outcome, others);
      });
}

Response Certs(const Request& request, const HandlerContext& context) {
  (void)request;
  return Json(CertsJson(*context.backend->GetSnapshot()));
}

Response Reload(const Request& request, const HandlerContext& context) {
  const SteadyTime deadline = WriteDeadline(context);
  return Changed(
      request, context,
      [&](const Change&) {
        // The predecessor's way to fetch everything from its listener anew.
        return ToLower(request.Query("fromListener")) == "true" ? context.backend->Resync(deadline)
                                                                : context.backend->Reload(deadline);
      },
      [](const engine::Outcome& outcome, const std::vector<model::PeerAnswer>* others) {
        return OutcomeJson(outcome, {}, others);
      });
}

Response Resync(const Request& request, const HandlerContext& context) {
  (void)request;
  return FromOutcome(context.backend->Resync(WriteDeadline(context)));
}

Response Validate(const Request& request, const HandlerContext& context) {
  return FromOutcome(context.backend->Validate(request.query, WriteDeadline(context)),
                     request.query);
}

Response Config(const Request& request, const HandlerContext& context) {
  if (ToLower(request.Query("type")) == "json") {
    return Json(ConfigJson(*context.backend->GetSnapshot()));
  }
  const auto text = context.backend->ConfigText(WriteDeadline(context));
  if (!text) return FromError(text.error());
  Response response;
  response.content_type = kText;
  response.body = *text;
  return response;
}

Response Health(const Request& request, const HandlerContext& context) {
  (void)request;
  const auto snapshot = context.backend->GetSnapshot();
  // Before the first start there is nothing to be well or ill: /readyz tells.
  if (snapshot->was_ready && !snapshot->proxy.ok) {
    return Problem(503, "unavailable", "HAProxy does not answer: " + snapshot->proxy.detail);
  }
  return Fine();
}

Response Ready(const Request& request, const HandlerContext& context) {
  (void)request;
  const auto snapshot = context.backend->GetSnapshot();
  if (!snapshot->ready) {
    return Problem(503, "not_ready",
                   snapshot->not_ready_reason.empty() ? "starting" : snapshot->not_ready_reason);
  }
  return Fine();
}

Response GetServices(const Request& request, const HandlerContext& context) {
  (void)request;
  return Json(ListenerServicesJson(*context.backend->GetSnapshot()));
}

Response GetNodes(const Request& request, const HandlerContext& context) {
  (void)request;
  return Json(ListenerNodesJson(*context.backend->GetSnapshot()));
}

// --- our own ------------------------------------------------------------------------------

Response Status(const Request& request, const HandlerContext& context) {
  (void)request;
  return Json(StatusJson(*context.backend->GetSnapshot(), context.version));
}

Response Services(const Request& request, const HandlerContext& context) {
  (void)request;
  return Json(ServicesJson(*context.backend->GetSnapshot()));
}

Response OneService(const std::string& name, const HandlerContext& context) {
  const auto snapshot = context.backend->GetSnapshot();
  const engine::ServiceStatus* service = FindService(*snapshot, name);
  if (service != nullptr) return Json(ServiceJson(*snapshot, *service));
  std::vector<std::string> names;
  for (const auto& known : snapshot->services) names.push_back(known->name.str());
  const auto close = ClosestMatch(name, names);
  return Problem(404, "not_found",
                 "no service of the name '" + Printable(name, 130) + "'" +
                     (close ? "; did you mean " + *close + "?" : ""));
}

Response Routes(const Request& request, const HandlerContext& context) {
  (void)request;
  return Json(RoutesJson(*context.backend->GetSnapshot()));
}

Response Why(const Request& request, const HandlerContext& context) {
  routing::Question question;
  if (const std::string url = request.Query("url"); !url.empty()) {
    for (const char* part : {"host", "path", "port"}) {
      if (request.query.count(part) == 0) continue;
      return Problem(400, "invalid_argument",
                     std::string("url and ") + part +
                         " are both given; write all in the url: ?url=http://a.com:8080/demo");
    }
    const auto parts = ParseUrl(url);
    if (!parts) return Problem(400, "invalid_argument", parts.error().message);
    question.host = parts->host;
    question.path = parts->path;
    question.port = parts->port;
  } else if (request.query.count("path") != 0 || request.query.count("host") != 0) {
    question.host = request.Query("host");
    if (request.query.count("path") != 0) question.path = request.Query("path");
    if (const std::string port = request.Query("port"); !port.empty()) {
      const auto number = ParseUint(port, 65535);
      if (!number || *number == 0) {
        return Problem(400, "invalid_argument", "port is a number from 1 to 65535");
      }
      question.port = static_cast<std::uint16_t>(*number);
    }
  } else {
    return Problem(400, "invalid_argument", "say which request: ?url=http://a.com/demo");
  }
  // One "name: value"; more than one are more such lines.
  const std::string headers = request.Query("header");
  for (const std::string_view line : Split(headers, '\n')) {
    if (Trim(line).empty()) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      return Problem(400, "invalid_argument", "header is a name and a value, as in X-Version: 3");
    }
    question.headers.emplace_back(Trim(line.substr(0, colon)), Trim(line.substr(colon + 1)));
  }
  if (const auto good = routing::CheckQuestion(question); !good) return FromError(good.error());
  const auto snapshot = context.backend->GetSnapshot();
  static const auto* const nothing = new model::Desired();
  const model::Desired& desired = snapshot->desired ? *snapshot->desired : *nothing;
  return Json(WhyJson(*snapshot, question, routing::Explain(desired, question, *snapshot->lost)));
}

Response Events(const Request& request, const HandlerContext& context) {
  (void)context;
  std::uint64_t after = 0;
  if (const std::string text = request.Query("after"); !text.empty()) {
    const auto number = ParseUint(text, 1ULL << 62U);
    if (!number) return Problem(400, "invalid_argument", "after is the number of an event");
    after = *number;
  }
  Response response;
  response.content_type = "application/x-ndjson";
  const std::string follow = ToLower(request.Query("follow"));
  if (follow == "true" || follow == "1") {
    response.follow_after = after;
    return response;
  }
  for (const LoggedEvent& event : EventsAfter(after, SteadyTime::min())) {
    response.body += EventJson(event) + "\n";
  }
  return response;
}

Response Metrics(const Request& request, const HandlerContext& context) {
  (void)request;
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  const auto stats = context.backend->ProxyStats(StatsDeadline());
  response.body =
      MetricsText(*context.backend->GetSnapshot(), context.version, stats ? stats->get() : nullptr);
  return response;
}

/// The predecessor's: the CSV of HAProxy's statistics page.
Response ProxyCsv(const Request& request, const HandlerContext& context) {
  // To call all others is more than anybody may ask for.
  if (AsksOthers(request)) {
    if (auto refused = Refuse(request, Access::kWrite, context.guard)) return *std::move(refused);
  }
  const auto stats = context.backend->ProxyStats(StatsDeadline());
  if (!stats) return FromError(stats.error());
  Response response;
  response.content_type = kText;
  response.body = StatsCsv(**stats, *context.backend->GetSnapshot());
  for (const model::PeerAnswer& other : AskOthers(request, context)) {
    if (other.status == 200) response.body += other.body + "\n";
  }
  return response;
}

Response TestV1(const Request& request, const HandlerContext& context) {
  (void)request;
  (void)context;
  return Fine("Test v1");
}

Response TestV2(const Request& request, const HandlerContext& context) {
  (void)request;
  (void)context;
  return Fine("Test v2");
}

struct Entry {
  const char* path;
  Access access;
  Response (*handle)(const Request&, const HandlerContext&);
};

constexpr Entry kProxy[] = {{"/reconfigure", Access::kWrite, Reconfigure},
                            {"/remove", Access::kWrite, Remove},
                            {"/reload", Access::kWrite, Reload},
                            {"/cert", Access::kWrite, Cert},
                            {"/certs", Access::kRead, Certs},
                            {"/config", Access::kRead, Config},
                            {"/ping", Access::kOpen, Health},
                            {"/metrics", Access::kOpen, ProxyCsv},
                            {"/successfulinitreload", Access::kOpen, Ready}};
constexpr Entry kListener[] = {{"/notify-services", Access::kWrite, Resync},
                               {"/get-services", Access::kRead, GetServices},
                               {"/get-nodes", Access::kRead, GetNodes},
                               {"/ping", Access::kOpen, Health}};
constexpr Entry kOwn[] = {{"/v1/status", Access::kRead, Status},
                          {"/v1/services", Access::kRead, Services},
                          {"/v1/routes", Access::kRead, Routes},
                          {"/v1/why", Access::kRead, Why},
                          {"/v1/events", Access::kRead, Events},
                          {"/v1/validate", Access::kWrite, Validate},
                          {"/v1/replica", Access::kOpen, ReplicaCall},
                          {"/v1/replica/records", Access::kPeer, RecordsCall},
                          {"/v1/replica/facts", Access::kPeer, FactsCall},
                          {"/metrics", Access::kOpen, Metrics},
                          {"/healthz", Access::kOpen, Health},
                          {"/readyz", Access::kOpen, Ready},
                          {"/v1/test", Access::kOpen, TestV1},
                          {"/v2/test", Access::kOpen, TestV2}};
constexpr std::string_view kServicePrefix = "/v1/services/";

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

template <std::size_t kSize>
const Entry* Find(const Entry (&entries)[kSize], std::string_view path) {
  const auto found = std::find_if(std::begin(entries), std::end(entries),
                                  [&](const Entry& entry) { return path == entry.path; });
  return found == std::end(entries) ? nullptr : found;
}

const Entry* FindEntry(std::string_view path) {
  for (const std::string_view prefix : {"/v1/docker-flow-proxy", "/v1/proxy"}) {
    if (!StartsWith(path, prefix)) continue;
    if (const Entry* entry = Find(kProxy, path.substr(prefix.size()))) return entry;
  }
  constexpr std::string_view kListenerPrefix = "/v1/docker-flow-swarm-listener";
  if (StartsWith(path, kListenerPrefix))
    return Find(kListener, path.substr(kListenerPrefix.size()));
  return Find(kOwn, path);
}

}  // namespace

bool IsCertificateCall(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const Entry* entry = FindEntry(path);
  return entry != nullptr && entry->handle == Cert;
}

Response Handle(const Request& request, const HandlerContext& context) {
  std::string_view path = request.path;
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const bool service = StartsWith(path, kServicePrefix);
  const Entry* entry = service ? nullptr : FindEntry(path);
  if (entry == nullptr && !service) {
    return Problem(404, "not_found",
                   "there is nothing at '" + Printable(request.path, 100) +
                       "'; see /v1/status, /v1/services, /v1/routes, /v1/why?url=…");
  }
  const Access access = service ? Access::kRead : entry->access;
  const std::optional<Request> signed_call = FromPeer(request, context);
  if (!signed_call) {
    auto refused = access == Access::kPeer ? RefuseStranger(request, context)
                                           : Refuse(request, access, context.guard);
    if (refused) return *std::move(refused);
  }
  if (service) return OneService(std::string(path.substr(kServicePrefix.size())), context);
  return entry->handle(signed_call ? *signed_call : request, context);
}

Result<UrlParts> ParseUrl(std::string_view url) {
  UrlParts parts;
  std::string_view rest = url;
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) {
    const std::string name = ToLower(url.substr(0, scheme));
    const bool connection = name == "tcp" || name == "tls";
    if (name != "http" && name != "https" && !connection) {
      return Fail(Code::kInvalidArgument, "a URL begins with http://, https://, tcp:// or tls://");
    }
    if (name == "https") parts.port = 443;
    if (connection) parts.port = 0;
    rest = url.substr(scheme + 3);
  }
  rest = rest.substr(0, rest.find_first_of("?#"));
  const auto slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  if (slash != std::string_view::npos) parts.path = std::string(rest.substr(slash));
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    authority.remove_prefix(at + 1);
  }
  const auto bracket = authority.find(']');
  const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  parts.host = std::string(authority.substr(0, colon));
  if (colon != std::string_view::npos) {
    const auto port = ParseUint(authority.substr(colon + 1), 65535);
    if (!port || *port == 0) {
      return Fail(Code::kInvalidArgument, "the port of a URL is a number from 1 to 65535");
    }
    parts.port = static_cast<std::uint16_t>(*port);
  }
  if (parts.port == 0) {
    return Fail(Code::kInvalidArgument, "tcp:// and tls:// take a port, as in tcp://db:6379");
  }
  return parts;
}

}  // namespace swarmgate::admin
