#include "app/commands.h"

#include <algorithm>
#include <cstdio>

#include "app/client.h"
#include "app/table.h"
#include "swarmgate/app/main.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/codec/json.h"

namespace swarmgate::app {
namespace {

using codec::JsonValue;

void Print(std::string_view text) { (void)std::fwrite(text.data(), 1, text.size(), stdout); }

void PrintLine(std::string_view text) {
  Print(text);
  Print("\n");
}

/// A text of the answer as it may be shown on a terminal.
std::string Shown(const JsonValue& value) { return Printable(value.StringOr(), 1000); }

/// What every command does with an answer: unreachable is 3, a refusal is told and is 1, a success
/// is handed on.
template <typename Show>
int Answer(const CommandLine& line, const Result<http::Response>& response, Show show) {
  if (!response) {
    std::fprintf(stderr,
                 "swarmgate: no answer from %s: %s\n"
                 "Is it running? Say where with --address, or with PORT in the environment.\n",
                 line.address.c_str(), response.error().message.c_str());
    return kExitUnreachable;
  }
  const auto json = JsonValue::Parse(response->body);
  if (!json) {
    std::fprintf(stderr, "swarmgate: %s does not answer as Swarmgate does (HTTP %d)\n",
                 line.address.c_str(), response->status);
    return kExitUnreachable;
  }
  if (line.json) {
    PrintLine(response->body);
    return response->status < 400 ? kExitOk : kExitProblem;
  }
  if (response->status >= 400) {
    const std::string message = (*json)["Message"].StringOr("refused");
    std::fprintf(stderr, "swarmgate: %s (HTTP %d)\n", Printable(message, 2000).c_str(),
                 response->status);
    for (const JsonValue& diagnostic : (*json)["Diagnostics"].items()) {
      std::fprintf(stderr, "  %s: %s\n", diagnostic["severity"].StringOr().c_str(),
                   Printable(diagnostic["text"].StringOr(), 1000).c_str());
    }
    return kExitProblem;
  }
  return show(*json);
}

void PrintDiagnostics(const JsonValue& diagnostics, const char* title) {
  if (diagnostics.items().empty()) return;
  PrintLine(title);
  for (const JsonValue& diagnostic : diagnostics.items()) {
    PrintLine("  " + diagnostic["severity"].StringOr() + ": " +
              Printable(diagnostic["text"].StringOr(), 1000));
  }
}

std::string Number(const JsonValue& value) { return std::to_string(value.AsUint64().value_or(0)); }

std::string PartnerLine(const char* name, const JsonValue& partner) {
  const bool good = partner["ok"].AsBool().value_or(false);
  const std::string detail = partner["detail"].StringOr();
  if (!good && detail == "not configured") return std::string(name) + "off";
  return std::string(name) + (good ? "ok  " : "down  ") + Printable(detail, 300);
}

void PrintShared(const JsonValue& shared) {
  if (!shared.is_object()) return;
  const std::string store = Printable(shared["store"].StringOr("shared"), 9);
  std::string text = PartnerLine(
      (store + std::string(10 - std::min<std::size_t>(store.size(), 9), ' ')).c_str(), shared);
  text += (text.ends_with(' ') ? "revision " : ", revision ") + Number(shared["revision"]);
  if (shared["waiting"].AsUint64().value_or(0) > 0) {
    text += "; " + Number(shared["waiting"]) + " changes wait to be written";
    const std::string reason = shared["waitingReason"].StringOr();
    if (!reason.empty()) text += " (" + Printable(reason, 200) + ")";
  }
  PrintLine(text);
  for (const JsonValue& replica : shared["replicas"].items()) {
    const auto behind = replica["behind"].AsUint64().value_or(0);
    PrintLine("replica   " + Printable(replica["id"].StringOr()) + " at " +
              Printable(replica["address"].StringOr()) + ", revision " +
              Number(replica["revision"]) +
              (behind > 0 ? ", " + std::to_string(behind) + " behind" : ""));
  }
}

int RunStatus(const CommandLine& line) {
  if (!line.words.empty()) return UsageError("status takes no arguments");
  AdminClient client(line);
  return Answer(line, client.Get("/v1/status"), [](const JsonValue& json) {
    const bool ready = json["ready"].AsBool().value_or(false);
    const bool proxy = json["haproxy"]["ok"].AsBool().value_or(false);
    PrintLine("Swarmgate " + json["version"].StringOr() + ", instance " +
              Printable(json["instance"].StringOr()) + ": " +
              (ready ? "ready" : "not ready: " + Printable(json["reason"].StringOr())));
    PrintLine("revision  " + Number(json["revision"]) + ", last change " +
              (json["changed"].StringOr().empty() ? "none" : json["changed"].StringOr()));
    PrintLine(PartnerLine("haproxy   ", json["haproxy"]));
    PrintLine(PartnerLine("docker    ", json["docker"]));
    PrintLine(PartnerLine("store     ", json["store"]));
    PrintShared(json["shared"]);
    std::string services;
    for (const auto& [state, count] : json["services"].members()) {
      services += (services.empty() ? "" : ", ") + Number(count) + " " + state;
    }
    PrintLine("services  " + (services.empty() ? "none" : services));
    PrintLine("routes    " + Number(json["routes"]) + " to " + Number(json["backends"]) +
              " backends; " + Number(json["drainingServers"]) + " servers drain");
    std::string reloads;
    for (const auto& [reason, count] : json["counters"]["reloads"].members()) {
      reloads += (reloads.empty() ? "" : ", ") + Number(count) + " " + reason;
    }
    PrintLine("reloads   " + (reloads.empty() ? "none" : reloads));
    PrintDiagnostics(json["diagnostics"], "problems:");
    return ready && proxy ? kExitOk : kExitProblem;
  });
}

int RunHealth(const CommandLine& line) {
  if (!line.words.empty()) return UsageError("health takes no arguments");
  AdminClient client(line);
  return Answer(line, client.Get(line.ready ? "/readyz" : "/healthz"), [](const JsonValue&) {
    PrintLine("ok");
    return kExitOk;
  });
}

int ShowService(const JsonValue& json) {
  PrintLine(Shown(json["name"]) + ": " + Shown(json["state"]) + " (" + Shown(json["origin"]) + ")");
  PrintLine("  " + Printable(json["reason"].StringOr(), 500));
  std::vector<std::vector<std::string>> routes;
  for (const JsonValue& route : json["routes"].items()) {
    const auto port = route["port"].AsUint64();
    const std::string host = route["host"].StringOr();
    routes.push_back({host.empty() ? "*" : host, route["path"].StringOr(),
                      port ? std::to_string(*port) : "", route["backend"].StringOr()});
  }
  if (!routes.empty()) Print("\n" + FormatTable({"HOST", "PATH", "PORT", "BACKEND"}, routes));
  std::vector<std::vector<std::string>> tasks;
  for (const JsonValue& task : json["taskList"].items()) {
    std::string use = task["serving"].AsBool().value_or(false) ? "serving" : "";
    if (task["draining"].AsBool().value_or(false)) use = "draining";
    tasks.push_back({task["id"].StringOr().substr(0, 25), task["state"].StringOr(),
                     task["address"].StringOr(), use, task["reason"].StringOr()});
  }
  if (!tasks.empty()) {
    Print("\n" + FormatTable({"TASK", "STATE", "ADDRESS", "USE", "REASON"}, tasks));
  }
  PrintDiagnostics(json["diagnostics"], "\nproblems:");
  return kExitOk;
}

int RunServices(const CommandLine& line) {
  if (line.words.size() > 1) return UsageError("services takes at most one name");
  AdminClient client(line);
  if (!line.words.empty()) {
    return Answer(line, client.Get("/v1/services/" + http::EscapeQuery(line.words[0])),
                  ShowService);
  }
  return Answer(line, client.Get("/v1/services"), [](const JsonValue& json) {
    std::vector<std::vector<std::string>> rows;
    for (const JsonValue& service : json["services"].items()) {
      rows.push_back({service["name"].StringOr(), service["state"].StringOr(),
                      service["origin"].StringOr(),
                      Number(service["serving"]) + "/" + Number(service["tasks"]),
                      Number(service["routes"]), service["reason"].StringOr()});
    }
    const auto others = json["ofOtherInstances"].AsUint64().value_or(0);
    if (!rows.empty()) {
      Print(FormatTable({"SERVICE", "STATE", "ORIGIN", "SERVING", "ROUTES", "REASON"}, rows));
    } else if (others == 0) {
      PrintLine(
          "No services. Label one with com.df.notify=true, com.df.servicePath and com.df.port.");
    } else {
      PrintLine("No services of this instance.");
    }
    if (others > 0) {
      PrintLine(std::to_string(others) + (others == 1 ? " service is" : " services are") +
                " left to other instances (FILTER_PROXY_INSTANCE_NAME): their "
                "com.df.proxyInstanceName is not this one's PROXY_INSTANCE_NAME.");
    }
    return kExitOk;
  });
}

int RunRoutes(const CommandLine& line) {
  if (!line.words.empty()) return UsageError("routes takes no arguments");
  AdminClient client(line);
  return Answer(line, client.Get("/v1/routes"), [](const JsonValue& json) {
    std::vector<std::vector<std::string>> rows;
    for (const JsonValue& route : json["routes"].items()) {
      const auto port = route["port"].AsUint64();
      const std::string host = route["host"].StringOr();
      rows.push_back({host.empty() ? "*" : host, route["path"].StringOr(),
                      port ? std::to_string(*port) : "", route["service"].StringOr(),
                      route["backend"].StringOr(), route["rank"].StringOr()});
    }
    if (rows.empty()) {
      PrintLine("No routes.");
    } else {
      Print(FormatTable({"HOST", "PATH", "PORT", "SERVICE", "BACKEND", "RANK"}, rows));
    }
    return kExitOk;
  });
}

int RunWhy(const CommandLine& line) {
  if (line.words.empty()) return UsageError("why takes a URL, for example http://a.com/demo");
  std::string headers;
  for (std::size_t i = 1; i < line.words.size(); ++i) headers += line.words[i] + "\n";
  AdminClient client(line);
  const auto response =
      client.Get("/v1/why" + QueryText({{"url", line.words[0]}, {"header", headers}}));
  if (line.json && response && response->status < 400) {
    const auto json = JsonValue::Parse(response->body);
    PrintLine(response->body);
    return json && !(*json)["winner"].StringOr().empty() ? kExitOk : kExitProblem;
  }
  const int answered = Answer(line, response, [](const JsonValue& json) {
    const bool found = !json["winner"].StringOr().empty();
    if (found) {
      PrintLine("service " + Shown(json["service"]) + ", backend " + Shown(json["backend"]) +
                ", route " + Shown(json["winner"]));
    } else {
      PrintLine("no route");
    }
    PrintLine("  " + Printable(json["reason"].StringOr(), 500));
    if (found) {
      std::string servers;
      for (const JsonValue& server : json["servers"].items()) {
        servers += (servers.empty() ? "" : ", ") + Shown(server);
      }
      PrintLine("  " + Shown(json["serviceState"]) + ": " +
                Printable(json["serviceReason"].StringOr(), 500));
      PrintLine("  servers: " + (servers.empty() ? "none" : servers));
    }
    std::vector<std::vector<std::string>> rows;
    for (const JsonValue& candidate : json["candidates"].items()) {
      std::string mark;
      if (candidate["matches"].AsBool().value_or(false)) mark = "matches";
      if (candidate["wins"].AsBool().value_or(false)) mark = "wins";
      rows.push_back({mark, candidate["route"].StringOr(), candidate["reason"].StringOr()});
    }
    if (!rows.empty()) Print("\n" + FormatTable({"", "ROUTE", "REASON"}, rows));
    return found ? kExitOk : kExitProblem;
  });
  // "No route" is an answer; a URL that is none gets none.
  return response && response->status == 400 ? kExitUsage : answered;
}

int ShowOutcome(const JsonValue& json, const std::string& done) {
  const std::string message = json["Message"].StringOr();
  PrintLine(message.empty() ? done : Printable(message, 1000));
  if (!json["Persisted"].AsBool().value_or(true)) {
    PrintLine("  not stored yet: the store does not answer; it is tried again");
  }
  PrintDiagnostics(json["Diagnostics"], "problems:");
  return kExitOk;
}

int RunReconfigure(const CommandLine& line) {
  if (line.words.empty()) return UsageError("reconfigure takes a name and parameters");
  std::vector<std::pair<std::string, std::string>> query = {{"serviceName", line.words[0]}};
  for (std::size_t i = 1; i < line.words.size(); ++i) {
    const auto equals = line.words[i].find('=');
    if (equals == std::string::npos || equals == 0) {
      return UsageError("'" + Printable(line.words[i], 80) + "' is not <parameter>=<value>");
    }
    query.emplace_back(line.words[i].substr(0, equals), line.words[i].substr(equals + 1));
  }
  AdminClient client(line);
  return Answer(
      line, client.Post("/v1/docker-flow-proxy/reconfigure" + QueryText(query)),
      [&](const JsonValue& json) {
        // Accepted is not yet served: its name may not resolve, another service may own the path.
        const auto service = client.Get("/v1/services/" + http::EscapeQuery(line.words[0]));
        const auto state = service ? JsonValue::Parse(service->body) : Fail(Code::kNotFound, "");
        std::string done = "service " + line.words[0] + " is accepted";
        if (state && (*state)["state"].is_string()) {
          done = "service " + line.words[0] + ": " + (*state)["state"].StringOr() + ", " +
                 Printable((*state)["reason"].StringOr(), 500);
        }
        return ShowOutcome(json, done);
      });
}

int RunRemove(const CommandLine& line) {
  if (line.words.size() != 1) return UsageError("remove takes one name");
  AdminClient client(line);
  return Answer(
      line,
      client.Post("/v1/docker-flow-proxy/remove" + QueryText({{"serviceName", line.words[0]}})),
      [&](const JsonValue& json) {
        return ShowOutcome(json, "service " + line.words[0] + " is removed");
      });
}

int RunCerts(const CommandLine& line) {
  if (!line.words.empty()) return UsageError("certs takes no arguments");
  AdminClient client(line);
  return Answer(line, client.Get("/v1/docker-flow-proxy/certs"), [](const JsonValue& json) {
    std::vector<std::vector<std::string>> rows;
    for (const JsonValue& cert : json["Certs"].items()) {
      std::string names;
      for (const JsonValue& name : cert["Served"].items()) {
        names += (names.empty() ? "" : ",") + Shown(name);
      }
      rows.push_back({Shown(cert["Name"]), Shown(cert["Source"]),
                      cert["Default"].AsBool().value_or(false) ? "default" : "",
                      Shown(cert["NotAfter"]), Shown(cert["KeyKind"]), names});
    }
    if (rows.empty()) {
      PrintLine("No certificates: ports with TLS answer with a self-signed one.");
    } else {
      Print(FormatTable({"NAME", "SOURCE", "", "EXPIRES", "KEY", "ANSWERS FOR"}, rows));
    }
    return kExitOk;
  });
}

Status ShowEvent(std::string_view text, bool raw) {
  if (Trim(text).empty()) return Ok();
  if (raw) {
    PrintLine(text);
  } else if (const auto json = JsonValue::Parse(text)) {
    std::string row = (*json)["time"].StringOr() + " " + (*json)["level"].StringOr() + " " +
                      (*json)["id"].StringOr() + " " + Printable((*json)["text"].StringOr(), 1000);
    for (const auto& [name, value] : (*json)["fields"].members()) {
      row += " " + name + "=" + codec::JsonQuote(value.StringOr());
    }
    PrintLine(row);
  }
  if (std::fflush(stdout) != 0) return Fail(Code::kCancelled, "nobody reads");
  return Ok();
}

int RunEvents(const CommandLine& line) {
  if (!line.words.empty()) return UsageError("events takes no arguments");
  AdminClient client(line);
  std::vector<std::pair<std::string, std::string>> query = {{"after", std::to_string(line.after)}};
  if (line.follow) query.emplace_back("follow", "true");
  const auto response = client.Lines("/v1/events" + QueryText(query), [&](std::string_view text) {
    return ShowEvent(text, line.json);
  });
  if (!response && line.follow && response.error().code == Code::kUnavailable) {
    std::fprintf(stderr, "swarmgate: the stream ended: %s\n", response.error().message.c_str());
    return kExitUnreachable;
  }
  if (response && response->status < 400) return kExitOk;
  return Answer(line, response, [](const JsonValue& json) {
    (void)json;
    return kExitOk;
  });
}

}  // namespace

const std::vector<Command>& Commands() {
  static const std::vector<Command> commands = {
      {"status", "status", "how the instance and its partners are",
       "Exit status 1 when it is not ready, or HAProxy does not answer.", RunStatus},
      {"health", "health [--ready]", "whether it serves, for health checks",
       "Exit status 1 when HAProxy does not answer. Whether Docker does is no part of it: routes "
       "are\n"
       "served without it, too. --ready: also while what is to be served at start is not yet.",
       RunHealth},
      {"services", "services [NAME]", "all services and their states, or one in full",
       "One service is shown with its routes, its tasks and what is wrong with its labels.",
       RunServices},
      {"routes", "routes", "all routes in order of precedence", "", RunRoutes},
      {"certs", "certs", "all certificates, the names that they answer for, and when they expire",
       "", RunCerts},
      {"why", "why URL [HEADER]…", "which route gets a request, and why",
       "Exit status 1 when no route does, 2 when URL is none. Example: swarmgate why "
       "http://a.com/demo X-Version:3",
       RunWhy},
      {"lint", "lint FILE", "what would be done with the labels in a file, without a daemon",
       "FILE is a stack or compose file (YAML), or the output of docker inspect or docker service\n"
       "inspect (JSON); - reads standard input. --label-prefix PREFIX where it is not com.df., "
       "--allow-raw-config where the operator has set ALLOW_RAW_CONFIG (templates are read from "
       "--templates-path DIR).\n"
       "Exit status 1 when a service would not be served as it is written; also when it asks for\n"
       "routes and does not opt in (com.df.notify=false is an answer).",
       RunLint},
      {"import-consul", "import-consul [ADDRESSES]",
       "define what the first releases of Docker Flow Proxy kept in Consul",
       "Each service is a call of reconfigure, and what is wrong with it is said. Keys are read "
       "below\nPROXY_INSTANCE_NAME and left as they are; ADDRESSES, token and certificates as "
       "CONSUL_… of `run`.\nServices that were removed may be among them: those releases did not "
       "delete their keys.",
       RunImportConsul},
      {"reconfigure", "reconfigure NAME PARAMETER=VALUE…", "defines or overrides a service",
       "Example: swarmgate reconfigure web servicePath=/ port=8080 outboundHostname=10.0.0.5",
       RunReconfigure},
      {"remove", "remove NAME", "takes a service's routes away",
       "A service that was defined by labels stays away until its labels change.", RunRemove},
      {"events", "events [--follow] [--after N]", "what happened lately", "", RunEvents},
  };
  return commands;
}

int UsageError(std::string_view message) {
  std::fprintf(stderr, "swarmgate: %.*s\n", static_cast<int>(message.size()), message.data());
  return kExitUsage;
}

}  // namespace swarmgate::app
