// Families of Prometheus metrics, written one after the other.
#pragma once

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <cstdint>
#include <limits>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "swarmgate/engine/snapshot.h"

namespace swarmgate::admin {

using MetricLabels = std::vector<prometheus::ClientMetric::Label>;

/// Families of metrics in the order in which they were added.
class Families {
 public:
  Families& Add(const char* name, prometheus::MetricType type, const char* help) {
    prometheus::MetricFamily family;
    family.name = name;
    family.type = type;
    family.help = help;
    families_.push_back(std::move(family));
    return *this;
  }
  template <typename T>
  Families& Value(T value, MetricLabels labels = {}) {
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    // The unused one of the two is ignored by the serializer.
    metric.gauge.value = static_cast<double>(value);
    metric.counter.value = static_cast<double>(value);
    families_.back().metric.push_back(std::move(metric));
    return *this;
  }
  template <typename T>
  Families& Gauge(const char* name, const char* help, T value) {
    return Add(name, prometheus::MetricType::Gauge, help).Value(value);
  }
  Families& Counter(const char* name, const char* help, std::uint64_t value) {
    return Add(name, prometheus::MetricType::Counter, help).Value(value);
  }
  Families& Latency(const char* name, const char* help, const engine::Histogram& histogram) {
    Add(name, prometheus::MetricType::Histogram, help);
    prometheus::ClientMetric metric;
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < histogram.buckets.size(); ++i) {
      below += histogram.buckets[i];
      const double bound = i < engine::kLatencyBounds.size()
                               ? engine::kLatencyBounds[i]
                               : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back({below, bound});
    }
    metric.histogram.sample_count = histogram.count;
    metric.histogram.sample_sum = histogram.sum_seconds;
    families_.back().metric.push_back(std::move(metric));
    return *this;
  }
  [[nodiscard]] std::string Text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families_);
    return out.str();
  }

 private:
  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace swarmgate::admin
