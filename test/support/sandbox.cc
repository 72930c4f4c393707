// Process 1 of a small world for one Docker daemon.
//
// The daemon gets a network, a process and a mount namespace of its own and a
// /run in memory. So any number of them run beside each other and beside the
// machine's own daemon: no bridge, firewall rule, port or mount of theirs is
// seen outside, and when this process ends the kernel ends the daemon, its
// containers and their networks with it. It ends when its standard input does,
// which happens at the latest when the test program dies, however that happens.
//
// Usage: sandbox DIR CONTROL_GROUP [HOST_NAME]
// The daemon answers at DIR/docker.sock, and at /run/docker.sock for whoever is in its /run.
// Commands on standard input, one letter each: s start the daemon, t SIGTERM,
// k SIGKILL, p SIGSTOP, c SIGCONT. Standard output: "init <pid>", "started", "ended <wait status>".

#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

void Check(int result, const char* what) {
  if (result >= 0) return;
  perror(what);
  exit(1);
}

void PrepareWorld(const char* host_name) {
  if (host_name != nullptr) Check(sethostname(host_name, strlen(host_name)), "host name");
  Check(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "make / private");
  Check(mount("proc", "/proc", "proc", 0, nullptr), "mount /proc");
  Check(mount("tmpfs", "/run", "tmpfs", 0, "mode=755"), "mount /run");
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  strncpy(request.ifr_name, "lo", sizeof request.ifr_name - 1);
  Check(ioctl(fd, SIOCGIFFLAGS, &request), "flags of lo");
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  Check(ioctl(fd, SIOCSIFFLAGS, &request), "lo up");
  close(fd);
}

pid_t StartDaemon(const std::string& dir, const std::string& group) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  setsid();
  const int log = open((dir + "/dockerd.log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execlp("dockerd", "dockerd", "--data-root", (dir + "/data").c_str(), "--exec-root", "/run/docker",
         "--pidfile", "/run/dockerd.pid", "--cgroup-parent", ("/" + group).c_str(), "-H",
         ("unix://" + dir + "/docker.sock").c_str(), "-H", "unix:///run/docker.sock",
         static_cast<char*>(nullptr));
  perror("dockerd");
  _exit(127);
}

void Reap(pid_t* daemon) {
  int status = 0;
  for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
    if (pid != *daemon) continue;
    *daemon = 0;
    printf("ended %d\n", status);
  }
}

[[noreturn]] void ServeCommands(const std::string& dir, const std::string& group) {
  pid_t daemon = 0;
  for (;;) {
    fflush(stdout);
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const int ready = poll(&input, 1, 10);
    Reap(&daemon);
    if (ready <= 0) continue;
    char command = 0;
    if (read(STDIN_FILENO, &command, 1) <= 0) exit(0);
    if (command == 's' && daemon == 0) {
      daemon = StartDaemon(dir, group);
      puts("started");
    } else if (daemon != 0) {
      if (command == 't') kill(daemon, SIGTERM);
      if (command == 'k') kill(daemon, SIGKILL);
      if (command == 'p') kill(daemon, SIGSTOP);
      if (command == 'c') kill(daemon, SIGCONT);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    fputs("usage: sandbox DIR CONTROL_GROUP [HOST_NAME]\n", stderr);
    return 2;
  }
  const char* host_name = argc == 4 ? argv[3] : nullptr;
  Check(unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS),
        "unshare (root is needed)");
  const pid_t init = fork();
  Check(init, "fork");
  if (init == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    PrepareWorld(host_name);
    ServeCommands(argv[1], argv[2]);
  }
  printf("init %d\n", init);
  fflush(stdout);
  int status = 0;
  waitpid(init, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
