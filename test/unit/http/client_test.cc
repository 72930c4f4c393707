#include "swarmgate/http/client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "unit/http/scripted_server.h"

namespace swarmgate::http {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)
using testing::Exchange;
using testing::ScriptedServer;

SteadyTime In(Duration duration) { return std::chrono::steady_clock::now() + duration; }

Endpoint On(const ScriptedServer& server) {
  return {.base_url = "http://docker", .unix_socket = server.path()};
}

Request Get(const std::string& target) { return {.target = target, .deadline = In(20s)}; }

TEST(HttpClient, ReturnsStatusAndBodyOfAnyAnswer) {
  ScriptedServer server([](const Exchange& x) {
    x.Reply(x.target == "/missing" ? 404 : 200, x.method + " " + x.target + " " + x.body);
  });
  Client client(On(server));
  const auto found = client.Send(Get("/a?b=c"));
  ASSERT_TRUE(found) << found.error().ToString();
  EXPECT_EQ(found->status, 200);
  EXPECT_EQ(found->body, "GET /a?b=c ");
  const auto missing = client.Send(Get("/missing"));
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->status, 404);
  const auto put = client.Send({.method = "PUT",
                                .target = "/x",
                                .headers = {{"X-A", "1"}},
                                .body = "text",
                                .deadline = In(20s)});
  ASSERT_TRUE(put);
  EXPECT_EQ(put->body, "PUT /x text");
  EXPECT_EQ(server.connections(), 1U) << "the connection is kept";
}

TEST(HttpClient, ReconnectsWhenTheServerClosedAnIdleConnection) {
  ScriptedServer server([](const Exchange& x) {
    x.Reply(200, "ok");
    x.Close();
  });
  Client client(On(server));
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.Send(Get("/"));
    ASSERT_TRUE(answer) << answer.error().ToString();
  }
}

TEST(HttpClient, NobodyListeningIsUnavailableAndNamesTheSocket) {
  Client client({.base_url = "http://docker", .unix_socket = "/nonexistent/docker.sock"});
  const auto answer = client.Send(Get("/"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
  EXPECT_EQ(answer.error().message,
            "cannot connect to /nonexistent/docker.sock: No such file or directory");
}

TEST(HttpClient, SilenceEndsAtTheDeadline) {
  ScriptedServer server([](const Exchange& x) { x.WaitClosed(); });
  Client client(On(server));
  const auto answer = client.Send({.target = "/", .deadline = In(50ms)});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kDeadlineExceeded);
}

TEST(HttpClient, AnAnswerThatNeverEndsEndsAtTheDeadline) {
  ScriptedServer server([](const Exchange& x) {
    x.BeginChunks();
    while (x.Chunk("x")) std::this_thread::yield();
  });
  Client client(On(server));
  const auto answer =
      client.Stream({.target = "/", .deadline = In(50ms)},
                    {.on_open = {}, .on_data = [](std::string_view) { return Ok(); }});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kDeadlineExceeded);
}

TEST(HttpClient, TooLargeABodyIsCorrupt) {
  ScriptedServer server([](const Exchange& x) { x.Reply(200, std::string(5000, 'x')); });
  Client client(On(server));
  Request request = Get("/");
  request.max_body = 4999;
  const auto refused = client.Send(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kCorrupt);
  request.max_body = 5000;
  EXPECT_TRUE(client.Send(request));
}

