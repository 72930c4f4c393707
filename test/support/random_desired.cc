#include "support/random_desired.h"

#include <map>
#include <string>

#include "swarmgate/base/strings.h"

namespace swarmgate::testing {

using model::Backend;
using model::BackendKind;
using model::MatchCandidate;

namespace {

class Maker {
 public:
  Maker(std::mt19937_64& random, int size) : random_(random), size_(size) {}

  model::Desired Make() {
    model::Desired desired;
    std::map<std::string, Backend> backends;
    for (int i = 0, n = 1 + Pick(size_); i < n; ++i) {
      Backend backend = MakeBackend();
      backends.emplace(backend.name.str(), std::move(backend));
    }
    for (auto& [name, backend] : backends) desired.backends.push_back(std::move(backend));

    std::map<std::string, model::MatchEntry> entries;
    for (int i = 0, n = Pick(2 * size_); i < n; ++i) {
      model::MatchEntry entry;
      entry.key = MakeKey();
      for (int k = 0, count = Pick(4); k < count; ++k) {
        entry.candidates.push_back(MakeCandidate(desired));
        const MatchCandidate& last = entry.candidates.back();
        if (last.unconditional()) break;
      }
      entries.emplace(entry.key, entry);
    }
    for (auto& [key, entry] : entries) desired.matches.entries.push_back(std::move(entry));

    for (int i = 0, n = Pick(4) == 0 ? Pick(4) : 0; i < n; ++i) {
      model::HostRegexEntry entry;
      entry.regex = "^h" + std::to_string(Pick(5)) + "\\.x \\|[0-9]+\\|/";
      entry.candidate = MakeCandidate(desired);
      desired.matches.host_regexes.push_back(std::move(entry));
    }
    AddCertificates(desired.tls);
    return desired;
  }

 private:
  // At most one in an expression of unspecified order: a seed means the same with every compiler.
  int Pick(int n) { return n <= 0 ? 0 : static_cast<int>(random_() % static_cast<unsigned>(n)); }

  /// Texts that stand for certificates: plan and files do not look into them.
  void AddCertificates(model::TlsDesired& tls) {
    const std::string fallback = "default " + std::to_string(Pick(3)) + "\n";
    tls.default_pem = model::Secret(fallback);
    tls.default_print = HashHex(fallback);
    std::map<std::string, model::TlsEntry> entries;
    for (int i = 0, n = Pick(4); i < n; ++i) {
      const std::string name = "c" + std::to_string(Pick(4));
      const std::string pem = name + " pem " + std::to_string(Pick(3)) + "\n";
      model::TlsEntry& entry = entries[name];
      entry = {name, {name + ".com"}, model::Secret(pem)};
      if (Pick(3) == 0) entry.names.insert(entry.names.begin(), "*." + name + ".com");
    }
    for (auto& [name, entry] : entries) tls.entries.push_back(std::move(entry));
  }

