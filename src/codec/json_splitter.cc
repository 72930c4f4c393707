#include "swarmgate/codec/json_splitter.h"

#include <fmt/format.h>

#include "swarmgate/base/strings.h"

namespace swarmgate::codec {
namespace {

constexpr std::string_view kNullWord = "null";

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

tl::unexpected<Error> Unexpected(char c, std::string_view expected) {
  return Fail(Code::kCorrupt, fmt::format("not the JSON that was expected: '{}' instead of {}",
                                          Printable(std::string_view(&c, 1)), expected));
}

}  // namespace

JsonSplitter::JsonSplitter(Form form, std::size_t max_element_bytes, Sink sink)
    : form_(form),
      max_element_(max_element_bytes),
      sink_(std::move(sink)),
      state_(form == Form::kArray ? State::kStart : State::kNext) {}

Status JsonSplitter::Feed(std::string_view piece) {
  for (std::size_t at = 0; at < piece.size();) {
    if (state_ != State::kElement) {
      if (Status status = Between(piece[at]); !status) return status;
      if (state_ != State::kElement) ++at;
      continue;
    }
    if (Status status = TakeElement(piece, &at); !status) return status;
  }
  return Ok();
}

Status JsonSplitter::Between(char c) {
  if (state_ == State::kNull) {
    if (c != kNullWord[null_at_]) return Unexpected(c, "null");
    if (++null_at_ == kNullWord.size()) state_ = State::kEnd;
    return Ok();
  }
  if (IsSpace(c)) return Ok();
  switch (state_) {
    case State::kStart:
      if (c == 'n') {
        state_ = State::kNull;
        null_at_ = 1;
        return Ok();
      }
      if (c != '[') return Unexpected(c, "a list");
      state_ = State::kFirst;
      return Ok();
    case State::kFirst:
    case State::kNext:
      if (c == ']' && state_ == State::kFirst) {
        state_ = State::kEnd;
        return Ok();
      }
      if (c != '{') return Unexpected(c, "an object");
      state_ = State::kElement;
      return Ok();
    case State::kAfter:
      if (c != ',' && c != ']') return Unexpected(c, "',' or ']'");
      state_ = c == ',' ? State::kNext : State::kEnd;
      return Ok();
    default:
      return Unexpected(c, "the end");
  }
}

Status JsonSplitter::TakeElement(std::string_view piece, std::size_t* at) {
  const std::size_t begin = *at;
  const bool complete = ScanElement(piece, at);
  const std::string_view part = piece.substr(begin, *at - begin);
  if (part.size() > max_element_ || pending_.size() > max_element_ - part.size()) {
    return Fail(Code::kCorrupt,
                fmt::format("a JSON element is larger than the limit of {} bytes", max_element_));
  }
  if (!complete) {
    pending_.append(part);
    return Ok();
  }
  state_ = form_ == Form::kArray ? State::kAfter : State::kNext;
  if (pending_.empty()) return sink_(part);
  pending_.append(part);
  Status status = sink_(pending_);
  pending_.clear();
  return status;
}

bool JsonSplitter::ScanElement(std::string_view piece, std::size_t* at) {
  for (; *at < piece.size(); ++*at) {
    const char c = piece[*at];
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && --depth_ == 0) {
      ++*at;
      return true;
    }
  }
  return false;
}

Status JsonSplitter::Finish() const {
  const bool whole = form_ == Form::kArray ? state_ == State::kEnd : state_ == State::kNext;
  if (!whole) return Fail(Code::kCorrupt, "the JSON text ends too early");
  return Ok();
}

}  // namespace swarmgate::codec
