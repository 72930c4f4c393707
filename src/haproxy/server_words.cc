#include "haproxy/server_words.h"

#include "haproxy/quote.h"

namespace swarmgate::haproxy {

std::string ServerWords(const model::ServerOptions& options) {
  using Tls = model::ServerOptions::Tls;
  // 2.6 reuses no connection of a dynamic server unless it is told so.
  std::string words = " pool-max-conn -1 pool-purge-delay 5s";
  if (options.tls == Tls::kUnverified) words += " ssl verify none";
  if (options.tls == Tls::kVerified) words += " ssl verify required ca-file @system-ca";
  if (options.tls != Tls::kNone && !options.tls_name.empty()) {
    words += " sni " + Quote("str(" + options.tls_name + ")");
    if (options.tls == Tls::kVerified) words += " verifyhost " + Quote(options.tls_name);
  }
  if (options.http2) words += options.tls == Tls::kNone ? " proto h2" : " alpn h2";
  if (options.send_proxy) words += " send-proxy-v2";
  if (options.max_connections > 0) {
    words += " maxconn " + std::to_string(options.max_connections);
  }
  if (options.check_interval) {
    words += " check inter " + std::to_string(options.check_interval->count()) + "ms";
  }
  return words;
}

}  // namespace swarmgate::haproxy
