// Cuts JSON that arrives in pieces into its elements, so that a list of any length is read one
// element at a time and an endless stream of events can be read at all. It only counts brackets and
// skips strings; whether an element is JSON is for JsonValue::Parse to say.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "swarmgate/base/error.h"

namespace swarmgate::codec {

class JsonSplitter {
 public:
  enum class Form {
    kArray,     ///< one array of objects, or null (Go writes an empty list so)
    kSequence,  ///< objects one after the other, with white space between
  };
  /// Gets each object's text, which is valid during the call only. An error stops the splitter.
  using Sink = std::function<Status(std::string_view element)>;

  JsonSplitter(Form form, std::size_t max_element_bytes, Sink sink);

  /// Errors: kCorrupt when the text is not of the form, or an element is too large; the sink's.
  /// After an error the splitter is of no use.
  Status Feed(std::string_view piece);

  /// REQUIRES: no Feed failed. Errors: kCorrupt when the text ends before its form does.
  Status Finish() const;

 private:
  enum class State { kStart, kNull, kFirst, kElement, kAfter, kNext, kEnd };

  Status Between(char c);
  Status TakeElement(std::string_view piece, std::size_t* at);
  /// Moves `*at` behind the element's end, if that is in this piece.
  bool ScanElement(std::string_view piece, std::size_t* at);

  Form form_;
  std::size_t max_element_;
  Sink sink_;
  State state_;
  std::string pending_;  ///< the beginning of an element that earlier pieces brought
  std::size_t depth_ = 0;
  std::size_t null_at_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace swarmgate::codec
