// What is kept of an object of Docker's when it becomes another one.
#include <gtest/gtest.h>

#include <string>

#include "engine/assemble.h"
#include "support/fake_docker.h"

namespace swarmgate::engine {
namespace {

using model::ServiceName;

TEST(ClaimsTest, TheFilesOfAContainerThatGetsAnotherNameAreStillLookedAt) {
  std::string backend = "backend b\n  server s 10.0.0.1:80\n";
  labels::ParseOptions options;
  options.allow_raw = true;
  Assembler assembler(options, {}, [&](const std::string& path) {
    return Result<std::string>(path == "be" ? backend : "use_backend b\n");
  });
  model::ServiceFacts facts = testing::MakeService("b", "/x", {});
  facts.id = "1";
  facts.labels.Set("com.df.templateFePath", "fe");
  facts.labels.Set("com.df.templateBePath", "be");
  (void)assembler.Update(Services({ServicePtr(facts)}), {}, {}, {});
  ASSERT_NE(assembler.assembly().Find(ServiceName("b")), nullptr);
  // Told before the former one is gone.
  facts.name = "a";
  (void)assembler.Update(Services({ServicePtr(facts)}), {}, {}, {});
  EXPECT_EQ(assembler.assembly().Find(ServiceName("b")), nullptr);
  ASSERT_NE(assembler.assembly().Find(ServiceName("a")), nullptr);
  EXPECT_FALSE(assembler.TemplatesChanged());
  backend += "  option httpchk\n";
  EXPECT_TRUE(assembler.TemplatesChanged());
  (void)assembler.Update({}, {}, {}, {});
  EXPECT_FALSE(assembler.TemplatesChanged()) << "it is gone";
}

}  // namespace
}  // namespace swarmgate::engine
