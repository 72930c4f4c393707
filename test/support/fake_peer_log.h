// A peer log in memory, and the ways in which it can fail.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "swarmgate/ports/peer_log.h"

namespace swarmgate::testing {

/// Thread: any; it may outlive whoever writes it, as a disk does.
class FakePeerLog final : public ports::PeerLog {
 public:
  explicit FakePeerLog(std::string epoch = "e") : epoch_(std::move(epoch)) {}

  /// Every call fails so until it is told otherwise. kCorrupt: once, and the log is empty after it.
  void SetDown(std::optional<Code> code) {
    const std::lock_guard<std::mutex> lock(mutex_);
    down_ = code;
  }
  /// Another disk, or an old copy of this one.
  void Replace(ports::PeerLogState state) {
    const std::lock_guard<std::mutex> lock(mutex_);
    epoch_ = std::move(state.epoch);
    revision_ = state.revision;
    documents_.clear();
    for (model::SharedDocument& document : state.documents) {
      const model::ServiceName name = document.name;
      documents_.insert_or_assign(name, std::move(document));
    }
  }
  [[nodiscard]] std::map<model::ServiceName, model::SharedDocument> documents() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return documents_;
  }
  [[nodiscard]] int saves() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return saves_;
  }

  Result<ports::PeerLogState> Load() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const Status entered = Enter(); !entered) return Forward(entered.error());
    ports::PeerLogState state{epoch_, revision_, {}};
    for (const auto& [name, document] : documents_) state.documents.push_back(document);
    return state;
  }
  Status Save(const ports::PeerLogDelta& delta) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const Status entered = Enter(); !entered) return entered;
    ++saves_;
    for (const model::SharedDocument& document : delta.upserts) {
      documents_.insert_or_assign(document.name, document);
    }
    for (const model::ServiceName& name : delta.forgotten) documents_.erase(name);
    revision_ = delta.revision;
    return Ok();
  }

 private:
  Status Enter() {
    if (!down_) return Ok();
    const Code code = *down_;
    if (code == Code::kCorrupt) {
      documents_.clear();
      revision_ = 0;
      epoch_ += "'";
      down_.reset();
    }
    return Fail(code, "the fake log was told to fail");
  }

  mutable std::mutex mutex_;
  std::string epoch_;
  std::uint64_t revision_ = 0;
  std::map<model::ServiceName, model::SharedDocument> documents_;
  std::optional<Code> down_;
  int saves_ = 0;
};

}  // namespace swarmgate::testing
