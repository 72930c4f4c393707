#include "haproxy/certificates.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "haproxy/quote.h"
#include "swarmgate/base/check.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/haproxy/plan.h"

namespace swarmgate::haproxy {
namespace {

// Mozilla's "intermediate" without key exchange by DH; TLS 1.3 has a list of its own.
constexpr const char* kCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

bool HasTls(const Settings& settings) {
  return std::any_of(settings.binds.begin(), settings.binds.end(),
                     [](const Bind& bind) { return bind.tls; });
}

/// Names come out of certificates, checked by whoever read them; here is the last look before they
/// stand in a list of HAProxy's.
bool IsListable(std::string_view name) {
  if (name.substr(0, 2) == "*.") name.remove_prefix(2);
  return !name.empty() && name.size() <= 253 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

std::string FileOf(const model::TlsEntry& entry, const std::vector<std::string>& names) {
  constexpr std::size_t kMaxName = 64;
  std::string content(entry.pem.reveal());
  for (const std::string& name : names) content += '\n' + name;
  if (!entry.staple.empty()) content += '\n' + std::string(entry.staple.reveal());
  std::string stem = entry.name.substr(0, kMaxName);
  std::replace_if(
      stem.begin(), stem.end(),
      [](char c) {
        return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '-' || c == '.' || c == '_');
      },
      '_');
  return "certs/" + stem + "-" + HashHex(content) + ".pem";
}

std::string Base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group =
          group << 8U | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += at + i <= bytes.size() ? kDigits[group >> (18U - 6U * i) & 63U] : '=';
    }
  }
  return text;
}

void AppendPayload(std::string& text, std::string_view payload) {
  text += " <<\n";
  text += payload;
  if (text.back() != '\n') text += '\n';
  text += '\n';
}

}  // namespace

bool ManagesCertificates(const Settings& settings) {
  return HasTls(settings) && settings.tls.crt_list.empty();
}

std::vector<std::string> TlsGlobalLines(const Settings& settings) {
  if (!HasTls(settings)) return {};
  const TlsSettings& tls = settings.tls;
  std::string options = "ssl-default-bind-options ssl-min-ver " + Quote(tls.min_version);
  if (!tls.max_version.empty()) options += " ssl-max-ver " + Quote(tls.max_version);
  for (const std::string& word : tls.words) options += " " + Quote(word);
  return {"ssl-default-bind-ciphers " + Quote(tls.ciphers.empty() ? kCiphers : tls.ciphers),
          options, "tune.ssl.default-dh-param 2048"};
}

std::string TlsTcpBindWords(const TlsSettings& tls) {
  return " ssl crt-list " +
         (tls.crt_list.empty() ? std::string(kCertificateList) : Quote(tls.crt_list));
}

std::string TlsBindWords(const TlsSettings& tls) {
  std::string words = TlsTcpBindWords(tls) + " alpn " + (tls.h2 ? "h2,http/1.1" : "http/1.1");
  if (!tls.ca_file.empty()) words += " ca-file " + Quote(tls.ca_file) + " verify optional";
  return words;
}

void RenderCertificates(const model::TlsDesired& tls, const Settings& settings, Image& image) {
  if (!ManagesCertificates(settings) || tls.default_pem.empty()) return;
  image.default_pem = tls.default_pem;
  image.default_print = tls.default_print;
  for (const model::TlsEntry& entry : tls.entries) {
    std::vector<std::string> names = entry.names;
    std::erase_if(names, [](const std::string& name) { return !IsListable(name); });
    if (names.empty() || entry.pem.empty()) continue;
    image.certificates.insert_or_assign(FileOf(entry, names),
                                        ImageCertificate{names, entry.pem, entry.staple});
  }
}

// --- the Runtime API -----------------------------------------------------------------------------

