// Stands between Swarmgate and a real Docker daemon, and on request answers in its place, wrongly.
#ifndef SWARMGATE_TEST_SUPPORT_LYING_DAEMON_H_
#define SWARMGATE_TEST_SUPPORT_LYING_DAEMON_H_

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace swarmgate::testing {

class LyingDaemon {
 public:
  /// Listens on `socket` and passes everything to `real` until told otherwise.
  LyingDaemon(std::string socket, std::string real);
  ~LyingDaemon();
  LyingDaemon(const LyingDaemon&) = delete;
  LyingDaemon& operator=(const LyingDaemon&) = delete;

  [[nodiscard]] const std::string& socket() const { return socket_; }
  /// From now on every request gets these bytes, whatever it asks; connections that are open are
  /// closed. Empty: the truth again.
  void AnswerWith(const std::string& bytes);
  /// Requests that were lied to since the last AnswerWith().
  [[nodiscard]] int lies() const { return lies_; }

 private:
  void Accept();
  void Serve(int client, int generation);
  void Pump(int client, int generation);

  std::string socket_;
  std::string real_;
  int listener_ = -1;
  std::atomic<bool> stop_{false};
  std::atomic<int> generation_{0};
  std::atomic<int> lies_{0};
  std::mutex mutex_;
  std::string answer_;
  std::vector<std::thread> connections_;  // only of the accepting thread
  std::thread accepting_;
};

/// "HTTP/1.1 200 OK" with this JSON body.
std::string JsonAnswer(const std::string& body);

}  // namespace swarmgate::testing

#endif  // SWARMGATE_TEST_SUPPORT_LYING_DAEMON_H_
