// The services that the benchmarks in C++ measure with: the same ones in every run.
#ifndef SWARMGATE_BENCH_SERVICES_H_
#define SWARMGATE_BENCH_SERVICES_H_

#include <cstddef>
#include <string>
#include <utility>

#include "support/fake_docker.h"

namespace swarmgate::bench {

/// Five digits, so that no service's path is the beginning of another one's.
inline std::string Digits(std::size_t number) {
  const std::string digits = std::to_string(number);
  return std::string(digits.size() < 5 ? 5 - digits.size() : 0, '0') + digits;
}

inline std::string NthName(std::size_t number) { return "web" + Digits(number); }
inline std::string NthPath(std::size_t number) { return "/path" + Digits(number); }
/// Of the services with even numbers; the others answer for every host.
inline std::string NthHost(std::size_t number) { return "h" + Digits(number) + ".example.com"; }

/// A labelled Swarm service with two running tasks.
inline model::ServiceFacts NthService(std::size_t number) {
  const std::string address =
      "." + std::to_string(number / 250) + "." + std::to_string(number % 250);
  model::ServiceFacts service =
      testing::MakeService(NthName(number), NthPath(number),
                           {testing::MakeTask("a" + std::to_string(number), "10.0" + address),
                            testing::MakeTask("b" + std::to_string(number), "10.1" + address)});
  if (number % 2 == 0) service.labels.Set("com.df.serviceDomain", NthHost(number));
  return service;
}

}  // namespace swarmgate::bench

#endif  // SWARMGATE_BENCH_SERVICES_H_
