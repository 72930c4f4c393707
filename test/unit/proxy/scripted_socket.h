// A unix socket that answers as a test says: with a text, with silence, by hanging up, with garbage
// without end.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace swarmgate::proxy {

class ScriptedSocket {
 public:
  /// What to do with one question. An empty `reply` and `hang` false is a hang-up.
  struct Answer {
    std::string reply{};
    bool hang = false;     ///< keeps the connection open without another byte
    bool endless = false;  ///< repeats the reply until the other side has enough
  };
  using Script = std::function<Answer(const std::string& question)>;

  ScriptedSocket(const std::string& path, Script script) : script_(std::move(script)) {
    fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    unlink(path.c_str());
    if (bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        listen(fd_, 16) != 0) {
      ADD_FAILURE() << "cannot listen on " << path;
    }
    thread_ = std::thread([this] { Run(); });
  }
  ~ScriptedSocket() {
    stop_ = true;
    shutdown(fd_, SHUT_RDWR);
    thread_.join();
    for (const int fd : hanging_) close(fd);
    close(fd_);
  }
  ScriptedSocket(const ScriptedSocket&) = delete;
  ScriptedSocket& operator=(const ScriptedSocket&) = delete;

  void SetScript(Script script) {
    const std::lock_guard<std::mutex> lock(mutex_);
    script_ = std::move(script);
  }
  [[nodiscard]] std::vector<std::string> questions() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return questions_;
  }

 private:
  void Run() {
    for (;;) {
      const int client = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) return;
      Serve(client);
    }
  }

  void Serve(int client) {
    std::string question;
    char buffer[65536];
    // A payload ends with an empty line, everything else with its line.
    while (question.find('\n') == std::string::npos ||
           (question.find("<<\n") != std::string::npos &&
            question.find("\n\n") == std::string::npos)) {
      const ssize_t got = read(client, buffer, sizeof buffer);
      if (got <= 0) break;
      question.append(buffer, static_cast<std::size_t>(got));
    }
    Answer answer;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      questions_.push_back(question);
      answer = script_(question);
    }
    do {
      if (!Send(client, answer.reply)) break;
    } while (answer.endless && !stop_);
    if (answer.hang) {
      hanging_.push_back(client);
    } else {
      close(client);
    }
  }

  static bool Send(int client, const std::string& text) {
    std::size_t sent = 0;
    while (sent < text.size()) {
      const ssize_t n = send(client, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return false;
      sent += static_cast<std::size_t>(n);
    }
    return true;
  }

  int fd_ = -1;
  mutable std::mutex mutex_;
  Script script_;
  std::vector<std::string> questions_;
  std::vector<int> hanging_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace swarmgate::proxy