  Backend MakeBackend() {
    static const BackendKind kKinds[] = {BackendKind::kPlain, BackendKind::kPlain,
                                         BackendKind::kRich, BackendKind::kSticky};
    Backend backend;
    const int number = Pick(2 * size_);
    backend.name = model::BackendName("s" + std::to_string(number) + "-be8080_0");
    backend.service = model::ServiceName("s" + std::to_string(number));
    backend.kind = kKinds[Pick(4)];
    std::map<std::string, model::Server> servers;
    for (int i = 0, n = Pick(4); i < n; ++i) {
      model::Server server;
      server.name =
          model::ServerName("t-" + std::to_string(number) + "x" + std::to_string(Pick(4)));
      server.address = Pick(5) == 0 ? "fd00::" + std::to_string(1 + Pick(9))
                                    : "127.0." + std::to_string(Pick(3)) + ".1";
      server.port = static_cast<std::uint16_t>(1 + Pick(3));
      server.task_id = "task";
      if (Pick(8) == 0) server.options.Edit().tls = model::ServerOptions::Tls::kUnverified;
      servers.emplace(server.name.str(), server);
    }
    for (auto& [name, server] : servers) backend.servers.push_back(std::move(server));
    if (backend.kind != BackendKind::kPlain) {
      if (Pick(2) == 0)
        backend.policy.Edit().timeout_server = std::chrono::milliseconds(1000 * (1 + Pick(3)));
      for (int i = 0, n = Pick(3); i < n; ++i) {
        backend.policy.Edit().path_rewrites.push_back(
            {"^/(a|b c;d)" + std::to_string(Pick(3)) + "(\\d+)",
             "/\\2" + std::to_string(i) + "\\1"});
      }
    }
    if (Pick(6) == 0) {
      backend.profile.Edit().headers.push_back(
          {model::HeaderRule::Action::kSet, true, "X-Random", std::to_string(Pick(3)), ""});
    }
    if (backend.kind != BackendKind::kPlain && Pick(3) == 0) {
      backend.policy.Edit().allowed_methods = {"GET", "M" + std::to_string(Pick(3))};
    }
    return backend;
  }

  std::string MakeKey() {
    static const char* const kHosts[] = {"", "a.com", "b.a.com", ".a.com", ".com"};
    static const char* const kPaths[] = {"/",        "/demo",  "/demo/",  "/demo/?",
                                         "/demo/v1", "/x;y'z", "/q\"w\\", "/ü"};
    const std::string host = kHosts[Pick(5)];
    return host + kPaths[Pick(8)];
  }

  MatchCandidate MakeCandidate(const model::Desired& desired) {
    static const char* const kRegexes[] = {"^/demo/[0-9]+$", "\\.(?:js|css)$", "^/a b\\|c;d",
                                           "(?i)^/\\x44emo"};
    const Backend& backend =
        desired.backends[static_cast<std::size_t>(Pick(static_cast<int>(desired.backends.size())))];
    MatchCandidate candidate;
    candidate.backend = backend.name;
    candidate.service = backend.service;
    candidate.route = model::RouteId(backend.service.str() + "/0/" + std::to_string(Pick(3)));
    if (Pick(4) == 0) candidate.port = static_cast<std::uint16_t>(80 + Pick(3));
    if (Pick(4) == 0) candidate.path_regex = kRegexes[Pick(4)];
    if (Pick(5) == 0)
      candidate.header_regex = "(?=(?s:.*?)(?:^|\\n)x-v: " + std::to_string(Pick(3)) + "\\r)";
    if (Pick(6) == 0) {
      const auto weight = static_cast<std::uint32_t>(Pick(1001));
      const Backend& other = desired.backends.front();
      candidate.shares = {{candidate.route, candidate.service, candidate.backend, weight},
                          {candidate.route, other.service, other.name, 1000 - weight}};
    }
    return candidate;
  }

  std::mt19937_64& random_;
  int size_;
};

}  // namespace

model::Desired RandomDesired(std::mt19937_64& random, int size) {
  return Maker(random, size).Make();
}

haproxy::Settings TestSettings(const std::string& directory, std::uint16_t port) {
  haproxy::Settings settings;
  settings.version = {2, 6, 12};
  settings.binds = {{"127.0.0.1", port}};
  settings.run_dir = directory + "/run";
  settings.files_dir = directory + "/haproxy";
  settings.max_connections = 1000;
  settings.threads = 1;
  settings.cookie_key = "0123456789abcdef0123456789abcdef";
  return settings;
}

haproxy::Declared DeclareAll(std::uint32_t count) {
  std::mt19937_64 random(1);
  haproxy::Declared declared;
  for (int round = 0; round < 100; ++round) {
    const model::Desired desired = RandomDesired(random, 15);
    for (auto& [name, slots] : haproxy::AssignSlots({}, desired.backends, {}, 1).declared) {
      declared[name] = {count, slots.head, slots.lines};
    }
  }
  return declared;
}

}  // namespace swarmgate::testing
