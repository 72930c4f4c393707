#include "swarmgate/app/options.h"

#include <unistd.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "app/option_replaced.h"
#include "app/option_table.h"
#include "app/options_compose.h"
#include "app/static_services.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/labels/parse.h"

extern char** environ;

namespace swarmgate::app {
namespace {

namespace po = boost::program_options;

constexpr std::size_t kMaxValue = 64U << 10U;

/// Where a value was found, as a message names it.
struct Found {
  std::string value;
  std::string where;
};

/// Errors: kInvalidArgument. Boost throws: this is one of the borders.
Result<std::map<std::string, std::string>> ParseFlags(const std::vector<std::string>& arguments) {
  // The predecessor's short forms.
  const std::map<std::string, std::string> short_forms = {
      {"ip", "ip,i"},
      {"port", "port,p"},
      {"service-name", "service-name,n"},
      {"listener-address", "listener-address,l"},
      {"templates-path", "templates-path,t"},
  };
  std::map<std::string, std::string> flags;
  try {
    po::options_description description;
    for (const OptionRow& row : OptionTable()) {
      const auto with_short = short_forms.find(row.flag());
      const std::string spelling =
          with_short == short_forms.end() ? row.flag() : with_short->second;
      description.add_options()(spelling.c_str(), po::value<std::string>());
    }
    // Accepted, so that a stack that passes them starts: there are no such files here.
    description.add_options()("configs-path,c", po::value<std::string>());
    const auto style =
        po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
    const po::parsed_options parsed = po::command_line_parser(arguments)
                                          .options(description)
                                          .style(style)
                                          .allow_unregistered()
                                          .run();
    std::vector<std::string> known;
    for (const OptionRow& row : OptionTable()) known.push_back("--" + row.flag());
    for (const po::option& option : parsed.options) {
      if (option.unregistered || option.string_key.empty()) {
        const std::string word =
            option.original_tokens.empty() ? option.string_key : option.original_tokens.front();
        const std::string name = word.substr(0, word.find('='));
        const auto close = ClosestMatch(name, known);
        return Fail(Code::kInvalidArgument,
                    "unknown argument '" + Printable(name, 80) + "'" +
                        (close ? "; did you mean " + *close + "?" : "; see swarmgate run --help"));
      }
      if (!option.value.empty()) flags[option.string_key] = option.value.front();
    }
  } catch (const po::error& error) {
    return Fail(Code::kInvalidArgument,
                Printable(error.what(), 200) + "; see swarmgate run --help");
  }
  return flags;
}

std::optional<Found> FindVariable(const std::string& name, const OptionSources& sources) {
  const auto variable = sources.environment.find(name);
  // Images set variables to nothing to say "default".
  if (variable == sources.environment.end() || variable->second.empty()) return std::nullopt;
  return Found{variable->second, name};
}

std::optional<Found> FindSecret(const std::string& name, const OptionSources& sources) {
  if (!sources.secret) return std::nullopt;
  const std::string secret = "dfp_" + ToLower(name);
  const auto text = sources.secret(secret);
  if (!text || Trim(*text).empty()) return std::nullopt;
  return Found{std::string(Trim(*text)), "secret " + secret};
}

std::optional<Found> Find(const OptionRow& row, const std::map<std::string, std::string>& flags,
                          const OptionSources& sources) {
  if (const auto flag = flags.find(row.flag()); flag != flags.end()) {
    return Found{flag->second, "--" + row.flag()};
  }
  const bool secret_first = SecretWins(row.name);
  for (const auto look :
       {secret_first ? FindSecret : FindVariable, secret_first ? FindVariable : FindSecret}) {
    for (const char* name : {row.name, row.alias}) {
      if (name == nullptr) continue;
      if (auto found = look(name, sources)) return found;
    }
  }
  return std::nullopt;
}

Status Apply(const OptionRow& row, const Found& found, Options& options) {
  if (found.value.size() > kMaxValue) {
    return Fail(Code::kInvalidArgument, found.where + ": the value is longer than 64 KiB");
  }
  const Status set = row.set(options, found.value);
  if (set) return Ok();
  const std::string shown = row.sensitive ? "(hidden)" : Printable(found.value, 100);
  return Fail(set.error().code, found.where + "=" + shown + ": " + set.error().message);
}

void FillDirectories(const OptionSources& sources, Options& options) {
  const auto variable = [&](const char* name) {
    const auto found = sources.environment.find(name);
    return found == sources.environment.end() ? std::string() : found->second;
  };
  if (options.data_dir.empty()) {
    const std::string state = variable("XDG_STATE_HOME");
    const std::string home = variable("HOME");
    if (sources.root) {
      options.data_dir = "/var/lib/swarmgate";
    } else if (!state.empty() && state.front() == '/') {
      options.data_dir = state + "/swarmgate";
    } else if (!home.empty() && home.front() == '/') {
      options.data_dir = home + "/.local/state/swarmgate";
    } else {
      options.data_dir = "/tmp/swarmgate-" + std::to_string(getuid());
    }
  }
  if (options.run_dir.empty()) options.run_dir = options.data_dir + "/run";
}

/// Asks the labels' own parser, so that the option means what the label means.
Status CheckDomainAlgo(const Options& options) {
  if (options.domain_algo.empty()) return Ok();
  labels::ParseOptions parse;
  parse.source = labels::Source::kEnvironment;
  parse.separator = options.separator;
  parse.domain_algo = options.domain_algo;
  const auto parsed = labels::ParseParameters(
      model::ServiceName("probe"), {{"serviceDomain", "a.example"}, {"port", "80"}}, parse);
  for (const model::Diagnostic& diagnostic : parsed.diagnostics) {
    if (parsed.spec && diagnostic.severity != model::Severity::kError) continue;
    return Fail(Code::kInvalidArgument,
                "SERVICE_DOMAIN_ALGO=" + Printable(options.domain_algo, 100) + ": " +
                    diagnostic.message + (diagnostic.hint.empty() ? "" : "; " + diagnostic.hint));
  }
  return Ok();
}

/// Users of every service, and the secrets that services may name.
Status FillUsers(const OptionSources& sources, Options& options) {
  options.users.secrets = sources.user_secrets;
  if (options.users_text.empty()) return Ok();
  auto users = labels::ParseUsers(options.users_text, options.users_encrypted);
  if (!users) return Fail(users.error().code, "USERS: " + users.error().message);
  options.users.global = std::move(*users);
  return Ok();
}

/// What a role needs, and what it does not.
Status FitRole(Options& options) {
  if (options.role == Role::kListener && options.docker_host.empty()) {
    return Fail(Code::kInvalidArgument,
                "ROLE=listener with DOCKER_HOST=none hears nothing; give it a DOCKER_HOST");
  }
  if (options.role == Role::kListener) options.haproxy_user.reset();
  if (options.role != Role::kProxy) return Ok();
  if (options.peers.empty() && options.consul_servers.empty() && options.mode != "swarm") {
    return Fail(Code::kInvalidArgument,
                "ROLE=proxy hears of Docker by another replica; say where they are: PEERS=a:8080, "
                "or MODE=swarm");
  }
  options.docker_host.clear();
  return Ok();
}

/// What several options together say.
Status CheckTogether(const OptionSources& sources, const std::map<std::string, std::string>& flags,
                     Options& options) {
  if (options.binds.empty()) {
    return Fail(Code::kInvalidArgument,
                "DEFAULT_PORTS and BIND_PORTS name no port that can be bound; write for example "
                "DEFAULT_PORTS=80");
  }
  if (const Status good = ComposeExtras(
          [&](const std::string& name) -> std::optional<std::string> {
            auto found = FindSecret(name, sources);
            if (!found) found = FindVariable(name, sources);
            return found ? std::optional(found->value) : std::nullopt;
          },
          flags, options);
      !good) {
    return good;
  }
  for (const haproxy::Bind& bind : options.binds) {
    if (bind.port == options.port) {
      return Fail(Code::kInvalidArgument,
                  "port " + std::to_string(bind.port) +
                      " is both a port for requests (DEFAULT_PORTS, BIND_PORTS) and the admin "
                      "API's (PORT); choose another PORT");
    }
  }
  if (const Status good = CheckDomainAlgo(options); !good) return good;
  if (const Status good = FillUsers(sources, options); !good) return good;
  FillDirectories(sources, options);
  // A unix socket's path has at most 107 bytes; HAProxy binds "<path>.<pid>.tmp" first.
  constexpr std::size_t kMostRunDir = 75;
  if (options.run_dir.size() > kMostRunDir) {
    return Fail(Code::kInvalidArgument, "RUN_DIR=" + options.run_dir +
                                            ": too long for a unix socket; choose one of at most " +
                                            std::to_string(kMostRunDir) +
                                            " characters, for example RUN_DIR=/run/swarmgate");
  }
  if (sources.root) {
    if (!options.haproxy_user) options.haproxy_user = "haproxy";
  } else if (options.haproxy_user) {
    options.warnings.push_back("HAPROXY_USER=" + *options.haproxy_user +
                               " has no effect: only root can start HAProxy as another user");
    options.haproxy_user.reset();
  }
  if (const Status good = FitRole(options); !good) return good;
  if (options.consul_cert_file.empty() != options.consul_key_file.empty()) {
    return Fail(Code::kInvalidArgument,
                "CONSUL_CLIENT_CERT and CONSUL_CLIENT_KEY go together; give both or none");
  }
  if (!options.consul_servers.empty() && options.cert_key.empty() &&
      options.cert_key_file.empty()) {
    options.warnings.emplace_back(
        "without CERT_KEY (the same for every replica), private keys of certificates that come in "
        "by the API lie in Consul as they are");
  }
  if (options.mode == "swarm") options.admin_allow_remote = true;
  if (options.admin_allow_remote && options.admin_token.empty()) {
    options.warnings.emplace_back(
        "the admin API takes changing calls from everybody who can reach it (MODE=swarm or "
        "ADMIN_ALLOW_REMOTE); set ADMIN_TOKEN, or publish its port nowhere");
  }
  return Ok();
}

std::optional<std::string> ReadSecret(const std::string& name) {
  std::ifstream file("/run/secrets/" + name, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text(kMaxValue + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

/// The secrets dfp_users_<suffix>, by suffix.
std::map<std::string, std::string> ReadUserSecrets() {
  constexpr std::string_view kPrefix = "dfp_users_";
  std::map<std::string, std::string> secrets;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/run/secrets", error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    if (auto text = ReadSecret(name); text && text->size() <= kMaxValue) {
      secrets.emplace(name.substr(kPrefix.size()), std::move(*text));
    }
  }
  return secrets;
}

}  // namespace

OptionSources SystemSources(std::vector<std::string> arguments) {
  OptionSources sources;
  sources.arguments = std::move(arguments);
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    sources.environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  sources.secret = ReadSecret;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/run/secrets", error)) {
    sources.secret_names.push_back(entry.path().filename().string());
  }
  std::sort(sources.secret_names.begin(), sources.secret_names.end());
  sources.user_secrets = ReadUserSecrets();
  sources.root = geteuid() == 0;
  return sources;
}

Result<Options> ReadOptions(const OptionSources& sources) {
  const auto flags = ParseFlags(sources.arguments);
  if (!flags) return Forward(flags.error());
  Options options;
  if (flags->count("configs-path") != 0) {
    options.warnings.emplace_back(
        "--configs-path has no effect: Swarmgate keeps its files in DATA_DIR");
  }
  for (const OptionRow& row : OptionTable()) {
    std::optional<Found> found = Find(row, *flags, sources);
    if (!found && *row.fallback != '\0') found = Found{row.fallback, row.name};
    if (!found) continue;
    if (const Status applied = Apply(row, *found, options); !applied) {
      return Forward(applied.error());
    }
  }
  if (const Status good = CheckTogether(sources, *flags, options); !good)
    return Forward(good.error());
  for (std::string& said : OddVariables(sources)) options.warnings.push_back(std::move(said));
  options.static_services = StaticServices(sources.environment);
  return options;
}

std::string RunHelp() {
  std::string text =
      "Usage: swarmgate run [OPTION…]\n\n"
      "Starts Swarmgate: listens to Docker, drives HAProxy, serves the admin API, until it is told "
      "to end.\nEvery option is a flag, an environment variable, or a Docker secret named "
      "dfp_<variable in lower case>;\nthe first one found is taken (see docs/options.md for those "
      "whose secret comes first). DFP_SERVICE_… variables define "
      "services without labels.\n";
  std::string group;
  for (const OptionRow& row : OptionTable()) {
    if (group != row.group) {
      group = row.group;
      text += "\n" + group + ":\n";
    }
    text += "  --" + row.flag() + " " + row.argument + "  (" + row.name + ")\n      " + row.help;
    if (*row.fallback != '\0') text += std::string("; default ") + row.fallback;
    text += "\n";
  }
  return text;
}

std::string OptionsMarkdown() {
  std::string text =
      "# Options of `swarmgate run`\n\n"
      "Generated from the table in `src/app/option_table.cc`; do not edit by hand.\n\n"
      "An option is a flag, else an environment variable, else a Docker secret "
      "`/run/secrets/dfp_<variable in lower case>`: the first one found is taken. With **S** the "
      "secret comes before the variable. An empty variable counts as absent. Secrets are "
      "read at the start: one that is rotated counts from the restart that Swarm makes for it. A "
      "wrong value ends "
      "the program with status 2 and one sentence that says "
      "what to write instead.\n";
  std::string group;
  for (const OptionRow& row : OptionTable()) {
    if (group != row.group) {
      group = row.group;
      text += "\n## " + group + "\n\n| Variable | Flag | Default | Meaning |\n|---|---|---|---|\n";
    }
    text += std::string("| `") + row.name + (SecretWins(row.name) ? "` **S** | `--" : "` | `--") +
            row.flag() + " " + row.argument + "` | " +
            (*row.fallback == '\0' ? std::string("–") : "`" + std::string(row.fallback) + "`") +
            " | " + row.help + " |\n";
  }
  text +=
      "\n## Services without labels\n\n"
      "`DFP_SERVICE_<PARAMETER>` and `DFP_SERVICE_<n>_<PARAMETER>` define services by environment "
      "variables. `<PARAMETER>` is the label's name in upper snake case (`servicePath` → "
      "`SERVICE_PATH`), with `_1` … `_10` behind it for the indexed form. `SERVICE_NAME` is "
      "mandatory.\n";
  text +=
      "\n## Variables that need not be set any more\n\n"
      "Those of Docker Flow Proxy and its listener. Where one is set to something else than its "
      "default, a line `OPTION` at start says what stands here; so does a name with `DFP_` or "
      "`DF_` "
      "that nobody knows, and one that looks like a misspelled option.\n\n"
      "| Variable | Why |\n|---|---|\n";
  for (const ReplacedVariable& variable : ReplacedVariables()) {
    text += std::string("| `") + variable.name + "` | " + variable.instead + " |\n";
  }
  text +=
      "\nFlags of `docker-flow-proxy server` that are understood: `-i`, `-l`, `-n`, `-p`, `-t` "
      "(as `--ip`, `--listener-address`, `--service-name`, `--port`, `--templates-path`), "
      "`--proxy-instance-name`; accepted without effect: `-c`/`--configs-path`. `swarmgate server` "
      "is `swarmgate run`.\n";
  return text;
}

}  // namespace swarmgate::app
