#include "haproxy/server_words.h"

#include "haproxy/quote.h"
#include "swarmgate/base/check.h"

namespace swarmgate::haproxy {
namespace {

/// As it is in files and on the Runtime API, which knows no quotes.
const std::string& Plain(const std::string& word) {
  SWARMGATE_CHECK(Quote(word) == word);
  return word;
}

}  // namespace

std::string ServerWords(const model::ServerOptions& options) {
  using Tls = model::ServerOptions::Tls;
  // 2.6 reuses no connection of a dynamic server unless it is told so.
  std::string words = " pool-max-conn -1 pool-purge-delay 5s";
  if (options.tls == Tls::kUnverified) words += " ssl verify none";
  if (options.tls == Tls::kVerified) {
    words += " ssl verify required ca-file " + Plain(options.ca_file);
  }
  if (options.tls != Tls::kNone && !options.tls_name.empty()) {
    words += " sni str(" + Plain(options.tls_name) + ")";
    if (options.tls == Tls::kVerified) words += " verifyhost " + Plain(options.tls_name);
  }
  if (options.http2) words += options.tls == Tls::kNone ? " proto h2" : " alpn h2";
  if (options.send_proxy) words += " send-proxy-v2";
  if (options.max_connections > 0) {
    words += " maxconn " + std::to_string(options.max_connections);
  }
  if (options.check_interval) {
    words += " check inter " + std::to_string(options.check_interval->count()) + "ms";
    // A check speaks as a request does; for a server that comes by command all of it must be said.
    if (options.send_proxy) words += " check-send-proxy";
    if (options.tls != Tls::kNone) words += " check-ssl";
    if (options.tls != Tls::kNone && options.http2) words += " check-alpn h2";
    if (options.tls != Tls::kNone && !options.tls_name.empty()) {
      words += " check-sni " + Plain(options.tls_name);
    }
  }
  return words;
}

}  // namespace swarmgate::haproxy
