// Short ways to say services, facts and questions in the tests of routing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "swarmgate/routing/build.h"

namespace swarmgate::routing {

/// "/demo" prefix, "=/demo" exact, "/demo/~" whole segment, "^…$" regex.
inline model::PathMatch Path(std::string_view text) {
  using Kind = model::PathMatch::Kind;
  const std::string original(text);
  if (text.starts_with('^')) return {Kind::kRegex, original, "path_reg " + original};
  if (text.starts_with('=')) return {Kind::kExact, std::string(text.substr(1)), original};
  if (text.ends_with("/~")) {
    text.remove_suffix(2);
    return {Kind::kSegment, text.empty() ? "/" : std::string(text), original};
  }
  return {Kind::kPrefix, original, original};
}

/// "a.com" exact, "*.a.com" wildcard, "^…$" regex, "" any.
inline model::HostMatch Host(std::string_view text) {
  using Kind = model::HostMatch::Kind;
  const std::string original(text);
  if (text.empty()) return {};
  if (text.starts_with('^')) return {Kind::kRegex, original, original};
  if (text.starts_with('*')) return {Kind::kWildcard, std::string(text.substr(1)), original};
  return {Kind::kExact, original, original};
}

/// A service in the making: Service("web").Dest("/demo", "a.com").
class Service {
 public:
  explicit Service(std::string name) {
    input_.spec.Edit().name = model::ServiceName(name);
    input_.spec.Edit().acl_name = std::move(name);
    input_.created_unix_ns = 100;
  }
  /// One more destination, numbered 0, 1, …
  Service& Dest(std::string_view path, std::string_view host = "") {
    model::DestSpec dest;
    dest.index = static_cast<int>(input_.spec->dests.size());
    dest.paths.push_back(Path(path));
    if (!host.empty()) dest.hosts.push_back(Host(host));
    dest.port = 8080;
    input_.spec.Edit().dests.push_back(std::move(dest));
    return *this;
  }
  Service& Exclude(std::string_view path) {
    last().path_excludes.push_back(Path(path));
    return *this;
  }
  Service& SrcPort(std::uint16_t port) {
    last().src_port = port;
    return *this;
  }
  Service& Header(std::string name, std::string value) {
    auto& headers = last().headers.Edit();
    headers.push_back({std::move(name), std::move(value)});
    std::sort(headers.begin(), headers.end());
    headers.erase(std::unique(headers.begin(), headers.end()), headers.end());
    return *this;
  }
  Service& UserAgent(std::string part) {
    auto& agents = last().user_agents.Edit();
    agents.push_back(std::move(part));
    std::sort(agents.begin(), agents.end());
    return *this;
  }
  Service& Priority(std::uint32_t priority) {
    last().priority = priority;
    return *this;
  }
  Service& Weight(std::uint32_t weight) {
    last().weight = model::Weight{false, weight};
    return *this;
  }
  Service& Percent(std::uint32_t percent) {
    last().weight = model::Weight{true, percent * 10};
    return *this;
  }
  Service& Acl(std::string name) {
    input_.spec.Edit().acl_name = std::move(name);
    input_.spec.Edit().acl_name_given = true;
    return *this;
  }
  Service& Created(std::int64_t ns) {
    input_.created_unix_ns = ns;
    return *this;
  }
  Service& Default() {
    input_.spec.Edit().default_backend = true;
    return *this;
  }
  model::DestSpec& last() { return input_.spec.Edit().dests.back(); }
  ServiceInput& input() { return input_; }
  operator ServiceInput() const { return input_; }  // NOLINT(google-explicit-constructor)

 private:
  ServiceInput input_;
};

/// "a.com:81/demo" → host, port, path; port 80 where none is said.
inline Question Ask(std::string_view url) {
  Question question;
  const std::size_t slash = url.find('/');
  question.host = std::string(url.substr(0, slash));
  question.path = slash == std::string_view::npos ? "" : std::string(url.substr(slash));
  if (const std::size_t colon = question.host.find(':'); colon != std::string::npos) {
    question.port = static_cast<std::uint16_t>(std::stoi(question.host.substr(colon + 1)));
  }
  return question;
}

/// The same with headers, as "name: value".
inline Question Ask(std::string_view url, const std::vector<std::string>& headers) {
  Question question = Ask(url);
  for (const std::string& header : headers) {
    const std::size_t colon = header.find(": ");
    question.headers.emplace_back(header.substr(0, colon), header.substr(colon + 2));
  }
  return question;
}

/// With the diagnostics of all services together.
struct BuiltAll : Built {
  std::vector<model::Diagnostic> diagnostics;
};
inline BuiltAll BuildAll(const std::vector<ServiceInput>& services, const BuildContext& context) {
  BuiltAll built{Build(MakeInputs(services), context), {}};
  built.diagnostics = AllDiagnostics(built);
  return built;
}

/// What Build makes of services that need nothing of Docker; diagnostics with the names of the
/// table of labels.
struct BuiltRoutes {
  Chunked<Cow<model::Route>> routes;
  model::MatchTable matches;
  Chunked<LostRoute> lost;
  std::vector<model::Diagnostic> diagnostics;
};
inline BuiltRoutes BuildRoutes(const std::vector<ServiceInput>& services,
                               std::size_t max_inserted = kMaxInserted) {
  BuildContext context;
  context.label_prefix.clear();
  Router router(max_inserted);
  const Built& built = router.Update(MakeInputs(services), context);
  return {built.desired.routes, built.desired.matches, built.lost, AllDiagnostics(built)};
}

/// "code service label" of each diagnostic.
inline std::vector<std::string> Codes(const std::vector<model::Diagnostic>& diagnostics) {
  std::vector<std::string> codes;
  for (const model::Diagnostic& diagnostic : diagnostics) {
    codes.push_back(diagnostic.code + " " + diagnostic.service.str() + " " + diagnostic.label);
  }
  return codes;
}

}  // namespace swarmgate::routing
