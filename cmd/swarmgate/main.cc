#include <cstdio>

int main() {
  std::puts("swarmgate");
  return 0;
}
