#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <gridward/shared/bytes.hpp>
#include <gridward/shared/error.hpp>
#include <gridward/test/paths.hpp>
#include <set>
#include <sstream>

namespace gridward {
namespace {

std::string errors_page() {
  std::string page =
      "# Errors\n\n"
      "The table of `shared/src/error.cpp`, printed by `unit_shared` (`GRIDWARD_UPDATE=1` writes it anew). Numbers are "
      "part of\n"
      "the protocol: none is reused or renumbered. *Again*: the same bytes may be taken later.\n\n"
      "| code | name | HTTP | again | 中文 | English |\n|---|---|---|---|---|---|\n";
  for (const auto& row : error_table()) {
    std::ostringstream line;
    line << "| " << static_cast<unsigned>(row.code) << " | `" << row.name << "` | " << row.http_status << " | "
         << (row.retryable ? "yes" : "no") << " | " << row.zh << " | " << row.en << " |\n";
    page += line.str();
  }
  return page;
}

TEST(Errors, NamesAreUniqueAndTextsAreThere) {
  std::set<std::string_view> names;
  for (const auto& row : error_table()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_FALSE(row.zh.empty());
    EXPECT_TRUE(valid_utf8(row.zh));
    EXPECT_FALSE(row.en.empty());
    EXPECT_GE(row.http_status, 400);
    EXPECT_LT(row.http_status, 600);
    EXPECT_EQ(&error_info(row.code), &row);
  }
}

TEST(Errors, AnUnknownNumberIsInternal) {
  EXPECT_EQ(error_info(static_cast<ErrorCode>(9999)).code, ErrorCode::internal);
  EXPECT_EQ(error_info(static_cast<ErrorCode>(0)).code, ErrorCode::internal);
}

TEST(Errors, TextOfAnError) {
  EXPECT_EQ(to_string(Error{ErrorCode::too_large, "body.text", "5000 characters, at most 2000"}),
            "too_large (1002) body.text: 5000 characters, at most 2000");
  EXPECT_EQ(to_string(Error{ErrorCode::busy, "", ""}), "busy (4001)");
}

TEST(Errors, PageIsCurrent) {
  const std::string path = (test::source_dir() / "docs/errors.md").string();
  if (std::getenv("GRIDWARD_UPDATE") != nullptr) std::ofstream(path) << errors_page();
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), errors_page()) << "docs/errors.md is out of date: run this test with GRIDWARD_UPDATE=1";
}

}  // namespace
}  // namespace gridward
