#include "routing/regex.h"

#include <cctype>
#include <cstdint>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace swarmgate::routing {
namespace {

constexpr std::uint32_t kMatchLimit = 1'000'000;

}  // namespace

std::optional<Regex> Regex::Compile(const std::string& pattern) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                   PCRE2_NO_AUTO_CAPTURE, &error, &offset, nullptr);
  if (code == nullptr) return std::nullopt;
  return Regex(std::shared_ptr<void>(
      code, [](void* held) { pcre2_code_free(static_cast<pcre2_code*>(held)); }));
}

bool Regex::Search(std::string_view subject) const {
  const auto* code = static_cast<const pcre2_code*>(code_.get());
  pcre2_match_data* data = pcre2_match_data_create(1, nullptr);
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  pcre2_set_match_limit(context, kMatchLimit);
  const int found = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(subject.data()), subject.size(),
                                0, 0, data, context);
  pcre2_match_context_free(context);
  pcre2_match_data_free(data);
  return found >= 0;
}

std::optional<std::string> RegexMiddle(const std::string& regex) {
  if (regex.size() < 2 || regex.front() != '^' || regex.back() != '$') return std::nullopt;
  // "\$" at the end is a dollar.
  std::size_t slashes = 0;
  while (slashes + 2 < regex.size() && regex[regex.size() - 2 - slashes] == '\\') ++slashes;
  if (slashes % 2 != 0) return std::nullopt;
  return "(?:" + regex.substr(1, regex.size() - 2) + ")";
}

std::optional<Regex> Regex::CompileWhole(const std::string& regex) {
  const std::optional<std::string> middle = RegexMiddle(regex);
  if (!middle) return std::nullopt;
  return Compile("^" + *middle + "$");
}

bool MatchesWhole(const std::string& regex, std::string_view text) {
  const std::optional<Regex> compiled = Regex::CompileWhole(regex);
  return compiled && compiled->Search(text);
}

std::string EscapeRegex(std::string_view literal) {
  std::string out;
  out.reserve(literal.size() + 8);
  for (const char c : literal) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte) == 0 && c != '/' && c != '_' && c != '-') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace swarmgate::routing
