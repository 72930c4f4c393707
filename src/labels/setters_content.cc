// Headers, compression, pages in the place of errors.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "labels/log_format.h"
#include "labels/setter_values.h"
#include "labels/setters.h"
#include "labels/values.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::labels::set {
namespace {

using Action = model::HeaderRule::Action;

bool CheckName(const std::string& name, Report& report) {
  if (!IsToken(name) || name.size() > 128) {
    report.Error("bad-header", Quoted(name) + " is not the name of a header");
    return false;
  }
  const std::string lower = ToLower(name);
  if (lower == "content-length" || lower == "transfer-encoding") {
    report.Error("bad-header", name + " says where a message ends, so only the proxy sets it",
                 "Leave it out");
    return false;
  }
  return true;
}

// Those that each request has by now: another one would contradict it.
bool IsForwarded(const std::string& name) {
  constexpr std::array<std::string_view, 4> kForwarded = {"x-forwarded-for", "x-forwarded-host",
                                                          "x-forwarded-port", "x-forwarded-proto"};
  return std::find(kForwarded.begin(), kForwarded.end(), ToLower(name)) != kForwarded.end();
}

// What is not in the closed grammar.
void TakeRaw(Setting& setting, model::HeaderRule rule, const std::string& rest,
             const FormatOutcome& outcome) {
  if (!setting.options.allow_raw) {
    return setting.report.Error(
        "raw-not-allowed", outcome.problem,
        outcome.hint + "; with ALLOW_RAW_CONFIG=true the proxy takes anything that HAProxy does");
  }
  rule.raw = true;
  rule.format = rest;
  setting.service.common.profile.Edit().headers.push_back(std::move(rule));
}

void TakeHeader(Setting& setting, Action action, bool response, const std::string& text) {
  HeaderItem item = TakeApartHeader(text);
  if (!CheckName(item.name, setting.report)) return;
  if (action == Action::kAdd && !response && IsForwarded(item.name)) action = Action::kSet;
  model::HeaderRule rule{action, response, item.name, "", "", false};
  if (action == Action::kDelete) {
    if (!item.rest.empty()) {
      FormatOutcome more{"", Quoted(item.rest) + " stands behind the name", "Write names only"};
      return TakeRaw(setting, std::move(rule), item.rest, more);
    }
  } else {
    if (!item.has_value) {
      return setting.report.Error("no-value", "the header " + item.name + " gets no value",
                                  "Write a name, a space and a value; a comma in a value is "
                                  "written \\, or stands in \"quotes\"");
    }
    FormatOutcome format = CheckedFormat(item.value, response);
    if (!format.problem.empty()) return TakeRaw(setting, std::move(rule), item.rest, format);
    rule.format = std::move(format.text);
  }
  if (!item.condition.empty()) {
    FormatOutcome condition = CheckedCondition(item.condition, response);
    if (!condition.problem.empty()) {
      return TakeRaw(setting, std::move(rule), item.rest, condition);
    }
    rule.condition = std::move(condition.text);
  }
  setting.service.common.profile.Edit().headers.push_back(std::move(rule));
}

void Headers(Setting& setting, Action action, bool response) {
  std::size_t taken = 0;
  bool empty = false;
  for (const std::string& item : SplitHeaders(setting.value, setting.options.separator)) {
    if (item.empty()) {
      empty = true;
    } else if (++taken > kMaxListItems) {
      return setting.report.Error(
          "too-many-items", "the list has more than " + std::to_string(kMaxListItems) + " items",
          "Leave some out");
    } else {
      TakeHeader(setting, action, response, item);
    }
  }
  if (empty) setting.report.Warning("empty-item", "the list has an empty item, which is left out");
}

// The statuses for which HAProxy has answers of its own.
constexpr std::array kErrorStatuses = {400, 401, 403, 404, 405, 407, 408, 410, 413,
                                       421, 422, 425, 429, 500, 501, 502, 503, 504};

// "503:" at `at`?
bool StatusAt(std::string_view text, std::size_t at) {
  return at + 4 <= text.size() && text[at + 3] == ':' &&
         ParseUint(text.substr(at, 3), 999).has_value();
}

// Items begin with a status, so that other separators are part of the text.
std::vector<std::string> SplitPages(std::string_view text, char separator) {
  std::vector<std::string> items(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == separator) {
      items.back() += text[++i];
    } else if (text[i] == separator && StatusAt(text, i + 1)) {
      items.emplace_back();
    } else {
      items.back() += text[i];
    }
  }
  return items;
}

}  // namespace

void AddReqHeader(Setting& setting) { Headers(setting, Action::kAdd, false); }
void SetReqHeader(Setting& setting) { Headers(setting, Action::kSet, false); }
void AddResHeader(Setting& setting) { Headers(setting, Action::kAdd, true); }
void SetResHeader(Setting& setting) { Headers(setting, Action::kSet, true); }
void DelReqHeader(Setting& setting) { Headers(setting, Action::kDelete, false); }
void DelResHeader(Setting& setting) { Headers(setting, Action::kDelete, true); }

void CompressionAlgo(Setting& setting) {
  std::string algos;
  for (const std::string_view word : Split(setting.value, ' ')) {
    if (word.empty()) continue;
    if (word != "gzip" && word != "deflate" && word != "raw-deflate") {
      return setting.report.Error("bad-compression", Quoted(word) + " is no way to compress");
    }
    algos += (algos.empty() ? "" : " ") + std::string(word);
  }
  setting.service.common.profile.Edit().compression_algo = algos;
}

void CompressionType(Setting& setting) {
  model::Profile& profile = setting.service.common.profile.Edit();
  if (profile.compression_algo.empty()) {
    return setting.report.Warning("no-effect", "without compressionAlgo nothing is compressed",
                                  "Add compressionAlgo=gzip");
  }
  std::string text(setting.value);
  std::replace(text.begin(), text.end(), setting.options.separator, ' ');
  for (const std::string_view word : Split(text, ' ')) {
    if (word.empty()) continue;
    const std::size_t slash = word.find('/');
    if (slash == std::string_view::npos || !IsToken(word.substr(0, slash)) ||
        !IsToken(word.substr(slash + 1))) {
      profile.compression_types.clear();
      return setting.report.Error("bad-media-type", Quoted(word) + " is no media type");
    }
    profile.compression_types.emplace_back(word);
  }
}

void ErrorPage(Setting& setting) {
  std::vector<model::ErrorPage>& pages = setting.dest->spec.profile.Edit().error_pages;
  for (const std::string& item : SplitPages(setting.value, setting.options.separator)) {
    const std::string_view text =
        std::string_view(item).substr(std::min<std::size_t>(4, item.size()));
    if (!StatusAt(item, 0) || Trim(text).empty()) {
      return setting.report.Error("bad-page", Quoted(item) + " is not a status and its text");
    }
    const int status = static_cast<int>(*ParseUint(std::string_view(item).substr(0, 3), 999));
    if (std::find(kErrorStatuses.begin(), kErrorStatuses.end(), status) == kErrorStatuses.end()) {
      std::string all;
      for (const int known : kErrorStatuses)
        all += (all.empty() ? "" : " ") + std::to_string(known);
      return setting.report.Error("bad-page", std::to_string(status) + " has no page",
                                  "The statuses are " + all);
    }
    const bool known = std::any_of(pages.begin(), pages.end(),
                                   [&](const auto& page) { return page.status == status; });
    if (known) {
      return setting.report.Error("bad-page",
                                  "the status " + std::to_string(status) + " stands there twice");
    }
    pages.push_back({status, std::string(Trim(text))});
  }
}

}  // namespace swarmgate::labels::set
