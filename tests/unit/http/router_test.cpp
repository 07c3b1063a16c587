#include <gtest/gtest.h>

#include <gridward/http/decode.hpp>
#include <gridward/http/router.hpp>

namespace gridward::http {
namespace {

Handler says(std::string text) {
  return [text](const Request& request) {
    Response response;
    response.body = text + std::string(request.path_param("id"));
    return response;
  };
}

Response ask(const Router& router, Method method, std::string_view target) {
  Request request;
  request.method = method;
  request.segments = parse_target(target).value().segments;
  return router.handle(request);
}

std::string body(const Response& response) { return std::get<std::string>(response.body); }

class RouterTest : public ::testing::Test {
 protected:
  RouterTest() {
    router.add(Method::get, "/api/cases", says("list"));
    router.add(Method::get, "/api/cases/counts", says("counts"));
    router.add(Method::get, "/api/cases/{id}", says("case "));
    router.add(Method::post, "/api/cases/{id}/actions", says("act "));
  }
  Router router;
};

TEST_F(RouterTest, TakesTheFirstPatternThatFits) {
  EXPECT_EQ(body(ask(router, Method::get, "/api/cases")), "list");
  EXPECT_EQ(body(ask(router, Method::get, "/api/cases/counts")), "counts");
  EXPECT_EQ(body(ask(router, Method::get, "/api/cases/42")), "case 42");
  EXPECT_EQ(body(ask(router, Method::post, "/api/cases/42/actions")), "act 42");
  EXPECT_EQ(body(ask(router, Method::head, "/api/cases/42")), "case 42");
}

TEST_F(RouterTest, AnotherMethodIs405WithAllow) {
  const auto response = ask(router, Method::put, "/api/cases/42");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.header("allow"), "GET, HEAD");
  EXPECT_EQ(ask(router, Method::get, "/api/cases/42/actions").header("Allow"), "POST");
}

TEST_F(RouterTest, OtherPathsAre404UnlessSomebodyTakesThem) {
  for (const char* target :
       {"/", "/api", "/api/cases/", "/api/cases//actions", "/api/cases/42/actions/x", "/API/cases"}) {
    EXPECT_EQ(ask(router, Method::get, target).status, 404) << target;
  }
  router.otherwise(says("page"));
  EXPECT_EQ(body(ask(router, Method::get, "/")), "page");
  EXPECT_EQ(ask(router, Method::put, "/api/cases").status, 405);
}

TEST(Problem, FollowsTheErrorTable) {
  const auto response = problem({ErrorCode::version_conflict, "version", "4, now 5"});
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(response.header("content-type"), "application/problem+json");
  EXPECT_EQ(std::get<std::string>(response.body),
            R"({"type":"/errors/version_conflict","title":"内容已被他人更新","status":409,"code":3003,)"
            R"("name":"version_conflict","field":"version","detail":"4, now 5"})");
  EXPECT_EQ(problem({ErrorCode::busy, "", ""}).header("Retry-After"), "1");
  EXPECT_EQ(problem({ErrorCode::malformed, "", "\xff"}).status, 400);  // a detail that is not UTF-8 does not throw
}

}  // namespace
}  // namespace gridward::http
