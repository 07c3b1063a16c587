#include <gtest/gtest.h>

#include <gridward/http/decode.hpp>
#include <gridward/http/static_files.hpp>
#include <gridward/test/process.hpp>

namespace gridward::http {
namespace {

namespace fs = std::filesystem;

class StaticFilesTest : public ::testing::Test {
 protected:
  StaticFilesTest() {
    const auto web = dir / "web";
    fs::create_directories(web / "assets");
    fs::create_directories(web / ".git");
    test::write_file(dir / "secret.txt", "secret");
    test::write_file(web / "index.html", "<html>");
    test::write_file(web / "icon.svg", "<svg>");
    test::write_file(web / "assets/index-DiwrgTda.js", "plain");
    test::write_file(web / "assets/index-DiwrgTda.js.br", "brotli");
    test::write_file(web / "assets/index-DiwrgTda.js.gz", "gzip");
    test::write_file(web / "assets/plain.css", "css");
    test::write_file(web / "alone.gz", "archive");
    test::write_file(web / ".git/config", "hidden");
    fs::create_symlink(dir / "secret.txt", web / "link.txt");
    fs::create_directory_symlink(dir.path(), web / "linked");
    files = StaticFiles::load(web.string()).value();
  }
  Response get(std::string_view target, std::vector<Param> headers = {}, Method method = Method::get) {
    Request request;
    request.method = method;
    request.segments = parse_target(target).value().segments;
    request.headers = std::move(headers);
    return files.answer(request);
  }
  static std::string text(const Response& response) {
    const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&response.body);
    return shared != nullptr ? **shared : std::get<std::string>(response.body);
  }
  test::TempDir dir;
  StaticFiles files;
};

TEST_F(StaticFilesTest, GivesFilesWithTheirType) {
  EXPECT_EQ(text(get("/index.html")), "<html>");
  EXPECT_EQ(get("/index.html").header("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(get("/icon.svg").header("content-type"), "image/svg+xml");
  EXPECT_EQ(get("/alone.gz").header("content-type"), "application/octet-stream");
  EXPECT_EQ(text(get("/alone.gz")), "archive");
  EXPECT_EQ(files.count(), 5U);
}

TEST_F(StaticFilesTest, PagesWithoutADotAreTheApplication) {
  for (const char* target : {"/", "/cases", "/cases/018f", "/a/b/", "//"}) {
    EXPECT_EQ(text(get(target)), "<html>") << target;
    EXPECT_EQ(get(target).header("cache-control"), "no-cache") << target;
  }
  EXPECT_EQ(get("/missing.js").status, 404);
  EXPECT_EQ(get("/assets/missing.css").status, 404);
}

TEST_F(StaticFilesTest, NothingOutsideTheFolderIsThere) {
  for (const char* target : {"/link.txt", "/linked/secret.txt", "/.git/config", "/secret.txt", "/web/index.html"}) {
    const auto response = get(target);
    EXPECT_TRUE(response.status == 404 || text(response) == "<html>") << target;
    EXPECT_EQ(text(response).find("secret"), std::string::npos) << target;
  }
}

TEST_F(StaticFilesTest, GivesTheCompressedFormThatIsAccepted) {
  const auto br = get("/assets/index-DiwrgTda.js", {{"accept-encoding", "gzip, br"}});
  EXPECT_EQ(text(br), "brotli");
  EXPECT_EQ(br.header("content-encoding"), "br");
  EXPECT_EQ(br.header("content-type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(br.header("vary"), "Accept-Encoding");
  const auto gz = get("/assets/index-DiwrgTda.js", {{"accept-encoding", "gzip"}});
  EXPECT_EQ(text(gz), "gzip");
  EXPECT_EQ(text(get("/assets/index-DiwrgTda.js")), "plain");
  EXPECT_EQ(get("/assets/index-DiwrgTda.js").header("vary"), "Accept-Encoding");
  EXPECT_NE(br.header("etag"), gz.header("etag"));
}

TEST_F(StaticFilesTest, OnlyHashedNamesAreImmutable) {
  EXPECT_EQ(get("/assets/index-DiwrgTda.js").header("cache-control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(get("/assets/plain.css").header("cache-control"), "no-cache");
}

TEST_F(StaticFilesTest, AKnownTagIsNotSentAgain) {
  const auto first = get("/index.html");
  const auto again = get("/index.html", {{"if-none-match", std::string(first.header("etag"))}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(text(again), "");
  EXPECT_EQ(get("/index.html", {{"if-none-match", "\"other\""}}).status, 200);
}

TEST_F(StaticFilesTest, OnlyReading) {
  const auto response = get("/index.html", {}, Method::post);
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.header("allow"), "GET, HEAD");
}

TEST(StaticFiles, AMissingFolderIsNamed) {
  const auto files = StaticFiles::load("/no/such/folder");
  ASSERT_FALSE(files);
  EXPECT_EQ(files.error().field, "/no/such/folder");
}

TEST(File, OnlyRegularFilesAreOpened) {
  test::TempDir dir;
  test::write_file(dir / "a", "12345");
  EXPECT_EQ(File::open(dir.path().string()).error().code, ErrorCode::not_found);
  EXPECT_EQ(File::open((dir / "b").string()).error().code, ErrorCode::not_found);
  const auto file = File::open((dir / "a").string()).value();
  EXPECT_EQ(file->size(), 5U);
  std::string bytes(10, ' ');
  EXPECT_EQ(file->read_at(3, bytes.data(), 10), 2U);
  EXPECT_EQ(bytes.substr(0, 2), "45");
}

}  // namespace
}  // namespace gridward::http
