#include "swarmgate/proxy/stats.h"

#include <algorithm>
#include <utility>

#include "proxy/unix_exchange.h"
#include "swarmgate/base/mutex.h"
#include "swarmgate/proxy/process.h"

namespace swarmgate::proxy {

class StatsReader::Impl {
 public:
  explicit Impl(const std::string& run_dir) : socket_(RuntimeSocket(run_dir)) {}

  Result<std::shared_ptr<const std::string>> Read(SteadyTime deadline) {
    {
      MutexLock lock(mutex_);
      while (reading_ && !text_) {
        if (!read_.WaitUntil(mutex_, deadline)) {
          return Fail(Code::kDeadlineExceeded, "somebody else still reads");
        }
      }
      if (text_ && (reading_ || std::chrono::steady_clock::now() < fresh_until_)) return text_;
      reading_ = true;
    }
    const SteadyTime begin = std::chrono::steady_clock::now();
    auto reply = Exchange(socket_, "show stat\n", deadline, -1);
    if (reply && reply->rfind("# pxname,svname,", 0) != 0) {
      reply = Fail(Code::kCorrupt, "no statistics in the reply");
    }
    const SteadyTime end = std::chrono::steady_clock::now();
    MutexLock lock(mutex_);
    reading_ = false;
    // Old figures of a HAProxy that is gone would look like a healthy one.
    text_ = reply ? std::make_shared<const std::string>(*reply) : nullptr;
    fresh_until_ =
        end + std::max<SteadyTime::duration>(std::chrono::seconds(1), (end - begin) * 20);
    read_.NotifyAll();
    if (!reply) return Forward(reply.error());
    return text_;
  }

 private:
  std::string socket_;
  Mutex mutex_;
  CondVar read_;
  bool reading_ GUARDED_BY(mutex_) = false;
  std::shared_ptr<const std::string> text_ GUARDED_BY(mutex_);
  SteadyTime fresh_until_ GUARDED_BY(mutex_);
};

StatsReader::StatsReader(const std::string& run_dir) : impl_(std::make_unique<Impl>(run_dir)) {}
StatsReader::~StatsReader() = default;
Result<std::shared_ptr<const std::string>> StatsReader::Read(SteadyTime deadline) {
  return impl_->Read(deadline);
}

}  // namespace swarmgate::proxy
