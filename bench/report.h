// Rows of the table that bench/run puts into docs/performance.md.
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

/// "| what | n | median | p99 | max | goal |", times in milliseconds.
inline void PrintTimes(const std::string& what, const std::vector<double>& ms,
                       const std::string& goal) {
  printf("| %s | %zu | %.1f | %.1f | %.1f | %s |\n", what.c_str(), ms.size(), Quantile(ms, 0.5),
         Quantile(ms, 0.99), Quantile(ms, 1.0), goal.c_str());
  fflush(stdout);
}

/// What is said while a bench runs: not part of the table.
inline void Say(const std::string& text) { fprintf(stderr, "%s\n", text.c_str()); }

}  // namespace swarmgate::bench

#endif  // SWARMGATE_BENCH_REPORT_H_
