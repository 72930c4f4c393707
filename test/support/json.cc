#include "support/json.h"

#include <rapidjson/document.h>
#include <rapidjson/pointer.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace swarmgate::testing {
namespace {

const rapidjson::Value* Find(const std::string& text, const std::string& pointer,
                             rapidjson::Document* document) {
  document->Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  if (document->HasParseError()) return nullptr;
  return rapidjson::Pointer(pointer.data(), pointer.size()).Get(*document);
}

}  // namespace

std::optional<std::string> JsonAt(const std::string& text, const std::string& pointer) {
  rapidjson::Document document;
  const rapidjson::Value* value = Find(text, pointer, &document);
  if (value == nullptr) return std::nullopt;
  if (value->IsString()) return std::string(value->GetString(), value->GetStringLength());
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value->Accept(writer);
  return std::string(buffer.GetString(), buffer.GetSize());
}

std::string JsonText(const std::string& text, const std::string& pointer) {
  return JsonAt(text, pointer).value_or(std::string());
}

size_t JsonCount(const std::string& text, const std::string& pointer) {
  rapidjson::Document document;
  const rapidjson::Value* value = Find(text, pointer, &document);
  if (value == nullptr) return 0;
  if (value->IsArray()) return value->Size();
  return value->IsObject() ? value->MemberCount() : 0;
}

std::string JsonQuote(const std::string& text) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  return {buffer.GetString(), buffer.GetSize()};
}

std::string JsonStep(const std::string& name) {
  std::string step = "/";
  for (char c : name) {
    if (c == '~') {
      step += "~0";
    } else if (c == '/') {
      step += "~1";
    } else {
      step += c;
    }
  }
  return step;
}

}  // namespace swarmgate::testing
