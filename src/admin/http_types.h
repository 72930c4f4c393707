// A request and a response of the admin API, free of any HTTP library.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace swarmgate::admin {

struct Request {
  std::string method = "GET";
  std::string path = "/";                      ///< decoded
  std::map<std::string, std::string> query;    ///< decoded; the first of repeated names
  std::map<std::string, std::string> headers;  ///< lower-case names; the first of repeated ones
  std::string remote_address;
  std::string body;  ///< only of PUT …/cert; may hold a key: never logged

  [[nodiscard]] std::string Query(const std::string& name) const {
    const auto found = query.find(name);
    return found == query.end() ? std::string() : found->second;
  }
  [[nodiscard]] std::string Header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  /// Stream events after this sequence instead of the body.
  std::optional<std::uint64_t> follow_after;
};

}  // namespace swarmgate::admin
