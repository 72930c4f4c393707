// What Text and Shared hold by: a pointer to something that counts who holds it.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace swarmgate {

/// Body has `std::atomic<std::uint32_t> uses`, 1 when it is made, and `static void Destroy(Body*)`.
/// Thread: any; each object is one thread's, what they hold may be several's.
template <typename Body>
class Counted {
 public:
  Counted() = default;
  /// Takes over the one use that it was made with. `body` may be null.
  explicit Counted(Body* body) noexcept : body_(body) {}
  Counted(const Counted& other) noexcept : body_(other.body_) {
    if (body_ != nullptr) body_->uses.fetch_add(1, std::memory_order_relaxed);
  }
  Counted(Counted&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
  Counted& operator=(Counted other) noexcept {
    std::swap(body_, other.body_);
    return *this;
  }
  ~Counted() {
    // Whoever is the last sees what the others did before they let go.
    if (body_ == nullptr || body_->uses.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    Body::Destroy(body_);
  }

  [[nodiscard]] Body* get() const { return body_; }
  /// Is this the only one that holds it? Then what others read of it came before. REQUIRES: not
  /// null.
  [[nodiscard]] bool alone() const { return body_->uses.load(std::memory_order_acquire) == 1; }

 private:
  Body* body_ = nullptr;
};

}  // namespace swarmgate
