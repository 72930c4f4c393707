// The one error type of the project, and Result<T>, which carries either a value or that error.
//
// Below the application layer nothing throws: a function that can fail returns Result<T> (or
// Status), and whoever receives it decides by `code` (never by text) whether to retry. A user's
// mistake in a label is not an Error but a model::Diagnostic.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace swarmgate {

/// Why an operation failed. Retry is decided by this alone.
enum class Code {
  kInvalidArgument,   ///< the caller's input is wrong; the same call fails again
  kNotFound,          ///< the named thing does not exist
  kConflict,          ///< a concurrent change won (compare-and-set failed, or two owners)
  kUnavailable,       ///< the other side cannot be reached now; try again later
  kDeadlineExceeded,  ///< no answer in time; the operation may or may not have happened
  kRejected,          ///< the other side understood and refused (HAProxy said no, HTTP 4xx)
  kCorrupt,           ///< bytes that do not have the expected form
  kCancelled,         ///< stopped on request
  kInternal,          ///< a bug or an exhausted machine
};

/// The stable lower-case name of a code, for logs and the API ("not_found").
std::string_view CodeName(Code code);

/// What went wrong, for a program (`code`) and for a person (`message`).
struct Error {
  Code code = Code::kInternal;
  std::string message;  ///< one clear sentence, no newline
  std::string
      context;  ///< what was being done, innermost last ("docker: GET /services"); may be empty

  /// "context: message", or only the message.
  [[nodiscard]] std::string ToString() const;

  friend bool operator==(const Error&, const Error&) = default;
};

/// Either a value or an Error. Must not be dropped.
/// tl::expected of Debian is not [[nodiscard]]; its and_then refuses callables that return a
/// derived class, so use early returns.
template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

/// A Result without a value.
using Status = Result<void>;

/// Builds the error side of any Result: `return Fail(Code::kNotFound, "no such service");`
[[nodiscard]] inline tl::unexpected<Error> Fail(Code code, std::string message,
                                                std::string context = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message), std::move(context)});
}

/// Hands an error on: `if (!r) return Forward(r.error(), "listing services");` The context is put
/// in front.
[[nodiscard]] tl::unexpected<Error> Forward(Error error, std::string_view context = {});

/// The success value of a Status: `return Ok();`
[[nodiscard]] inline Status Ok() { return {}; }

}  // namespace swarmgate
