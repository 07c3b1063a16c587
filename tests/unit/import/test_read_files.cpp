#include <gridward/test/paths.hpp>
#include <gridward/test/process.hpp>

#include "import_test.hpp"

namespace gridward::importing {
namespace {

TEST(ImportFiles, TakesEachByItsExtensionAndNamesTheFile) {
  test::TempDir dir;
  test::write_file(dir / "tree.csv", "code,parent,kind,name\n120116,,district,滨海新区\n");
  test::write_file(dir / "people.json", "{\"users\": [{\"login\": \"a\"}]}");
  test::write_file(dir / "notes.txt", "hello");
  std::filesystem::create_directory(dir / "folder.csv");
  const std::vector<std::filesystem::path> files{dir / "tree.csv", dir / "people.json", dir / "notes.txt",
                                                 dir / "gone.csv", dir / "folder.csv"};
  const auto parsed = read_files(files);
  EXPECT_EQ(parsed.batch.orgs.size(), 1U);
  EXPECT_EQ(parsed.batch.orgs[0].file, "tree.csv");
  EXPECT_TRUE(says(parsed, "people.json:1 name: is missing"));
  EXPECT_TRUE(says(parsed, "notes.txt:0 file: is neither"));
  EXPECT_TRUE(says(parsed, "gone.csv:0 file: is not there"));
  EXPECT_TRUE(says(parsed, "folder.csv:0 file: is not there, or not a file"));
}

TEST(ImportFiles, RefusesALargeFileWithoutReadingIt) {
  test::TempDir dir;
  test::write_file(dir / "a.csv", "");
  std::filesystem::resize_file(dir / "a.csv", 1ULL << 40);  // sparse: reading it would fail or never end
  const std::vector<std::filesystem::path> files{dir / "a.csv"};
  EXPECT_TRUE(says(read_files(files), "1099511627776 bytes: at most 67108864"));
}

TEST(ImportFiles, TheDemoDistrictIsWellFormed) {
  const std::filesystem::path demo = test::source_dir() / "server/demo";
  const std::vector<std::filesystem::path> files{demo / "orgs.csv", demo / "units.json", demo / "people.csv",
                                                 demo / "outlines.geojson"};
  const auto parsed = read_files(files);
  EXPECT_EQ(told(parsed), "");
  EXPECT_GT(parsed.batch.orgs.size(), 560U);
  EXPECT_GT(parsed.batch.users.size(), 30U);
  EXPECT_GT(parsed.batch.outlines.size(), 40U);
}

}  // namespace
}  // namespace gridward::importing
