#include "engine/docker_health.h"

#include <algorithm>
#include <utility>

#include "swarmgate/base/log.h"

namespace swarmgate::engine {
namespace {

/// Between two lines about lists.
constexpr Duration kQuiet{5000};
/// A stream that lives so long has come to stay.
constexpr Duration kStreamStays{5000};
/// A stream that comes back sooner is not worth a line: lists fill the gap.
constexpr Duration kStreamMissed{10000};

}  // namespace

void DockerHealth::TakeList(bool ok, std::string detail, SteadyTime now) {
  lists_ok_ = ok;
  detail_ = std::move(detail);
  TellLists(now);
}

void DockerHealth::TellLists(SteadyTime now) {
  if (!lists_ok_ || lists_ok_ == told_lists_) return;
  if (told_lists_ && now < told_lists_at_ + kQuiet) return;
  told_lists_ = lists_ok_;
  told_lists_at_ = now;
  if (*lists_ok_) {
    LogEvent(LogLevel::kInfo, "DOCKER_CONNECTED", "Docker answers", {{"api", detail_}});
  } else {
    LogEvent(LogLevel::kWarning, "DOCKER_LOST",
             "Docker does not answer; services are served as they were last known",
             {{"error", detail_}});
  }
}

void DockerHealth::StreamOpened(SteadyTime now) { stream_since_ = now; }

void DockerHealth::StreamEnded(const Error& error, SteadyTime now) {
  TellStream(now);  // it may have lasted
  stream_since_.reset();
  stream_error_ = error.ToString();
  if (!stream_lost_since_) stream_lost_since_ = now;
}

void DockerHealth::TellStream(SteadyTime now) {
  if (!stream_lost_since_) return;
  if (stream_since_ && now >= *stream_since_ + kStreamStays) {
    stream_lost_since_.reset();
    if (std::exchange(told_stream_lost_, false)) {
      LogEvent(LogLevel::kInfo, "DOCKER_EVENTS_BACK", "Docker's stream of events stands again");
    }
    return;
  }
  // While lists fail, too, DOCKER_LOST says enough.
  if (told_stream_lost_ || lists_ok_ != true || now < *stream_lost_since_ + kStreamMissed) return;
  told_stream_lost_ = true;
  LogEvent(LogLevel::kWarning, "DOCKER_EVENTS_LOST",
           "Docker's stream of events does not last; changes are seen by lists, which is slower",
           {{"error", stream_error_}});
}

void DockerHealth::RunDue(SteadyTime now) {
  TellLists(now);
  TellStream(now);
}

SteadyTime DockerHealth::Next() const {
  SteadyTime next = SteadyTime::max();
  if (told_lists_ && lists_ok_ != told_lists_) next = told_lists_at_ + kQuiet;
  if (!stream_lost_since_) return next;
  if (stream_since_) next = std::min(next, *stream_since_ + kStreamStays);
  if (!told_stream_lost_ && lists_ok_ == true) {
    next = std::min(next, *stream_lost_since_ + kStreamMissed);
  }
  return next;
}

}  // namespace swarmgate::engine
