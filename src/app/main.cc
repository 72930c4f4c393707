#include "swarmgate/app/main.h"

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/controller.h"
#include "app/supervisor.h"
#include "app/table.h"
#include "swarmgate/app/options.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/codec/json.h"

namespace swarmgate::app {
namespace {

constexpr const char* kCommonFlags =
    "  --address URL      the admin API; default: SWARMGATE_ADDRESS, else IP and PORT, else\n"
    "                     http://127.0.0.1:8080\n"
    "  --token TOKEN      default: ADMIN_TOKEN\n"
    "  -o, --output FORM  table (default) or json\n"
    "Exit status: 0 ok, 1 a problem or a refusal, 2 wrong arguments, 3 no answer.\n";

std::string Usage() {
  std::vector<std::vector<std::string>> rows;
  for (const Command& command : Commands()) rows.push_back({"", command.name, command.summary});
  rows.push_back({"", "version", "prints the version"});
  return "Swarmgate " SWARMGATE_VERSION
         ": the edge of a Docker Swarm\n\n"
         "Usage: swarmgate COMMAND [ARGUMENT…]\n\n" +
         FormatTable({"", "run", "starts it"}, rows) + "\nEvery command has --help.\n";
}

int RunOrControl(const std::string& name, const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--help" || argument == "-h") {
      std::fputs(RunHelp().c_str(), stdout);
      return kExitOk;
    }
  }
  const auto options = ReadOptions(SystemSources(arguments));
  if (!options) return UsageError(options.error().message);
  return name == "controller" ? RunController(*options) : RunSupervisor(*options, arguments);
}

int RunVersion(const std::vector<std::string>& arguments) {
  const auto line = ParseCommandLine(arguments, {});
  if (!line) return UsageError(line.error().message);
  if (!line->words.empty()) return UsageError("version takes no arguments");
  if (line->help) {
    std::puts("Usage: swarmgate version [-o json]\n\nPrints the version.");
  } else if (line->json) {
    std::puts("{\"version\":\"" SWARMGATE_VERSION "\"}");
  } else {
    std::puts("swarmgate " SWARMGATE_VERSION);
  }
  return kExitOk;
}

int RunCommand(const Command& command, const std::vector<std::string>& arguments) {
  const auto line = ParseCommandLine(arguments, SystemSources({}).environment);
  if (!line) {
    return UsageError(line.error().message + "; see swarmgate " + command.name + " --help");
  }
  if (line->help) {
    std::printf("Usage: swarmgate %s [FLAG…]\n\n%s.\n", command.usage, command.summary);
    if (*command.help != '\0') std::printf("%s\n", command.help);
    std::printf("\n%s", kCommonFlags);
    return kExitOk;
  }
  return command.run(*line);
}

int Dispatch(const std::vector<std::string>& words) {
  if (words.empty()) {
    std::fputs(Usage().c_str(), stderr);
    return kExitUsage;
  }
  const std::string& name = words[0];
  const std::vector<std::string> rest(words.begin() + 1, words.end());
  // "server" is what Docker Flow Proxy's image runs.
  if (name == "run" || name == "server" || name == "controller") return RunOrControl(name, rest);
  if (name == "version" || name == "--version") return RunVersion(rest);
  if (name == "help" || name == "--help" || name == "-h") {
    std::fputs(Usage().c_str(), stdout);
    return kExitOk;
  }
  std::vector<std::string> names = {"run", "version"};
  for (const Command& command : Commands()) {
    if (name == command.name) return RunCommand(command, rest);
    names.emplace_back(command.name);
  }
  const auto close = ClosestMatch(name, names);
  return UsageError("there is no command '" + Printable(name, 60) + "'" +
                    (close ? "; did you mean " + *close + "?" : "; see swarmgate --help"));
}

}  // namespace

int Main(int argc, char** argv) {
  try {
    return Dispatch(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "swarmgate: unexpected error: %s\n", error.what());
    return kExitProblem;
  }
}

}  // namespace swarmgate::app