std::vector<CertificateCommand> EncodeCertificate(const Step& step) {
  const std::string list = kCertificateList;
  std::vector<CertificateCommand> commands;
  const auto set = [&commands](const std::string& file, const model::Secret& pem,
                               const model::Secret& staple) {
    std::string text = "set ssl cert " + EscapeArgument(file);
    AppendPayload(text, pem.reveal());
    commands.push_back({std::move(text), "Transaction ", ""});
    if (!staple.empty()) {
      text = "set ssl cert " + EscapeArgument(file + kStapleEnding);
      AppendPayload(text, Base64(staple.reveal()));
      commands.push_back({std::move(text), "Transaction ", ""});
    }
    commands.push_back({"commit ssl cert " + EscapeArgument(file) + "\n", "Success!", ""});
  };
  if (const auto* add = std::get_if<AddCertificate>(&step)) {
    const std::string file = EscapeArgument(add->file);
    // There already when an earlier attempt got no further.
    commands.push_back(
        {"new ssl cert " + file + "\n", "New empty certificate store", "already exists"});
    set(add->file, add->pem, add->staple);
    std::string line = add->file;
    for (const std::string& name : add->names) line += " " + name;
    std::string text = "add ssl crt-list " + list;
    AppendPayload(text, line);
    commands.push_back({std::move(text), "Success!", ""});
  } else if (const auto* drop = std::get_if<DropCertificate>(&step)) {
    const std::string file = EscapeArgument(drop->file);
    commands.push_back(
        {"del ssl crt-list " + list + " " + file + "\n", "deleted in crtlist", "does not exist"});
    commands.push_back({"del ssl cert " + file + "\n", "' deleted!", "doesn't exist"});
  } else {
    const auto* fallback = std::get_if<SetDefaultCertificate>(&step);
    SWARMGATE_CHECK(fallback != nullptr);
    set(kDefaultCertificate, fallback->pem, {});
  }
  return commands;
}

std::string EncodeAbort(const Step& step) {
  const auto* add = std::get_if<AddCertificate>(&step);
  return "abort ssl cert " + EscapeArgument(add != nullptr ? add->file : kDefaultCertificate) +
         "\n";
}

Status CheckCertificateReply(const CertificateCommand& command, std::string_view reply) {
  if (reply.find(command.expected) != std::string_view::npos) return Ok();
  if (!command.also_good.empty() && reply.find(command.also_good) != std::string_view::npos) {
    return Ok();
  }
  const std::string what = command.text.substr(0, command.text.find_first_of("<\n"));
  if (Trim(reply).empty()) return Fail(Code::kCorrupt, "no answer", what);
  return Fail(Code::kRejected, "HAProxy says: " + Printable(Trim(reply)), what);
}

std::string AskCertificateList() { return std::string("show ssl crt-list ") + kCertificateList; }
std::string AskDefaultCertificate() { return std::string("show ssl cert ") + kDefaultCertificate; }

Result<std::map<std::string, std::vector<std::string>>> ParseCertificateList(
    std::string_view reply) {
  std::map<std::string, std::vector<std::string>> list;
  if (reply.find("didn't find the specified filename") != std::string_view::npos) return list;
  if (reply.size() < 2 || reply.substr(reply.size() - 2) != "\n\n") {
    return Fail(Code::kCorrupt, "the list of certificates is cut");
  }
  for (const std::string_view line : Split(reply, '\n')) {
    if (line.empty() || line.front() == '#') continue;
    const auto words = Split(line, ' ');
    if (words.front() == kDefaultCertificate) continue;
    std::vector<std::string>& names = list[std::string(words.front())];
    for (std::size_t i = 1; i < words.size(); ++i) {
      if (!words[i].empty()) names.emplace_back(words[i]);
    }
    std::sort(names.begin(), names.end());
  }
  return list;
}

std::string ParseCertificatePrint(std::string_view reply) {
  constexpr std::string_view kPrint = "SHA1 FingerPrint: ";
  constexpr std::string_view kChain = "Chain Subject: ";
  std::string print;
  std::size_t chain = 0;
  for (const std::string_view line : Split(reply, '\n')) {
    if (line.substr(0, kPrint.size()) == kPrint) {
      print = ToLower(Trim(line.substr(kPrint.size())));
    }
    if (line.substr(0, kChain.size()) == kChain) ++chain;
  }
  return print.empty() ? print : print + "/" + std::to_string(chain);
}

}  // namespace swarmgate::haproxy
