// Takes the lines that HAProxy says about requests from a datagram socket and puts them on standard
// output. HAProxy sends without waiting: where this process is slow or away, lines are lost, and
// requests are not held up.
#pragma once

#include <memory>
#include <string>

#include "swarmgate/base/error.h"

namespace swarmgate::app {

/// One datagram as one line: control bytes replaced, exactly one line break at its end.
[[nodiscard]] std::string AccessLine(std::string_view datagram);

class AccessLog {
 public:
  /// Listens at `path`, where everybody may send who can enter the directory, and writes to the
  /// descriptor `output` (borrowed; -1: standard output, whole lines beside those of LogEvent).
  /// Errors: kUnavailable.
  [[nodiscard]] static Result<std::unique_ptr<AccessLog>> Open(const std::string& path,
                                                               int output = -1);
  /// Ends the thread; lines that have arrived are written.
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

 private:
  class Impl;
  explicit AccessLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarmgate::app
