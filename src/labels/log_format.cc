#include "labels/log_format.h"

#include <algorithm>
#include <array>
#include <optional>

#include "labels/report.h"
#include "labels/values.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::labels {
namespace {

enum class Argument {
  kNone,
  kName,       ///< of a header, cookie or parameter
  kMaybeName,  ///< may be missing
  kNumber,
  kMaybeNumber,
  kNumberAndText,
  kText,
  kTwoTexts,
  kHost,  ///< HOSTNAME, and no other variable of HAProxy's environment
};

struct Function {
  std::string_view name;
  Argument argument = Argument::kNone;
  bool request = true;
  bool response = true;
  std::string_view instead = {};  ///< written so to HAProxy
};

// What may be told about a request or an answer.
constexpr auto kFetches = std::to_array<Function>({
    {"base", Argument::kNone, true, false},
    {"capture.req.method"},
    {"capture.req.uri"},
    {"cook", Argument::kName, true, false},
    {"date", Argument::kMaybeNumber},
    {"dst"},
    {"dst_port"},
    // HAProxy's environment holds nothing; what the variable would say is asked for directly.
    {"env", Argument::kHost, true, true, "hostname"},
    {"hdr", Argument::kName},
    {"hdr_cnt", Argument::kName, true, false},
    {"hdr_ip", Argument::kName, true, false},
    {"hostname"},
    {"http_auth_user", Argument::kNone, true, false},
    {"int", Argument::kNumber},
    {"method"},
    {"path", Argument::kNone, true, false},
    {"pathq", Argument::kNone, true, false},
    {"query", Argument::kNone, true, false},
    {"rand", Argument::kMaybeNumber},
    {"req.cook", Argument::kName, true, false},
    {"req.fhdr", Argument::kName, true, false},
    {"req.hdr", Argument::kName, true, false},
    {"req.hdr_ip", Argument::kName, true, false},
    {"req.ver", Argument::kNone, true, false},
    {"res.cook", Argument::kName, false, true},
    {"res.fhdr", Argument::kName, false, true},
    {"res.hdr", Argument::kName, false, true},
    {"src"},
    {"src_port"},
    {"srv_name", Argument::kNone, false, true},
    {"ssl_c_der"},
    {"ssl_c_i_dn", Argument::kMaybeName},
    {"ssl_c_notafter"},
    {"ssl_c_notbefore"},
    {"ssl_c_s_dn", Argument::kMaybeName},
    {"ssl_c_serial"},
    {"ssl_c_sha1"},
    {"ssl_c_used"},
    {"ssl_c_verify"},
    {"ssl_fc"},
    {"ssl_fc_cipher"},
    {"ssl_fc_has_crt"},
    {"ssl_fc_has_sni"},
    {"ssl_fc_is_resumed"},
    {"ssl_fc_protocol"},
    {"ssl_fc_sni"},
    {"status", Argument::kNone, false, true},
    {"str", Argument::kText},
    {"unique-id"},
    {"url", Argument::kNone, true, false},
    {"url_param", Argument::kName, true, false},
    {"urlp", Argument::kName, true, false},
    {"uuid"},
});

constexpr auto kConverters = std::to_array<Function>({
    {"add", Argument::kNumber},
    {"b64dec"},
    {"base64"},
    {"bool"},
    {"bytes", Argument::kNumber},
    {"div", Argument::kNumber},
    {"field", Argument::kNumberAndText},
    {"hex"},
    {"host_only"},
    {"http_date"},
    {"iif", Argument::kTwoTexts},
    {"ipmask", Argument::kNumber},
    {"json"},
    {"length"},
    {"lower"},
    {"ltime", Argument::kText},
    {"mod", Argument::kNumber},
    {"mul", Argument::kNumber},
    {"not"},
    {"port_only"},
    {"sha1"},
    {"sha2", Argument::kNumber},
    {"sub", Argument::kNumber},
    {"upper"},
    {"url_dec"},
    {"url_enc"},
    {"utime", Argument::kText},
    {"word", Argument::kNumberAndText},
});

// %ci and the like. %b would name a slot: what its owner means is the service.
constexpr auto kVariables = std::to_array<Function>({
    {"B"},    {"H"},  {"HM"},
    {"HP"},   {"HQ"}, {"HU"},
    {"HV"},   {"ID"}, {"T"},
    {"Ts"},   {"bi"}, {"bp"},
    {"ci"},   {"cp"}, {"f"},
    {"fi"},   {"fp"}, {"ft"},
    {"lc"},   {"ms"}, {"pid"},
    {"r"},    {"rt"}, {"s"},
    {"si"},   {"sp"}, {"sslc"},
    {"sslv"}, {"t"},  {"b", Argument::kNone, true, true, "[var(txn.r),field(2,|)]"},
});

template <typename Table>
const Function* Find(const Table& table, std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const Function& entry) { return entry.name == name; });
  return found == table.end() ? nullptr : &*found;
}

bool AllOf(std::string_view text, std::string_view more) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  });
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.size() <= 9 &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}
bool IsName(std::string_view text) { return AllOf(text, "-_."); }
bool IsText(std::string_view text) { return AllOf(text, "-_.:/@+=;!?*~|% "); }

