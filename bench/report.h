// What a program of the benchmark has measured: one JSON object a line, for bench/run.
#ifndef SWARMGATE_BENCH_REPORT_H_
#define SWARMGATE_BENCH_REPORT_H_

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace swarmgate::bench {

/// 0.5 is the median; 0 without samples.
inline double Quantile(std::vector<double> samples, double q) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  return samples[static_cast<size_t>(q * static_cast<double>(samples.size() - 1) + 0.5)];
}

/// Times in milliseconds, of `what` among so many services. REQUIRES: nothing in `what` that JSON
/// would escape.
inline void PrintTimes(const std::string& what, int services, const std::vector<double>& ms) {
  printf(
      "{\"what\":\"%s\",\"services\":%d,\"n\":%zu,\"median_ms\":%.3f,\"p99_ms\":%.3f,"
      "\"max_ms\":%.3f}\n",
      what.c_str(), services, ms.size(), Quantile(ms, 0.5), Quantile(ms, 0.99), Quantile(ms, 1.0));
  fflush(stdout);
}

/// What is said while a bench runs: no part of the results.
inline void Say(const std::string& text) { fprintf(stderr, "%s\n", text.c_str()); }

}  // namespace swarmgate::bench

#endif  // SWARMGATE_BENCH_REPORT_H_
