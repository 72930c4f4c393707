// A value that is never changed and whose copies are one object: read like a std::optional,
// compared by content, copied for nothing.
#pragma once

#include <memory>
#include <optional>
#include <utility>

namespace swarmgate {

template <typename T>
class Shared {
 public:
  Shared() = default;
  Shared(T value)  // NOLINT(google-explicit-constructor): the same value
      : value_(std::make_shared<T>(std::move(value))) {}
  Shared(std::optional<T> value) {  // NOLINT(google-explicit-constructor): the same value
    if (value) value_ = std::make_shared<T>(std::move(*value));
  }
  /// May be null: no value.
  Shared(std::shared_ptr<const T> value)  // NOLINT(google-explicit-constructor): the same value
      : value_(std::move(value)) {}

  [[nodiscard]] bool has_value() const { return value_ != nullptr; }
  explicit operator bool() const { return has_value(); }
  /// REQUIRES: has_value().
  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }
  [[nodiscard]] const std::shared_ptr<const T>& pointer() const { return value_; }

  friend bool operator==(const Shared& a, const Shared& b) {
    if (a.value_ == b.value_) return true;
    return a.value_ && b.value_ && *a.value_ == *b.value_;
  }

 private:
  std::shared_ptr<const T> value_;
};

}  // namespace swarmgate