bool ArgumentFits(Argument kind, bool given, std::string_view text) {
  const std::size_t comma = text.find(',');
  const std::string_view first = text.substr(0, comma);
  const std::string_view second = comma == text.npos ? std::string_view() : text.substr(comma + 1);
  switch (kind) {
    case Argument::kNone:
      return !given || text.empty();
    case Argument::kName:
      return IsName(text);
    case Argument::kMaybeName:
      return !given || text.empty() || IsName(text);
    case Argument::kNumber:
      return IsNumber(first) && (comma == text.npos || IsNumber(second));
    case Argument::kMaybeNumber:
      return !given || text.empty() || IsNumber(text);
    case Argument::kNumberAndText:
      return IsNumber(first) && IsText(second);
    case Argument::kText:
      return IsText(text);
    case Argument::kTwoTexts:
      return IsText(first) && IsText(second);
    case Argument::kHost:
      return text == "HOSTNAME";
  }
  return false;
}

FormatOutcome Problem(std::string problem, std::string hint) {
  return {"", std::move(problem), std::move(hint)};
}

constexpr const char* kListHint = "Use one of the expressions of the documentation";

// "name(arguments)" at the front of `text`, which is cut by it.
struct Call {
  std::string_view name;
  std::string_view arguments;
  bool given = false;  ///< with parentheses
};
std::optional<Call> TakeCall(std::string_view& text) {
  Call call;
  const std::size_t end = std::min(text.find_first_of(",("), text.size());
  call.name = text.substr(0, end);
  text.remove_prefix(end);
  if (!text.empty() && text.front() == '(') {
    const std::size_t close = text.find(')');
    if (close == std::string_view::npos) return std::nullopt;
    call.given = true;
    call.arguments = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
  }
  if (!text.empty() && text.front() != ',') return std::nullopt;
  if (!text.empty()) text.remove_prefix(1);
  return call;
}

std::string Written(const Function& function, const Call& call) {
  std::string out(function.instead.empty() ? function.name : function.instead);
  const bool keep = function.argument != Argument::kNone && function.argument != Argument::kHost;
  if (keep && call.given && !call.arguments.empty()) {
    out += "(" + std::string(call.arguments) + ")";
  }
  return out;
}

// What stands in %[ ].
FormatOutcome Expression(std::string_view text, bool response) {
  const std::string shown = Quoted("%[" + std::string(text) + "]");
  std::string_view rest = text;
  std::string out;
  for (bool first = true; first || !rest.empty(); first = false) {
    const auto call = TakeCall(rest);
    const Function* function = !call   ? nullptr
                               : first ? Find(kFetches, call->name)
                                       : Find(kConverters, call->name);
    if (function == nullptr)
      return Problem(shown + " is not in the list of expressions", kListHint);
    if (!ArgumentFits(function->argument, call->given, call->arguments)) {
      return Problem(shown + ": what stands in ( ) does not fit " + std::string(function->name),
                     kListHint);
    }
    if (response ? !function->response : !function->request) {
      return Problem(shown + " is not known " +
                         (response ? "any more when the answer comes" : "before the answer comes"),
                     response ? "Use it for a header of the request, or res.hdr(Name)"
                              : "Use it for a header of the answer");
    }
    out += (first ? "" : ",") + Written(*function, *call);
  }
  return {"%[" + out + "]", "", ""};
}

bool AreFlags(std::string_view text) {
  for (const std::string_view flag : Split(text, ',')) {
    if (flag.size() != 2 || (flag[0] != '+' && flag[0] != '-') ||
        std::string_view("QXE").find(flag[1]) == std::string_view::npos) {
      return false;
    }
  }
  return !text.empty();
}

// An expression that begins at `at` with a '%', which moves behind it.
FormatOutcome TakeExpression(std::string_view value, std::size_t& at, bool response) {
  std::size_t next = at + 1;
  std::string flags;
  if (value[next] == '{') {
    const std::size_t close = value.find('}', next);
    if (close == std::string_view::npos || !AreFlags(value.substr(next + 1, close - next - 1))) {
      return Problem(Quoted(value.substr(at, 12)) + " is no expression",
                     "Write %% for a percent sign");
    }
    flags = value.substr(next, close - next + 1);
    next = close + 1;
  }
  if (next < value.size() && value[next] == '[') {
    const std::size_t close = value.find(']', next);
    if (close == std::string_view::npos) {
      return Problem(Quoted(value.substr(at)) + " has no ]", "Write %% for a percent sign");
    }
    FormatOutcome outcome = Expression(value.substr(next + 1, close - next - 1), response);
    if (outcome.problem.empty()) outcome.text.insert(1, flags);
    at = close + 1;
    return outcome;
  }
  std::size_t end = next;
  while (end < value.size() && AllOf(value.substr(end, 1), "")) ++end;
  const std::string_view name = value.substr(next, end - next);
  const Function* variable = Find(kVariables, name);
  if (variable == nullptr) {
    return Problem(Quoted("%" + std::string(name)) + " is not in the list of expressions",
                   "Write %% for a percent sign");
  }
  at = end;
  return {"%" + flags + std::string(variable->instead.empty() ? name : variable->instead), "", ""};
}

}  // namespace

FormatOutcome CheckedFormat(std::string_view value, bool response) {
  FormatOutcome outcome;
  for (std::size_t at = 0; at < value.size();) {
    if (value[at] != '%') {
      outcome.text += value[at++];
      continue;
    }
    const char next = at + 1 < value.size() ? value[at + 1] : ' ';
    const bool letter = (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z');
    if (next != '[' && next != '{' && !letter) {
      outcome.text += "%%";
      at += next == '%' ? 2 : 1;
      continue;
    }
    FormatOutcome part = TakeExpression(value, at, response);
    if (!part.problem.empty()) return part;
    outcome.text += part.text;
  }
  return outcome;
}

}  // namespace swarmgate::labels
