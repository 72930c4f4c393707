// Calls of the admin API, for the client commands.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/command_line.h"
#include "swarmgate/base/error.h"
#include "swarmgate/http/client.h"

namespace swarmgate::app {

class AdminClient {
 public:
  explicit AdminClient(const CommandLine& line);

  /// Errors: as http::Client::Send.
  Result<http::Response> Get(const std::string& target);
  Result<http::Response> Post(const std::string& target);
  /// Lines as they come, until the stream ends or `on_line` fails.
  Result<http::Response> Lines(const std::string& target,
                               const std::function<Status(std::string_view)>& on_line);

 private:
  Result<http::Response> Send(const char* method, const std::string& target);
  [[nodiscard]] http::Request Make(const char* method, const std::string& target) const;

  std::string token_;
  http::Client client_;
};

/// "?a=b&c=d", escaped; empty for none.
[[nodiscard]] std::string QueryText(const std::vector<std::pair<std::string, std::string>>& pairs);

}  // namespace swarmgate::app
