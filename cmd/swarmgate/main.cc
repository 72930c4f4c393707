#include "swarmgate/app/main.h"

int main(int argc, char** argv) { return swarmgate::app::Main(argc, argv); }
