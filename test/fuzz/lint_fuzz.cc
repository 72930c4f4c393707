// Any file for `swarmgate lint`: an answer in bounded time, and one that is valid JSON.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "app/lint_input.h"
#include "app/lint_report.h"
#include "swarmgate/codec/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  auto services = swarmgate::app::ReadLintInput(text, "com.df.", {{"DOMAIN", "a.com"}});
  if (!services) return services.error().message.empty() ? std::abort(), 1 : 0;
  const auto report = swarmgate::app::Lint(*std::move(services), {});
  if (!swarmgate::codec::JsonValue::Parse(swarmgate::app::LintJson(report))) std::abort();
  if (swarmgate::app::LintText(report).empty()) std::abort();
  return 0;
}
