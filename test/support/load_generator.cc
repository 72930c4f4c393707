#include "support/load_generator.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <sstream>
#include <thread>
#include <utility>

#include "support/network.h"
#include "support/wait.h"

namespace swarmgate::testing {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr size_t kSamplesPerThread = 4;

std::string Loss(const HttpResponse& response, const LoadOptions::Target& target, bool reused) {
  if (response.status == 0) return response.error + (reused ? " (reused)" : "");
  if (response.status != 200) return "status " + std::to_string(response.status);
  return response.body.find(target.expect) == std::string::npos ? "body" : std::string();
}

}  // namespace

struct LoadGenerator::Worker {
  std::thread thread;
  LoadReport report;
};

LoadGenerator::LoadGenerator(LoadOptions options)
    : options_(std::move(options)), start_(steady_clock::now()) {
  for (int i = 0; i < options_.threads; ++i) workers_.push_back(std::make_unique<Worker>());
  for (size_t i = 0; i < workers_.size(); ++i) {
    workers_[i]->thread = std::thread([this, i] { Run(workers_[i].get(), i); });
  }
}

LoadGenerator::~LoadGenerator() {
  stop_ = true;
  for (const auto& worker : workers_) {
    if (worker->thread.joinable()) worker->thread.join();
  }
}

void LoadGenerator::Run(Worker* worker, size_t index) {
  LoadReport& report = worker->report;
  // A thread of its own may stay in the namespace for good.
  Endpoint endpoint = options_.endpoint;
  try {
    const ScopedNetwork scope(endpoint.network);
    endpoint.network.clear();
    HttpConnection connection(endpoint, options_.timeout);
    const auto end = start_ + options_.max_duration;
    for (size_t round = index; !stop_ && steady_clock::now() < end; ++round) {
      if (started_.fetch_add(1) >= options_.max_requests) break;
      const LoadOptions::Target& target = options_.targets[round % options_.targets.size()];
      const bool reused = connection.open();
      const auto begin = steady_clock::now();
      const HttpResponse response = connection.Exchange(target.request);
      const auto took = steady_clock::now() - begin;
      if (!options_.keep_alive) connection.Close();
      const std::string loss = Loss(response, target, reused);
      ++answered_;
      if (loss.empty()) {
        ++report.ok;
        report.latencies.push_back(
            static_cast<uint32_t>(duration_cast<microseconds>(took).count()));
      } else {
        ++report.lost;
        ++report.reasons[loss];
        connection.Close();
        if (report.samples.size() < kSamplesPerThread) {
          report.samples.push_back(
              std::to_string(duration_cast<milliseconds>(begin - start_).count()) + " ms: " + loss +
              " for " + target.request.target + " after " +
              std::to_string(duration_cast<milliseconds>(took).count()) + " ms " +
              response.Summary().substr(0, 120));
        }
        // A refused connection fails at once: do not spin on it.
        std::this_thread::sleep_for(milliseconds(1));
      }
      if (options_.think_time.count() > 0) std::this_thread::sleep_for(options_.think_time);
    }
  } catch (const std::exception& error) {
    ++report.lost;
    ++report.reasons[error.what()];
  }
}

bool LoadGenerator::WaitForAnswers(uint64_t more, milliseconds limit) {
  const uint64_t goal = answered_ + more;
  return WaitUntil([&] { return answered_ >= goal; }, limit);
}

LoadReport LoadGenerator::Stop() {
  stop_ = true;
  return Finish();
}

LoadReport LoadGenerator::Finish() {
  LoadReport total;
  for (const auto& worker : workers_) {
    if (worker->thread.joinable()) worker->thread.join();
    const LoadReport& part = worker->report;
    total.ok += part.ok;
    total.lost += part.lost;
    for (const auto& [reason, count] : part.reasons) total.reasons[reason] += count;
    total.samples.insert(total.samples.end(), part.samples.begin(), part.samples.end());
    total.latencies.insert(total.latencies.end(), part.latencies.begin(), part.latencies.end());
  }
  total.duration = duration_cast<milliseconds>(steady_clock::now() - start_);
  std::sort(total.latencies.begin(), total.latencies.end());
  return total;
}

microseconds LoadReport::Quantile(double q) const {
  if (latencies.empty()) return microseconds(0);
  const auto last = static_cast<double>(latencies.size() - 1);
  return microseconds(latencies[static_cast<size_t>(std::lround(q * last))]);
}

milliseconds LoadReport::Slowest() const { return duration_cast<milliseconds>(Quantile(1)); }

std::string LoadReport::Summary() const {
  std::ostringstream text;
  text << ok << " ok, " << lost << " lost in " << duration.count() << " ms";
  for (const auto& [reason, count] : reasons) text << "; " << count << " x " << reason;
  for (const std::string& sample : samples) text << "\n  " << sample;
  return text.str();
}

LoadOptions::Target GetTarget(const std::string& path, const std::string& expect,
                              const std::string& host) {
  LoadOptions::Target target;
  target.request.target = path;
  target.expect = expect;
  if (!host.empty()) target.request.headers.emplace_back("Host", host);
  return target;
}

}  // namespace swarmgate::testing
