// Any bytes as services and questions, a line each: "S<digit><aclName>" begins a service that is so
// old, "P" "H" "E" add a path, a host, an exclusion to its destination ("=/x" exact, "/x/~"
// segment,
// "*.x" wildcard, "^<digit>" one of a few regexes), "O" sets a port, "D" makes it the default,
// "A" "U" ask for a header and a user agent, "R" "W" give priority and weight, "+"
// begins its next destination, "Q<host> <path>" asks. Precedence and the lookup table must agree.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "swarmgate/base/strings.h"
#include "swarmgate/routing/build.h"

namespace {

using swarmgate::model::DestSpec;
using swarmgate::model::HostMatch;
using swarmgate::model::PathMatch;
using swarmgate::routing::Question;
using swarmgate::routing::ServiceInput;

constexpr std::size_t kMostServices = 24;
constexpr std::array kPathRegexes = {"^/a.*$", "^.*\\.js$", "^(?!/a).*$", "^/(?:a|b)/.*$", "^($"};
constexpr std::array kHostRegexes = {"^[^/|]*a\\.com$", "^(?:a|b)\\.[^/|]*$", "^[^/|]*$"};

template <typename List>
std::string Pick(const List& list, std::string_view text) {
  const std::size_t digit = text.size() > 1 ? static_cast<unsigned char>(text[1]) : 0;
  return list.at(digit % list.size());
}

PathMatch ToPath(std::string_view text) {
  if (text.starts_with('^')) return {PathMatch::Kind::kRegex, Pick(kPathRegexes, text), ""};
  if (text.starts_with('=')) return {PathMatch::Kind::kExact, std::string(text.substr(1)), ""};
  if (text.ends_with("/~")) {
    return {PathMatch::Kind::kSegment, std::string(text.substr(0, text.size() - 2)), ""};
  }
  return {PathMatch::Kind::kPrefix, std::string(text), ""};
}

HostMatch ToHost(std::string_view text) {
  if (text.starts_with('^')) return {HostMatch::Kind::kRegex, Pick(kHostRegexes, text), ""};
  const bool wildcard = text.starts_with('*');
  return {wildcard ? HostMatch::Kind::kWildcard : HostMatch::Kind::kExact,
          std::string(wildcard ? text.substr(1) : text), ""};
}

/// What HAProxy can be asked: no query in the path, no control bytes, and no '|' in the host.
std::optional<Question> ToQuestion(std::string_view text, std::size_t number) {
  const std::size_t space = text.find(' ');
  Question question;
  question.host = std::string(text.substr(0, space));
  question.path = space == std::string_view::npos ? "" : std::string(text.substr(space + 1));
  question.port = static_cast<std::uint16_t>(80 + number % 2);
  if (number % 3 == 1) question.headers = {{"X-A", "1, 2"}, {"User-Agent", "CURL"}};
  if (number % 3 == 2) question.headers = {{"x-a", "b"}, {"X-A", "2"}, {"User-Agent", "1.a.b"}};
  if (!question.path.empty() && question.path.front() != '/') return std::nullopt;
  for (const char c : question.host + question.path) {
    if (static_cast<unsigned char>(c) < 0x20 || c == '?' || c == '#') return std::nullopt;
  }
  if (question.host.find('|') != std::string::npos) return std::nullopt;
  return question;
}

void Begin(std::vector<ServiceInput>& services, std::string_view text) {
  ServiceInput service;
  service.spec.Edit().name = swarmgate::model::ServiceName("s" + std::to_string(services.size()));
  service.spec.Edit().acl_name = service.spec.Edit().name.str();
  if (!text.empty()) service.created_unix_ns = text[0];
  if (text.size() > 1) {
    service.spec.Edit().acl_name = std::string(text.substr(1));
    service.spec.Edit().acl_name_given = true;
  }
  service.spec.Edit().dests.emplace_back().port = 80;
  services.push_back(std::move(service));
}

void Change(ServiceInput& service, char what, std::string_view text) {
  DestSpec& dest = service.spec.Edit().dests.back();
  if (what == 'P') dest.paths.push_back(ToPath(text));
  if (what == 'H') dest.hosts.push_back(ToHost(text));
  if (what == 'E') dest.path_excludes.push_back(ToPath(text));
  if (what == 'O') dest.src_port = static_cast<std::uint16_t>(80 + text.size() % 2);
  if (what == 'D') service.spec.Edit().default_backend = true;
  if (what == 'A' && text.size() < 60) {
    // As parsed: a printable value that is trimmed and not empty.
    std::string value;
    for (const char c : swarmgate::Trim(text)) value += c > 0x20 && c < 0x7f ? c : '_';
    if (!value.empty()) dest.headers = {{"x-a", value}};
  }
  if (what == 'U' && !text.empty()) dest.user_agents = {text.size() % 2 == 0 ? "curl" : "a.b"};
  if (what == 'R') dest.priority = static_cast<std::uint32_t>(text.size());
  if (what == 'W') dest.weight = swarmgate::model::Weight{text.size() % 2 == 0, 7};
  if (what == '+' && service.spec.Edit().dests.size() < 4) {
    const int index = dest.index + 1;
    DestSpec& next = service.spec.Edit().dests.emplace_back();
    next.index = index;
    next.port = 80;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::vector<ServiceInput> services;
  std::vector<Question> questions;
  for (const std::string_view line : swarmgate::Split(input, '\n')) {
    if (line.empty()) continue;
    const std::string_view rest = line.substr(1);
    if (line[0] == 'S' && services.size() < kMostServices) Begin(services, rest);
    if (line[0] == 'Q') {
      if (auto question = ToQuestion(rest, questions.size())) questions.push_back(*question);
    } else if (!services.empty()) {
      Change(services.back(), line[0], rest);
    }
  }
  const auto built =
      swarmgate::routing::Build(swarmgate::routing::MakeInputs(std::move(services)), {}).desired;
  for (const Question& question : questions) {
    const auto explanation = swarmgate::routing::Explain(built.routes, question);
    const auto found = swarmgate::routing::Lookup(built.matches, question);
    if (explanation.winner != (found ? std::optional(found->route) : std::nullopt)) std::abort();
  }
  return 0;
}
