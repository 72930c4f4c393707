// Waiting for a condition: tests never sleep for a guessed time.
#ifndef SWARMGATE_TEST_SUPPORT_WAIT_H_
#define SWARMGATE_TEST_SUPPORT_WAIT_H_

#include <chrono>
#include <thread>

namespace swarmgate::testing {

/// True as soon as `condition()` is; false when it is not within `limit`.
/// The condition is asked at least once, and once more at the very end.
template <typename Condition>
bool WaitUntil(Condition condition, std::chrono::milliseconds limit = std::chrono::seconds(10),
               std::chrono::milliseconds pause = std::chrono::milliseconds(5)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const bool last = std::chrono::steady_clock::now() >= deadline;
    if (condition()) return true;
    if (last) return false;
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace swarmgate::testing

#endif  // SWARMGATE_TEST_SUPPORT_WAIT_H_
