#include "swarmgate/app/main.h"

// jemalloc's settings (TUNING in its manual). Memory that was freed goes back to the kernel after a
// second: a full list of very many services takes several times what is kept of it, for as long as
// it is read. One arena: nearly everything is the owner thread's, and each arena holds some back.
// NOLINTBEGIN(readability-identifier-naming): jemalloc looks it up by this name.
extern "C" {
extern const char* const malloc_conf;
[[gnu::used]] const char* const malloc_conf =
    "narenas:1,dirty_decay_ms:1000,muzzy_decay_ms:0,background_thread:true";
}
// NOLINTEND(readability-identifier-naming)

int main(int argc, char** argv) { return swarmgate::app::Main(argc, argv); }
