#include "admin/proxy_metrics.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string_view>
#include <vector>

#include "admin/families.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::admin {
namespace {

using prometheus::MetricType;

/// A backend as people know it.
struct Known {
  std::string backend;
  std::string service;
};

std::map<std::string, Known, std::less<>> BySlot(const engine::Snapshot& snapshot) {
  std::map<std::string, Known, std::less<>> known;
  std::map<std::string_view, std::string_view> services;
  if (snapshot.desired) {
    for (const model::Backend& backend : snapshot.desired->backends) {
      services.emplace(backend.name.str(), backend.service.str());
    }
  }
  for (const auto& [name, slot] : *snapshot.slots) {
    const auto service = services.find(name.str());
    if (service == services.end()) continue;
    known[slot.str()] = {name.str(), std::string(service->second)};
  }
  return known;
}

/// With a colon it is a backend of a template.
bool IsSlot(std::string_view proxy) {
  return proxy.substr(0, 3) == "sg_" && proxy.find(':') == std::string_view::npos;
}

enum Kind : unsigned { kFrontend = 1, kBackend = 2, kServer = 4 };
constexpr unsigned kAllKinds = kFrontend | kBackend | kServer;
constexpr unsigned kBehind = kBackend | kServer;

struct Row {
  Kind kind = kFrontend;
  std::vector<std::string_view> fields;
  MetricLabels labels;
};

/// Fields hold no commas but within quotes, as HAProxy writes them ("…", doubled inside).
std::vector<std::string_view> Fields(std::string_view line) {
  std::vector<std::string_view> fields;
  std::size_t start = 0;
  bool quoted = false;
  for (std::size_t i = 0; i <= line.size(); ++i) {
    if (i < line.size() && line[i] == '"') quoted = !quoted;
    if (i < line.size() && (line[i] != ',' || quoted)) continue;
    fields.push_back(line.substr(start, i - start));
    start = i + 1;
  }
  return fields;
}

struct Metric {
  std::size_t column;
  const char* name;  ///< behind "haproxy_<kind>_"
  bool counter;
  unsigned kinds;
  const char* help;
};

// Columns as section 9.1 of HAProxy's management manual numbers them.
constexpr std::size_t kStatus = 17;
constexpr std::size_t kFirstCode = 39;
constexpr Metric kMetrics[] = {
    {2, "current_queue", false, kBehind, "Requests that wait now"},
    {3, "max_queue", false, kBehind, "Most requests that ever waited"},
    {4, "current_sessions", false, kAllKinds, "Sessions now"},
    {5, "max_sessions", false, kAllKinds, "Most sessions at a time"},
    {6, "limit_sessions", false, kAllKinds, "Limit of sessions"},
    {7, "connections_total", true, kAllKinds, "Connections"},
    {8, "bytes_in_total", true, kAllKinds, "Bytes received"},
    {9, "bytes_out_total", true, kAllKinds, "Bytes sent"},
    {10, "requests_denied_total", true, kFrontend, "Requests denied"},
    {12, "request_errors_total", true, kFrontend, "Requests that could not be read"},
    {13, "connection_errors_total", true, kBehind, "Connections to servers that failed"},
    {14, "response_errors_total", true, kBehind, "Answers that failed"},
    {15, "retry_warnings_total", true, kBehind, "Connections that were tried again"},
    {16, "redispatch_warnings_total", true, kBehind, "Requests given to another server"},
    {kStatus, "up", false, kBehind, "1 when it takes requests"},
    {18, "weight", false, kBehind, "Weight"},
    {21, "check_failures_total", true, kServer, "Health checks that failed"},
    {24, "downtime_seconds_total", true, kServer, "Time without service"},
    {33, "current_session_rate", false, kAllKinds, "Sessions in the last second"},
    {34, "limit_session_rate", false, kFrontend, "Limit of new sessions per second"},
    {35, "max_session_rate", false, kAllKinds, "Most sessions in a second"},
    {38, "check_duration_milliseconds", false, kServer, "Duration of the last health check"},
    {48, "http_requests_total", true, kFrontend, "Requests"},
};
constexpr const char* kCodes[] = {"1xx", "2xx", "3xx", "4xx", "5xx", "other"};

bool IsUp(std::string_view status) {
  return status.substr(0, 2) == "UP" || status == "OPEN" || status == "no check";
}

const char* KindName(unsigned kind) {
  return kind == kFrontend ? "frontend" : kind == kBackend ? "backend" : "server";
}

std::vector<Row> Rows(const std::string& stats, const engine::Snapshot& snapshot) {
  const auto known = BySlot(snapshot);
  std::vector<Row> rows;
  for (const std::string_view line : Split(stats, '\n')) {
    if (line.empty() || line.front() == '#') continue;
    Row row;
    row.fields = Fields(line);
    if (row.fields.size() <= kFirstCode + std::size(kCodes)) continue;
    const std::string_view proxy = row.fields[0];
    const std::string_view server = row.fields[1];
    row.kind = server == "FRONTEND" ? kFrontend : server == "BACKEND" ? kBackend : kServer;
    const auto found = known.find(proxy);
    if (IsSlot(proxy) && found == known.end()) continue;
    row.labels = {{KindName(row.kind == kFrontend ? kFrontend : kBackend), std::string(proxy)}};
    if (found != known.end()) {
      row.labels = {{"backend", found->second.backend}, {"service", found->second.service}};
    }
    if (row.kind == kServer) row.labels.push_back({"server", std::string(server)});
    rows.push_back(std::move(row));
  }
  return rows;
}

/// Takes off what is too much; returns how much that was.
std::size_t Bound(std::vector<Row>& rows) {
  const std::size_t all = rows.size();
  const auto count = [&](Kind kind) {
    return static_cast<std::size_t>(std::count_if(
        rows.begin(), rows.end(), [kind](const Row& row) { return row.kind == kind; }));
  };
  if (count(kServer) > kMostServerRows) {
    std::erase_if(rows, [](const Row& row) { return row.kind == kServer; });
  }
  std::size_t backends = 0;
  std::erase_if(
      rows, [&](const Row& row) { return row.kind == kBackend && ++backends > kMostBackendRows; });
  return all - rows.size();
}

void AddFamily(Families& families, const std::vector<Row>& rows, unsigned kind,
               const Metric& metric) {
  const std::string name = std::string("haproxy_") + KindName(kind) + "_" + metric.name;
  families.Add(name.c_str(), metric.counter ? MetricType::Counter : MetricType::Gauge, metric.help);
  for (const Row& row : rows) {
    if (row.kind != kind || metric.column >= row.fields.size()) continue;
    const std::string_view field = row.fields[metric.column];
    if (field.empty()) continue;
    if (metric.column == kStatus) {
      families.Value(IsUp(field) ? 1 : 0, row.labels);
    } else if (const auto number = ParseUint(field, ~0ULL >> 1U)) {
      families.Value(*number, row.labels);
    }
  }
}

void AddCodes(Families& families, const std::vector<Row>& rows, unsigned kind) {
  const std::string name = std::string("haproxy_") + KindName(kind) + "_http_responses_total";
  families.Add(name.c_str(), MetricType::Counter, "Answers by class of status");
  for (const Row& row : rows) {
    if (row.kind != kind) continue;
    for (std::size_t i = 0; i < std::size(kCodes); ++i) {
      const auto number = ParseUint(row.fields[kFirstCode + i], ~0ULL >> 1U);
      if (!number) continue;
      MetricLabels labels = row.labels;
      labels.push_back({"code", kCodes[i]});
      families.Value(*number, std::move(labels));
    }
  }
}

}  // namespace

