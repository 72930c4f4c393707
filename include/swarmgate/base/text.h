// A text that is kept in very many places, or that very many objects say alike (the node of each
// task, its state).
#pragma once

#include <atomic>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace swarmgate {

class Text;
template <typename T>
concept LikeText = std::convertible_to<const T&, std::string_view> && !std::same_as<T, Text>;

/// A text that never changes; copies share it. Thread: any; each object is one thread's, what they
/// share may be several's.
class Text {
 public:
  Text() = default;
  Text(std::string value)  // NOLINT(google-explicit-constructor): the same text
      : body_(value.empty() ? nullptr : new Body(std::move(value))) {}
  Text(const char* value)  // NOLINT(google-explicit-constructor): as above
      : Text(std::string(value)) {}
  Text(const Text& other) noexcept : body_(other.body_) {
    if (body_ != nullptr) body_->uses.fetch_add(1, std::memory_order_relaxed);
  }
  Text(Text&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
  Text& operator=(Text other) noexcept {
    std::swap(body_, other.body_);
    return *this;
  }
  ~Text() {
    // Whoever is the last sees what the others did before they let go.
    if (body_ != nullptr && body_->uses.fetch_sub(1, std::memory_order_acq_rel) == 1) delete body_;
  }

  operator const std::string&() const {  // NOLINT(google-explicit-constructor): as above
    return str();
  }
  operator std::string_view() const {  // NOLINT(google-explicit-constructor): as above
    return str();
  }
  [[nodiscard]] const std::string& str() const {
    static const std::string none;
    return body_ != nullptr ? body_->value : none;
  }
  // Read as any other text.
  [[nodiscard]] bool empty() const { return body_ == nullptr; }
  [[nodiscard]] std::size_t size() const { return str().size(); }
  [[nodiscard]] bool starts_with(std::string_view text) const { return str().starts_with(text); }
  [[nodiscard]] bool ends_with(std::string_view text) const { return str().ends_with(text); }
  /// REQUIRES: not empty.
  [[nodiscard]] char front() const { return str().front(); }
  [[nodiscard]] char back() const { return str().back(); }
  friend std::string operator+(std::string a, const Text& b) { return std::move(a) + b.str(); }
  template <LikeText Other>
  friend std::string operator+(const Text& a, const Other& b) {
    return a.str() + std::string(b);
  }
  friend bool operator==(const Text& a, const Text& b) {
    return a.body_ == b.body_ || a.str() == b.str();
  }
  friend std::strong_ordering operator<=>(const Text& a, const Text& b) {
    if (a.body_ == b.body_) return std::strong_ordering::equal;
    return a.str() <=> b.str();
  }
  template <LikeText Other>
  friend bool operator==(const Text& a, const Other& b) {
    return std::string_view(a.str()) == std::string_view(b);
  }
  template <LikeText Other>
  friend std::strong_ordering operator<=>(const Text& a, const Other& b) {
    return std::string_view(a.str()) <=> std::string_view(b);
  }

 private:
  struct Body {
    explicit Body(std::string text) : value(std::move(text)) {}
    const std::string value;
    std::atomic<std::uint32_t> uses{1};
  };
  Body* body_ = nullptr;  ///< null: empty
};

}  // namespace swarmgate

template <>
struct std::hash<swarmgate::Text> {
  std::size_t operator()(const swarmgate::Text& text) const noexcept {
    return std::hash<std::string>()(text.str());
  }
};

namespace swarmgate {

/// Makes equal texts one. Thread: one at a time.
class TextPool {
 public:
  /// More than these are forgotten: whoever holds one goes on holding it, and later ones are
  /// others.
  static constexpr std::size_t kMost = 4096;

  void Share(Text& text) {
    if (text.empty()) return;
    if (known_.size() >= kMost) known_.clear();
    text = *known_.insert(text).first;
  }
  [[nodiscard]] std::size_t size() const { return known_.size(); }

 private:
  std::unordered_set<Text> known_;
};

}  // namespace swarmgate
