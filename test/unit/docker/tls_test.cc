// TLS to the daemon, with real handshakes: certificates made by openssl, a server that demands one
// of the client, and the adapter as it is used.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "support/child_process.h"
#include "support/paths.h"
#include "support/test_root.h"
#include "swarmgate/docker/docker_api.h"
#include "unit/http/scripted_server.h"

namespace swarmgate::docker {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)
using testing::Exchange;

SteadyTime In(Duration duration) { return std::chrono::steady_clock::now() + duration; }

void OpenSsl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "openssl");
  testing::ChildOptions options;
  options.argv = std::move(arguments);
  const testing::CommandResult result = testing::RunCommand(options, 60s);
  if (result.exit_code != 0) throw std::runtime_error(result.output);
}

/// A folder as DOCKER_CERT_PATH wants it: ca.pem, cert.pem and key.pem, of an authority of its own.
class CertificateFolder {
 public:
  /// `subject_alternative`: of the certificate, "IP:127.0.0.1".
  CertificateFolder(const std::string& name, const std::string& subject_alternative) : dir_(name) {
    testing::WriteFile(dir_.File("extensions"), "subjectAltName=" + subject_alternative + "\n");
    OpenSsl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-days", "2", "-subj", "/CN=authority " + name, "-keyout", dir_.File("ca-key.pem"),
             "-out", dir_.File("ca.pem")});
    Issue(subject_alternative);
  }
  /// Another certificate of the same authority.
  void Issue(const std::string& subject_alternative) const {
    testing::WriteFile(dir_.File("extensions"), "subjectAltName=" + subject_alternative + "\n");
    OpenSsl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
             "/CN=somebody", "-keyout", dir_.File("key.pem"), "-out", dir_.File("request.pem")});
    OpenSsl({"x509", "-req", "-days", "2", "-in", dir_.File("request.pem"), "-CA",
             dir_.File("ca.pem"), "-CAkey", dir_.File("ca-key.pem"), "-CAcreateserial", "-extfile",
             dir_.File("extensions"), "-out", dir_.File("cert.pem")});
  }
  /// Our key and certificate, but this authority is trusted.
  void Trust(const CertificateFolder& other) const {
    testing::WriteFile(dir_.File("ca.pem"), testing::ReadFile(other.dir_.File("ca.pem")));
  }
  [[nodiscard]] const std::string& path() const { return dir_.path(); }
  [[nodiscard]] std::string File(const std::string& name) const { return dir_.File(name); }

 private:
  testing::TempDir dir_;
};

/// Takes TLS off connections to a port of 127.0.0.1 and passes them on to a unix socket, one after
/// the other; clients must show a certificate of the same authority.
class TlsFront {
 public:
  TlsFront(const CertificateFolder& identity, std::string target) : target_(std::move(target)) {
    context_.reset(SSL_CTX_new(TLS_server_method()));
    const std::string ca = identity.File("ca.pem");
    if (SSL_CTX_use_certificate_file(context_.get(), identity.File("cert.pem").c_str(),
                                     SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(context_.get(), identity.File("key.pem").c_str(),
                                    SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_load_verify_locations(context_.get(), ca.c_str(), nullptr) != 1) {
      throw std::runtime_error("the server's certificates cannot be used");
    }
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
        listen(listener_, 16) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("cannot listen");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Run(); });
  }
  ~TlsFront() {
    stop_ = true;
    thread_.join();
    close(listener_);
  }
  TlsFront(const TlsFront&) = delete;
  TlsFront& operator=(const TlsFront&) = delete;

