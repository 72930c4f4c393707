#include "swarmgate/base/error.h"

namespace swarmgate {

std::string_view CodeName(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return "invalid_argument";
    case Code::kNotFound:
      return "not_found";
    case Code::kConflict:
      return "conflict";
    case Code::kUnavailable:
      return "unavailable";
    case Code::kDeadlineExceeded:
      return "deadline_exceeded";
    case Code::kRejected:
      return "rejected";
    case Code::kCorrupt:
      return "corrupt";
    case Code::kCancelled:
      return "cancelled";
    case Code::kInternal:
      return "internal";
  }
  return "internal";
}

std::string Error::ToString() const { return context.empty() ? message : context + ": " + message; }

tl::unexpected<Error> Forward(Error error, std::string_view context) {
  if (!context.empty()) {
    error.context =
        error.context.empty() ? std::string(context) : std::string(context) + ": " + error.context;
  }
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace swarmgate
