#include <array>

#include "swarmgate/base/strings.h"
#include "swarmgate/haproxy/image.h"

namespace swarmgate::haproxy {

Result<Version> ParseVersion(const std::string& text) {
  // "HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/", before 2.4 "HA-Proxy
  // version …".
  constexpr std::string_view kWord = " version ";
  const std::size_t word = text.find(kWord);
  if (text.rfind("HA", 0) != 0 || word == std::string::npos || word > 16) {
    return Fail(Code::kCorrupt, "not the version text of a HAProxy: " + Printable(text, 80));
  }
  std::array<int, 3> numbers{};
  std::size_t at = word + kWord.size();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789", at), text.size());
    const auto number = ParseUint(std::string_view(text).substr(at, end - at), 9999);
    if (!number) {
      // "3.1-dev5" has no patch level.
      if (i == 2) break;
      return Fail(Code::kCorrupt, "no version number in: " + Printable(text, 80));
    }
    numbers[i] = static_cast<int>(*number);
    if (end >= text.size() || text[end] != '.') break;
    at = end + 1;
  }
  const Version version{numbers[0], numbers[1], numbers[2]};
  if (version < Version{2, 6, 3}) {
    return Fail(Code::kRejected,
                "HAProxy " + std::to_string(version.major) + "." + std::to_string(version.minor) +
                    "." + std::to_string(version.patch) + " is too old: 2.6.3 or newer is needed");
  }
  return version;
}

}  // namespace swarmgate::haproxy
