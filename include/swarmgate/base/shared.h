// A value that is never changed and whose copies are one object: read like a std::optional,
// compared by content, copied for nothing. It costs a pointer where it is.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

namespace swarmgate {

template <typename T>
class Cow;

/// Thread: any; each object is one thread's, what they share may be several's.
template <typename T>
class Shared {
 public:
  Shared() = default;
  Shared(T value)  // NOLINT(google-explicit-constructor): the same value
      : body_(new Body(std::move(value))) {}
  Shared(std::optional<T> value)  // NOLINT(google-explicit-constructor): the same value
      : body_(value ? new Body(std::move(*value)) : nullptr) {}
  Shared(const Shared& other) noexcept : body_(other.body_) {
    if (body_ != nullptr) body_->uses.fetch_add(1, std::memory_order_relaxed);
  }
  Shared(Shared&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
  Shared& operator=(Shared other) noexcept {
    std::swap(body_, other.body_);
    return *this;
  }
  ~Shared() {
    // Whoever is the last sees what the others did before they let go.
    if (body_ != nullptr && body_->uses.fetch_sub(1, std::memory_order_acq_rel) == 1) delete body_;
  }

  [[nodiscard]] bool has_value() const { return body_ != nullptr; }
  explicit operator bool() const { return has_value(); }
  /// REQUIRES: has_value().
  const T& operator*() const { return body_->value; }
  const T* operator->() const { return &body_->value; }

  friend bool operator==(const Shared& a, const Shared& b) {
    if (a.IsSame(b)) return true;
    return a.has_value() && b.has_value() && *a == *b;
  }
  /// One object, or both none.
  [[nodiscard]] bool IsSame(const Shared& other) const { return body_ == other.body_; }

 private:
  friend class Cow<T>;
  struct Body {
    explicit Body(T held) : value(std::move(held)) {}
    T value;
    std::atomic<std::uint32_t> uses{1};
  };
  /// Is this the only one that holds it? Then what others read of it came before.
  [[nodiscard]] bool alone() const { return body_->uses.load(std::memory_order_acquire) == 1; }

  Body* body_ = nullptr;  ///< null: no value
};

}  // namespace swarmgate
