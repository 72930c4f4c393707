// Where the project's files are, and where the build put the programs that tests run.
#ifndef SWARMGATE_TEST_SUPPORT_PATHS_H_
#define SWARMGATE_TEST_SUPPORT_PATHS_H_

#include <string>
#include <string_view>

namespace swarmgate::testing {

/// A file of the project, by its name below the project's folder ("fixtures/tls/upstream.pem").
/// The only place that knows the folder: all other objects are the same in every clone, and
/// ccache has them.
std::string SourcePath(std::string_view relative);

/// The build folder that this test or benchmark program was built in.
std::string BuildDir();

/// The program under test: $SWARMGATE_BINARY, else the one of this build.
std::string SwarmgateBinary();

/// The static web server for test images and for tests without Docker.
std::string EchoServerBinary();

/// Runs a Docker daemon in namespaces of its own; see sandbox.cc.
std::string SandboxBinary();

}  // namespace swarmgate::testing

#endif  // SWARMGATE_TEST_SUPPORT_PATHS_H_
