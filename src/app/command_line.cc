#include "app/command_line.h"

#include <limits>

#include "app/option_values.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::app {
namespace {

std::string Variable(const std::map<std::string, std::string>& environment, const char* name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

Result<std::string> NormalizeAddress(std::string address) {
  if (address.find("://") == std::string::npos) address = "http://" + address;
  const bool known = address.rfind("http://", 0) == 0 || address.rfind("https://", 0) == 0;
  if (!known || address.find_first_of(" \t\r\n\"'\\?#@") != std::string::npos) {
    return Fail(Code::kInvalidArgument, "address '" + Printable(address, 100) +
                                            "': write for example http://127.0.0.1:8080");
  }
  while (address.back() == '/') address.pop_back();
  return address;
}

Result<std::string> DefaultAddress(const std::map<std::string, std::string>& environment) {
  if (std::string address = Variable(environment, "SWARMGATE_ADDRESS"); !address.empty()) {
    return NormalizeAddress(std::move(address));
  }
  std::string ip = Variable(environment, "IP");
  if (ip.empty() || ip == "0.0.0.0") ip = "127.0.0.1";
  if (ip == "::") ip = "::1";
  std::string port = Variable(environment, "PORT");
  if (port.empty()) port = "8080";
  const auto number = ParseUint(port, 65535);
  if (!number || *number == 0) {
    return Fail(Code::kInvalidArgument,
                "PORT=" + Printable(port, 60) + ": a port is a number from 1 to 65535");
  }
  return NormalizeAddress((ip.find(':') == std::string::npos ? ip : "[" + ip + "]") + ":" + port);
}

/// Reads flags one by one.
class Reader {
 public:
  explicit Reader(const std::vector<std::string>& arguments) : arguments_(arguments) {}

  Status Read(CommandLine& line) {
    for (; next_ < arguments_.size(); ++next_) {
      const std::string& word = arguments_[next_];
      if (only_words_ || word.size() < 2 || word[0] != '-') {
        line.words.push_back(word);
      } else if (word == "--") {
        only_words_ = true;
      } else if (const Status read = ReadFlag(word, line); !read) {
        return read;
      }
    }
    return Ok();
  }

  std::string address;

 private:
  Status ReadFlag(const std::string& word, CommandLine& line) {
    const auto equals = word.find('=');
    const std::string name = word.substr(0, equals);
    if (name == "--help" || name == "-h") {
      line.help = true;
      return Ok();
    }
    if (name == "--follow" || name == "-f") {
      line.follow = true;
      return Ok();
    }
    if (name == "--ready") {
      line.ready = true;
      return Ok();
    }
    if (name == "--allow-raw-config") {
      return equals == std::string::npos
                 ? ParseBool("true", line.allow_raw_config)
                 : ParseBool(word.substr(equals + 1), line.allow_raw_config);
    }
    static const std::vector<std::string> kWithValue = {
        "--address", "--token", "--output", "-o", "--after", "--label-prefix", "--templates-path"};
    bool known = false;
    for (const std::string& candidate : kWithValue) known = known || candidate == name;
    if (!known) {
      const auto close = ClosestMatch(name, kWithValue);
      return Fail(Code::kInvalidArgument, "unknown flag '" + Printable(name, 60) + "'" +
                                              (close ? "; did you mean " + *close + "?" : ""));
    }
    std::string value;
    if (equals != std::string::npos) {
      value = word.substr(equals + 1);
    } else if (next_ + 1 < arguments_.size()) {
      value = arguments_[++next_];
    } else {
      return Fail(Code::kInvalidArgument, name + " needs a value");
    }
    return Store(name, std::move(value), line);
  }

  Status Store(const std::string& name, std::string value, CommandLine& line) {
    if (name == "--address") {
      address = std::move(value);
    } else if (name == "--token") {
      line.token = std::move(value);
    } else if (name == "--label-prefix") {
      line.prefix = std::move(value);
    } else if (name == "--templates-path") {
      line.templates_path = std::move(value);
    } else if (name == "--after") {
      const auto number = ParseUint(value, 1ULL << 62U);
      if (!number) return Fail(Code::kInvalidArgument, "--after needs the number of an event");
      line.after = *number;
    } else if (value == "json" || value == "table") {
      line.json = value == "json";
    } else {
      return Fail(Code::kInvalidArgument, "--output is table or json");
    }
    return Ok();
  }

  const std::vector<std::string>& arguments_;
  std::size_t next_ = 0;
  bool only_words_ = false;
};

}  // namespace

Result<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments,
                                     const std::map<std::string, std::string>& environment) {
  CommandLine line;
  line.token = Variable(environment, "ADMIN_TOKEN");
  if (const std::string prefix = Variable(environment, "LABEL_PREFIX"); !prefix.empty()) {
    line.prefix = prefix;
  }
  if (const std::string path = Variable(environment, "TEMPLATES_PATH"); !path.empty()) {
    line.templates_path = path;
  }
  if (const std::string raw = Variable(environment, "ALLOW_RAW_CONFIG"); !raw.empty()) {
    const Status read = ParseBool(raw, line.allow_raw_config);
    if (!read) return Forward(read.error(), "ALLOW_RAW_CONFIG");
  }
  Reader reader(arguments);
  if (const Status read = reader.Read(line); !read) return Forward(read.error());
  auto address = reader.address.empty() ? DefaultAddress(environment)
                                        : NormalizeAddress(std::move(reader.address));
  if (!address) {
    if (line.help) return line;
    return Forward(address.error());
  }
  line.address = *std::move(address);
  for (const char c : line.token) {
    if (c <= ' ' || c >= 127) {
      return Fail(Code::kInvalidArgument, "the token has characters that no token has");
    }
  }
  return line;
}

}  // namespace swarmgate::app