  [[nodiscard]] std::string url() const { return "tcp://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int handshakes() const { return handshakes_; }

 private:
  static bool Readable(int fd) {
    pollfd one{fd, POLLIN, 0};
    return poll(&one, 1, 20) > 0;
  }
  void Run() {
    while (!stop_) {
      if (!Readable(listener_)) continue;
      const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      const std::unique_ptr<SSL, void (*)(SSL*)> tls(SSL_new(context_.get()), &SSL_free);
      SSL_set_fd(tls.get(), client);
      if (SSL_accept(tls.get()) == 1) {
        ++handshakes_;
        Pump(tls.get(), client);
      }
      close(client);
    }
  }
  void Pump(SSL* tls, int client) {
    const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    target_.copy(address.sun_path, sizeof address.sun_path - 1);
    bool open = connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    std::array<char, 16384> buffer{};
    while (open && !stop_) {
      std::array<pollfd, 2> fds = {{{client, POLLIN, 0}, {server, POLLIN, 0}}};
      if (SSL_pending(tls) == 0 && poll(fds.data(), fds.size(), 20) <= 0) continue;
      if (SSL_pending(tls) > 0 || fds[0].revents != 0) {
        const int got = SSL_read(tls, buffer.data(), static_cast<int>(buffer.size()));
        open = got > 0 && write(server, buffer.data(), static_cast<std::size_t>(got)) == got;
      }
      if (open && fds[1].revents != 0) {
        const ssize_t got = read(server, buffer.data(), buffer.size());
        open = got > 0 && SSL_write(tls, buffer.data(), static_cast<int>(got)) == got;
      }
    }
    close(server);
  }

  std::string target_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_{nullptr, &SSL_CTX_free};
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<int> handshakes_{0};
  std::thread thread_;
};

class DockerTlsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!testing::HaveProgram("openssl")) return;
    ours_ = new CertificateFolder("ours", "IP:127.0.0.1");
    others_ = new CertificateFolder("others", "IP:127.0.0.1");
  }
  static void TearDownTestSuite() {
    delete ours_;
    delete others_;
    ours_ = others_ = nullptr;
  }
  void SetUp() override {
    // A client that refuses the certificate closes while the server still writes.
    (void)std::signal(SIGPIPE, SIG_IGN);
    if (ours_ == nullptr) GTEST_SKIP() << "no openssl on this machine";
  }

  static void Answer(const Exchange& exchange) {
    std::string path = exchange.target.substr(0, exchange.target.find('?'));
    if (path.rfind("/v1.", 0) == 0) path.erase(0, path.find('/', 1));
    if (path == "/version" || path == "/info") {
      return exchange.Reply(
          200, testing::ReadFile(testing::SourcePath("fixtures/docker/20.10") + path + ".json"));
    }
    const bool list = path == "/services" || path == "/tasks" || path == "/containers/json" ||
                      path == "/networks" || path == "/nodes";
    exchange.Reply(list ? 200 : 404, list ? "[]" : R"({"message":"no such thing"})");
  }

  Result<model::DockerFacts> List(const std::string& url, const std::string& cert_path,
                                  bool verify = true) {
    DockerOptions options;
    options.host = url;
    options.tls = true;
    options.tls_verify = verify;
    options.cert_path = cert_path;
    auto api = MakeDockerApi(options);
    if (!api) return Forward(api.error());
    return (*api)->List(In(20s));
  }

  static CertificateFolder* ours_;
  static CertificateFolder* others_;
  testing::ScriptedServer daemon_{Answer};
};

CertificateFolder* DockerTlsTest::ours_ = nullptr;
CertificateFolder* DockerTlsTest::others_ = nullptr;

TEST_F(DockerTlsTest, BothSidesShowACertificateOfTheSameAuthority) {
  const TlsFront front(*ours_, daemon_.path());
  const auto facts = List(front.url(), ours_->path());
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_EQ(facts->api_version, "1.41");
  EXPECT_GE(front.handshakes(), 1);
}

TEST_F(DockerTlsTest, ADaemonOfAnotherAuthorityIsRefusedAndAskedNothing) {
  const TlsFront front(*others_, daemon_.path());
  const auto facts = List(front.url(), ours_->path());
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, Code::kUnavailable);
  EXPECT_NE(facts.error().ToString().find("certificate"), std::string::npos)
      << facts.error().ToString();
  EXPECT_TRUE(daemon_.targets().empty());
}

TEST_F(DockerTlsTest, ADaemonWithTheCertificateOfAnotherHostIsRefused) {
  const CertificateFolder elsewhere("elsewhere", "DNS:manager.example.com");
  const TlsFront front(elsewhere, daemon_.path());
  const auto facts = List(front.url(), elsewhere.path());
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, Code::kUnavailable);
  EXPECT_TRUE(daemon_.targets().empty());
}

TEST_F(DockerTlsTest, AClientWhoseCertificateTheDaemonDoesNotKnowGetsNothing) {
  const CertificateFolder stranger("stranger", "IP:127.0.0.1");
  stranger.Trust(*ours_);
  const TlsFront front(*ours_, daemon_.path());
  const auto facts = List(front.url(), stranger.path());
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, Code::kUnavailable) << facts.error().ToString();
  EXPECT_EQ(front.handshakes(), 0);
  EXPECT_TRUE(daemon_.targets().empty());
}

TEST_F(DockerTlsTest, WithoutVerificationAnyDaemonIsTaken) {
  const CertificateFolder unknown("unknown", "DNS:manager.example.com");
  const TlsFront front(unknown, daemon_.path());
  const auto facts = List(front.url(), unknown.path(), false);
  EXPECT_TRUE(facts) << facts.error().ToString();
}

TEST_F(DockerTlsTest, CertificatesThatAreNotThereAreNamed) {
  const auto facts = List("tcp://127.0.0.1:1", daemon_.path() + ".nowhere");
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, Code::kInvalidArgument);
  EXPECT_NE(facts.error().ToString().find("DOCKER_CERT_PATH"), std::string::npos);
}

}  // namespace
}  // namespace swarmgate::docker
