#include "consul/keys.h"

#include <fmt/format.h>

#include <iterator>

namespace swarmgate::consul {
namespace {

bool IsPlain(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string EscapeName(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (IsPlain(c)) {
      out.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(out), "~{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::optional<std::string> UnescapeName(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (IsPlain(text[0])) {
      out.push_back(text[0]);
      text.remove_prefix(1);
      continue;
    }
    if (text[0] != '~' || text.size() < 3) return std::nullopt;
    const int high = HexValue(text[1]);
    const int low = HexValue(text[2]);
    if (high < 0 || low < 0) return std::nullopt;
    const char byte = static_cast<char>(high * 16 + low);
    if (IsPlain(byte)) return std::nullopt;  // one name, one key
    out.push_back(byte);
    text.remove_prefix(3);
  }
  if (out.empty()) return std::nullopt;
  return out;
}

Keys::Keys(std::string_view instance) {
  const std::string prefix = EscapeName(instance) + "/";
  services = prefix + "services/";
  journal = prefix + "journal";
  replicas = prefix + "replicas/";
}

std::string Keys::Service(std::string_view name) const { return services + EscapeName(name); }

std::optional<std::string> Keys::NameOf(std::string_view key) const {
  if (!key.starts_with(services)) return std::nullopt;
  return UnescapeName(key.substr(services.size()));
}

}  // namespace swarmgate::consul
