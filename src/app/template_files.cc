#include "app/template_files.h"

#include <filesystem>
#include <system_error>

#include "app/certificate_files.h"

namespace swarmgate::app {
namespace {

constexpr std::size_t kMaxTemplate = 64U << 10U;

}  // namespace

Result<std::string> ReadTemplate(const std::string& folder, const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path root = fs::canonical(folder, error);
  if (error) {
    return Fail(Code::kUnavailable, "the proxy has no folder " + folder + " (TEMPLATES_PATH)");
  }
  // Told before anything is looked at: whether another file is there is nobody's business.
  const auto below = [&root](const fs::path& file) {
    const fs::path relative = file.lexically_relative(root);
    return !relative.empty() && *relative.begin() != ".." && relative != ".";
  };
  const fs::path wanted = (fs::path(folder) / path).lexically_normal();
  const fs::path relative = wanted.lexically_relative(fs::path(folder).lexically_normal());
  const bool named = !relative.empty() && *relative.begin() != "..";
  const fs::path file = named ? fs::canonical(root / relative, error) : fs::path();
  if (!named || (!error && !below(file))) {
    return Fail(Code::kInvalidArgument,
                "only files below the proxy's TEMPLATES_PATH, " + folder + ", are templates");
  }
  if (error == std::errc::no_such_file_or_directory) {
    return Fail(Code::kNotFound, "there is no such file below " + folder);
  }
  if (error) return Fail(Code::kUnavailable, error.message());
  if (!fs::is_regular_file(file, error)) return Fail(Code::kInvalidArgument, "it is no file");
  auto text = ReadSecretFile(file.string(), kMaxTemplate);
  if (!text) return Fail(text.error().code, text.error().message);
  return text;
}

}  // namespace swarmgate::app