std::string StatsCsv(const std::string& stats, const engine::Snapshot& snapshot) {
  const auto known = BySlot(snapshot);
  std::string csv;
  csv.reserve(stats.size());
  for (const std::string_view line : Split(stats, '\n')) {
    if (line.empty()) continue;
    const auto comma = line.find(',');
    const std::string_view proxy = line.substr(0, comma);
    const auto found = known.find(proxy);
    if (IsSlot(proxy) && found == known.end()) continue;
    if (found != known.end() && comma != std::string_view::npos) {
      csv += found->second.backend;
      csv += line.substr(comma);
    } else {
      csv += line;
    }
    csv += '\n';
  }
  return csv;
}

void AddProxyMetrics(Families& families, const engine::Snapshot& snapshot,
                     const std::string* stats) {
  families.Gauge("haproxy_up", "1 when HAProxy told its counters", stats == nullptr ? 0 : 1);
  if (stats == nullptr) return;
  std::vector<Row> rows = Rows(*stats, snapshot);
  families.Gauge("swarmgate_haproxy_rows_left_out",
                 "Servers and backends whose counters are not told because there are too many",
                 Bound(rows));
  for (const unsigned kind : {kFrontend, kBackend, kServer}) {
    for (const Metric& metric : kMetrics) {
      if ((metric.kinds & kind) != 0) AddFamily(families, rows, kind, metric);
    }
    AddCodes(families, rows, kind);
  }
}

}  // namespace swarmgate::admin
