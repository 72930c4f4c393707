// How long a regex may keep HAProxy busy. PCRE backtracks, and HAProxy matches in its event loop:
// a regex that takes long on some path stops all traffic of a thread. So what can take more than
// quadratic time is refused, by its structure first and by trying it second.
#pragma once

#include <string>
#include <string_view>

#include "labels/regex_tree.h"

namespace swarmgate::labels {

/// Refuses loops over ambiguous groups such as (a+)+ or (a|a)*, more than two loops over the same
/// bytes such as .*a.*b.*c, and expressions that expand to more than some thousand states.
/// The expression is looked for at every position, unless it begins with ^ or with `any` (".*").
[[nodiscard]] RegexProblem CheckStructure(const RegexNode& root, std::string_view any);

/// Compiles `regex` as HAProxy does (PCRE2; groups are captured only where it captures) and tries
/// it on texts made to fail late, derived from `root`, with a limit on the steps.
[[nodiscard]] RegexProblem CompileAndProbe(const std::string& regex, const RegexNode& root,
                                           bool captures);

}  // namespace swarmgate::labels
