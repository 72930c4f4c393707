// How threads of this module begin.
#pragma once

#include <exception>
#include <thread>
#include <utility>

#include "swarmgate/base/log.h"

namespace swarmgate::cluster {

template <typename Work>
std::thread Spawn(Work work) {
  return std::thread([work = std::move(work)] {
    try {
      work();
    } catch (const std::exception& failure) {
      LogEvent(LogLevel::kError, "THREAD_ENDED", "a thread for replicas ended by an exception",
               {{"error", failure.what()}});
      std::terminate();  // the supervisor starts the controller anew; no request is lost
    }
  });
}

}  // namespace swarmgate::cluster
