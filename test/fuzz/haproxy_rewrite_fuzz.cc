// Users' regexes and replacements: whatever they are, one map line comes of it, or an objection.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "haproxy/quote.h"
#include "haproxy/regex.h"
#include "swarmgate/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace swarmgate::haproxy;  // NOLINT(google-build-using-namespace)
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::size_t middle = text.find('\n');
  swarmgate::model::PathRewrite rewrite;
  rewrite.search = text.substr(0, middle);
  if (middle != std::string::npos) rewrite.replace = text.substr(middle + 1);
  const auto line = RewriteLine("0123456789abcdef", 1, rewrite);
  SWARMGATE_CHECK(line.has_value() == WhyNotRewritable(rewrite).empty());
  if (line) {
    SWARMGATE_CHECK(IsMapWord(line->first) && IsMapWord(line->second));
    SWARMGATE_CHECK(EscapeArgument(line->first).find('\n') == std::string::npos);
  }
  if (WhyNotMappable(rewrite.search).empty() && rewrite.search.size() < 1000) {
    swarmgate::model::MatchCandidate candidate;
    candidate.port = 80;
    candidate.path_regex = rewrite.search;
    SWARMGATE_CHECK(IsMapWord(GroupKey("~0123456789abcdef", candidate)));
  }
  if (const auto key = HostKey(rewrite.search)) {
    SWARMGATE_CHECK(IsMapWord(*key) && key->find("<<") == std::string::npos);
  }
  return 0;
}
