#include "swarmgate/base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <deque>

#include "swarmgate/base/mutex.h"
#include "swarmgate/base/strings.h"

namespace swarmgate {
namespace {

constexpr std::size_t kKeptEvents = 1000;

class EventRing {
 public:
  void Add(LoggedEvent event) EXCLUDES_LOCK(mutex_) {
    MutexLock lock(mutex_);
    event.sequence = ++last_sequence_;
    events_.push_back(std::move(event));
    if (events_.size() > kKeptEvents) events_.pop_front();
    added_.NotifyAll();
  }

  std::vector<LoggedEvent> After(std::uint64_t after, SteadyTime deadline) EXCLUDES_LOCK(mutex_) {
    MutexLock lock(mutex_);
    // A number that was never given (the clock was turned back between two runs): all is new.
    if (after > last_sequence_) after = 0;
    while ((events_.empty() || last_sequence_ <= after) && !closed_) {
      if (!added_.WaitUntil(mutex_, deadline)) break;
    }
    std::vector<LoggedEvent> found;
    for (const LoggedEvent& event : events_) {
      if (event.sequence > after) found.push_back(event);
    }
    return found;
  }

  void Close() EXCLUDES_LOCK(mutex_) {
    MutexLock lock(mutex_);
    closed_ = true;
    added_.NotifyAll();
  }

 private:
  Mutex mutex_;
  CondVar added_;
  std::deque<LoggedEvent> events_ GUARDED_BY(mutex_);
  // Numbers of a later run are greater than those of this one: events are less than one a
  // microsecond.
  std::uint64_t last_sequence_ GUARDED_BY(mutex_) =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                     std::chrono::system_clock::now().time_since_epoch())
                                     .count());
  bool closed_ GUARDED_BY(mutex_) = false;
};

EventRing& Ring() {
  static EventRing ring;
  return ring;
}

spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto created = std::make_shared<spdlog::logger>(
        "swarmgate", std::make_shared<spdlog::sinks::stdout_sink_mt>());
    created->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc));
    created->flush_on(spdlog::level::info);
    return created;
  }();
  return *logger;
}

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string Quoted(std::string_view value) {
  // Long values are cut where they are made (diagnostics); a configuration error of HAProxy may
  // need the room.
  constexpr std::size_t kLimit = 4096;
  std::string out = "\"";
  for (const char c : Printable(value, kLimit)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

void LogEvent(LogLevel level, std::string_view id, std::string_view text, LogFields fields) {
  spdlog::logger& logger = Logger();
  const std::string printable = Printable(text, 4096);
  if (logger.should_log(ToSpdlog(level))) {
    std::string line(id);
    line += ' ';
    line += printable;
    for (const auto& [name, value] : fields) {
      line += ' ';
      line += name;
      line += '=';
      line += Quoted(value);
    }
    logger.log(ToSpdlog(level), spdlog::string_view_t(line));
  }
  if (level == LogLevel::kDebug) return;
  LoggedEvent event;
  event.time = std::chrono::system_clock::now();
  event.level = level;
  event.id = id;
  event.text = printable;
  event.fields.reserve(fields.size());
  for (auto& [name, value] : fields) event.fields.emplace_back(name, std::move(value));
  Ring().Add(std::move(event));
}

bool SetLogLevel(std::string_view level_name) {
  if (level_name == "debug") {
    Logger().set_level(spdlog::level::debug);
  } else if (level_name == "info") {
    Logger().set_level(spdlog::level::info);
  } else if (level_name == "warning") {
    Logger().set_level(spdlog::level::warn);
  } else if (level_name == "error") {
    Logger().set_level(spdlog::level::err);
  } else {
    return false;
  }
  return true;
}

std::vector<LoggedEvent> EventsAfter(std::uint64_t after, SteadyTime deadline) {
  return Ring().After(after, deadline);
}

void CloseEvents() { Ring().Close(); }

}  // namespace swarmgate
