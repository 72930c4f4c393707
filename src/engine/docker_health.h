// What the log says about Docker being there: whether lists are answered, and whether the stream of
// events stands. Both may come and go many times a second (a daemon behind a proxy that is ill),
// and nobody wants to read that; what is told is what has lasted. Thread: owner. Time is given.
#pragma once

#include <optional>
#include <string>

#include "swarmgate/base/clock.h"
#include "swarmgate/base/error.h"

namespace swarmgate::engine {

class DockerHealth {
 public:
  /// A list was answered (`detail`: the API's version), or not (the error).
  void TakeList(bool ok, std::string detail, SteadyTime now);
  void StreamOpened(SteadyTime now);
  void StreamEnded(const Error& error, SteadyTime now);
  /// Tells what is to be told by now.
  void RunDue(SteadyTime now);
  [[nodiscard]] SteadyTime Next() const;

 private:
  void TellLists(SteadyTime now);
  void TellStream(SteadyTime now);

  std::optional<bool> lists_ok_;
  std::string detail_;
  std::optional<bool> told_lists_;
  SteadyTime told_lists_at_;

  std::optional<SteadyTime> stream_since_;       ///< it stands since
  std::optional<SteadyTime> stream_lost_since_;  ///< it has not lasted since
  std::string stream_error_;
  bool told_stream_lost_ = false;
};

}  // namespace swarmgate::engine
