#include "swarmgate/model/diagnostic.h"

#include <gtest/gtest.h>

namespace swarmgate::model {
namespace {

TEST(Diagnostic, NamesServiceLabelValueMistakeAndFix) {
  Diagnostic diagnostic;
  diagnostic.service = ServiceName("web");
  diagnostic.label = "com.df.prot";
  diagnostic.value = "8080";
  diagnostic.message = "unknown label";
  diagnostic.hint = "Did you mean com.df.port?";
  EXPECT_EQ(diagnostic.ToString(),
            "service web: com.df.prot=8080: unknown label. Did you mean com.df.port?");
}

TEST(Diagnostic, LeavesOutWhatItDoesNotHave) {
  Diagnostic diagnostic;
  diagnostic.message = "no Docker socket";
  EXPECT_EQ(diagnostic.ToString(), "no Docker socket");
}

}  // namespace
}  // namespace swarmgate::model