TEST(HttpClient, WhatIsNotHttpIsCorrupt) {
  ScriptedServer server([](const Exchange& x) {
    x.Raw("\x16\x03\x01 what?\r\n\r\n");
    x.Close();
  });
  Client client(On(server));
  const auto answer = client.Send(Get("/"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kCorrupt) << answer.error().ToString();
}

TEST(HttpClient, AHeadWithoutEndIsCorrupt) {
  ScriptedServer server([](const Exchange& x) {
    x.Raw("HTTP/1.1 200 OK\r\n");
    while (x.Raw("X-Filler: " + std::string(1000, 'a') + "\r\n")) {
    }
  });
  Client client(On(server));
  const auto answer = client.Send(Get("/"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kCorrupt) << answer.error().ToString();
}

TEST(HttpClient, ABodyCutOffIsUnavailable) {
  ScriptedServer server([](const Exchange& x) {
    x.Raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    x.Close();
  });
  Client client(On(server));
  const auto answer = client.Send(Get("/"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kUnavailable) << answer.error().ToString();
}

TEST(HttpClient, StreamHandsOverPiecesAndKeepsNone) {
  ScriptedServer server([](const Exchange& x) {
    x.BeginChunks();
    x.Chunk("one,");
    x.Chunk("two");
    x.EndChunks();
  });
  Client client(On(server));
  int opened = 0;
  std::string all;
  const auto answer = client.Stream(Get("/"), {.on_open = [&] { ++opened; },
                                               .on_data =
                                                   [&](std::string_view piece) {
                                                     all += piece;
                                                     return Ok();
                                                   }});
  ASSERT_TRUE(answer) << answer.error().ToString();
  EXPECT_EQ(opened, 1);
  EXPECT_EQ(all, "one,two");
  EXPECT_TRUE(answer->body.empty());
}

TEST(HttpClient, StreamKeepsTheTextOfARefusalAndDoesNotOpen) {
  ScriptedServer server([](const Exchange& x) { x.Reply(503, std::string(100'000, 'e')); });
  Client client(On(server));
  bool touched = false;
  const auto answer = client.Stream(Get("/"), {.on_open = [&] { touched = true; },
                                               .on_data =
                                                   [&](std::string_view) {
                                                     touched = true;
                                                     return Ok();
                                                   }});
  ASSERT_TRUE(answer) << answer.error().ToString();
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->body.size(), 64U << 10U);
  EXPECT_FALSE(touched);
}

TEST(HttpClient, TheHandlersErrorEndsTheStream) {
  ScriptedServer server([](const Exchange& x) {
    x.BeginChunks();
    while (x.Chunk("x")) std::this_thread::yield();
  });
  Client client(On(server));
  const auto answer =
      client.Stream(Get("/"), {.on_open = {}, .on_data = [](std::string_view) -> Status {
                                 return Fail(Code::kCorrupt, "enough");
                               }});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message, "enough");
}

TEST(HttpClient, CancelEndsTheRequestUnderWayAndEveryLaterOne) {
  ScriptedServer server([](const Exchange& x) {
    x.BeginChunks();
    x.WaitClosed();
  });
  Client client(On(server));
  std::thread canceller;
  const auto answer = client.Stream(
      {.target = "/"}, {.on_open = [&] { canceller = std::thread([&] { client.Cancel(); }); },
                        .on_data = [](std::string_view) { return Ok(); }});
  canceller.join();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kCancelled);
  const auto later = client.Send(Get("/"));
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, Code::kCancelled);
  EXPECT_EQ(server.CountOf("/"), 1U);
}

TEST(HttpClient, NothingCanBeSmuggledIntoTheRequest) {
  ScriptedServer server([](const Exchange& x) { x.Reply(200, x.head); });
  Client client(On(server));
  EXPECT_FALSE(client.Send(Get("/a b")));
  EXPECT_FALSE(client.Send(Get("/a\r\nX: y")));
  Request request = Get("/");
  request.headers = {{"A", "1\r\nInjected: yes"}, {"B", "2"}};
  const auto answer = client.Send(request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body.find("Injected"), std::string::npos);
  EXPECT_NE(answer->body.find("B: 2"), std::string::npos);
}

TEST(HttpClient, EscapesWhatMayNotStandInAQuery) {
  EXPECT_EQ(EscapeQuery("aZ0-._~"), "aZ0-._~");
  EXPECT_EQ(EscapeQuery("{\"a\": [1]}&\n"), "%7B%22a%22%3A%20%5B1%5D%7D%26%0A");
}

}  // namespace
}  // namespace swarmgate::http
