// A text that is kept in very many places, or that very many objects say alike (the node of each
// task, its state).
#pragma once

#include <algorithm>
#include <atomic>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <new>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "swarmgate/base/counted.h"

namespace swarmgate {

class Text;
class TextView;
template <typename T>
concept LikeText = std::convertible_to<const T&, std::string_view> && !std::same_as<T, Text> &&
                   !std::same_as<T, TextView>;

/// What a Text says: holds as long as one of its copies does. A std::string wherever one is needed.
class TextView : public std::string_view {
 public:
  TextView() = default;
  operator std::string() const {  // NOLINT(google-explicit-constructor): the same text
    return std::string(data(), size());
  }

 private:
  friend class Text;
  TextView(const char* text, std::size_t size) : std::string_view(text, size) {}
};

/// A text that never changes; copies share it. Thread: any; each object is one thread's, what they
/// share may be several's.
class Text {
 public:
  Text() = default;
  Text(std::string_view text)  // NOLINT(google-explicit-constructor): the same text
      : body_(text.empty() ? nullptr : Body::Make(text)) {}
  Text(const std::string& text)  // NOLINT(google-explicit-constructor): as above
      : Text(std::string_view(text)) {}
  Text(const char* text)  // NOLINT(google-explicit-constructor): as above
      : Text(std::string_view(text)) {}

  [[nodiscard]] TextView str() const {
    const Body* const body = body_.get();
    return body == nullptr ? TextView() : TextView(body->text(), body->size);
  }
  operator TextView() const {  // NOLINT(google-explicit-constructor): the same text
    return str();
  }
  operator std::string_view() const {  // NOLINT(google-explicit-constructor): as above
    return str();
  }
  operator std::string() const {  // NOLINT(google-explicit-constructor): as above
    return str();
  }
  // Read as any other text.
  [[nodiscard]] bool empty() const { return body_.get() == nullptr; }
  [[nodiscard]] std::size_t size() const { return str().size(); }
  [[nodiscard]] bool starts_with(std::string_view text) const { return str().starts_with(text); }
  [[nodiscard]] bool ends_with(std::string_view text) const { return str().ends_with(text); }
  /// REQUIRES: not empty.
  [[nodiscard]] char front() const { return str().front(); }
  [[nodiscard]] char back() const { return str().back(); }
  friend bool operator==(const Text& a, const Text& b) {
    return a.body_.get() == b.body_.get() || std::string_view(a) == std::string_view(b);
  }
  friend std::strong_ordering operator<=>(const Text& a, const Text& b) {
    if (a.body_.get() == b.body_.get()) return std::strong_ordering::equal;
    return std::string_view(a) <=> std::string_view(b);
  }
  template <typename Other>
  requires LikeText<Other> || std::same_as<Other, TextView>
  friend bool operator==(const Text& a, const Other& b) {
    return std::string_view(a) == std::string_view(b);
  }
  template <typename Other>
  requires LikeText<Other> || std::same_as<Other, TextView>
  friend std::strong_ordering operator<=>(const Text& a, const Other& b) {
    return std::string_view(a) <=> std::string_view(b);
  }

 private:
  /// The text stands behind it: most are so short that a string of their own would be most of it.
  struct Body {
    std::atomic<std::uint32_t> uses;
    std::uint32_t size;
    [[nodiscard]] const char* text() const { return reinterpret_cast<const char*>(this + 1); }
    static Body* Make(std::string_view text) {
      Body* const body = new (::operator new(sizeof(Body) + text.size()))
          Body{{1}, static_cast<std::uint32_t>(text.size())};
      std::copy(text.begin(), text.end(), reinterpret_cast<char*>(body + 1));
      return body;
    }
    static void Destroy(Body* body) {
      body->~Body();
      ::operator delete(body);
    }
  };
  Counted<Body> body_;  ///< null: empty
};

/// Of two texts of which one is kept so.
template <typename A, typename B>
requires(std::convertible_to<const A&, std::string_view>&&
             std::convertible_to<const B&, std::string_view> &&
         (!LikeText<A> || !LikeText<B>)) std::string
operator+(const A& a, const B& b) {
  const std::string_view first = a;
  const std::string_view second = b;
  std::string joined;
  joined.reserve(first.size() + second.size());
  return joined.append(first).append(second);
}
template <typename B>
requires(std::same_as<B, Text> || std::same_as<B, TextView>) std::string operator+(std::string&& a,
                                                                                   const B& b) {
  return std::move(a.append(std::string_view(b)));
}

}  // namespace swarmgate

template <>
struct std::hash<swarmgate::Text> {
  std::size_t operator()(const swarmgate::Text& text) const noexcept {
    return std::hash<std::string_view>()(text);
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
