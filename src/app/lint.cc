#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

#include "app/commands.h"
#include "app/lint_input.h"
#include "app/lint_report.h"
#include "app/template_files.h"
#include "swarmgate/app/main.h"
#include "swarmgate/app/options.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::app {
namespace {

constexpr std::streamsize kMaxBytes = 8 << 20;

Result<std::string> ReadInput(const std::string& path) {
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file) return Fail(Code::kNotFound, "cannot be opened");
  }
  std::istream& input = path == "-" ? std::cin : file;
  std::string text(static_cast<std::size_t>(kMaxBytes) + 1, '\0');
  input.read(text.data(), kMaxBytes + 1);
  if (input.bad()) return Fail(Code::kUnavailable, "cannot be read");
  if (input.gcount() > kMaxBytes) return Fail(Code::kInvalidArgument, "larger than 8 MiB");
  text.resize(static_cast<std::size_t>(input.gcount()));
  return text;
}

}  // namespace

int RunLint(const CommandLine& line) {
  if (line.words.size() != 1) return UsageError("lint takes one file, or - for standard input");
  const std::string& path = line.words[0];
  const auto text = ReadInput(path);
  if (!text) return UsageError(Printable(path, 200) + ": " + text.error().message);
  auto services = ReadLintInput(*text, line.prefix, SystemSources({}).environment);
  if (!services) {
    std::fprintf(stderr, "swarmgate: %s: %s\n", Printable(path, 200).c_str(),
                 services.error().message.c_str());
    return kExitProblem;
  }
  LintOptions options;
  options.prefix = line.prefix;
  options.allow_raw = line.allow_raw_config;
  options.read_template = [&line](const std::string& template_path) {
    return ReadTemplate(line.templates_path, template_path);
  };
  const LintReport report = Lint(*std::move(services), options);
  const std::string shown = line.json ? LintJson(report) + "\n" : LintText(report);
  (void)std::fwrite(shown.data(), 1, shown.size(), stdout);
  return report.errors == 0 ? kExitOk : kExitProblem;
}

}  // namespace swarmgate::app
