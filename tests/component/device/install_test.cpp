// What a maker gets: the library installed, and the examples built with nothing but it, as CMake and pkg-config find
// it.
#include <gridward/test/paths.hpp>
#include <set>

#include "device_fixture.hpp"

namespace gridward::test {
namespace {

using namespace std::chrono_literals;

class Installed : public ::testing::Test {
 protected:
  void SetUp() override {
    must({"cmake", "--install", program("").string(), "--prefix", prefix(), "--component", "gridward-device"});
  }
  std::string prefix() const { return (dir_ / "prefix").string(); }
  std::filesystem::path below(const char* path) const { return dir_ / "prefix" / path; }
  static std::string example(const char* name) { return (source_dir() / "device" / "examples" / name).string(); }

  static std::string must(std::vector<std::string> command, std::vector<std::string> environment = {}) {
    std::string said;
    for (const auto& word : command) said += word + " ";
    const auto result = run_command(std::move(command), std::move(environment));
    if (result.status != 0) throw std::runtime_error(said + "\n" + result.output);
    return result.output;
  }
  // Where the distribution puts libraries: lib/x86_64-linux-gnu, lib64 or lib.
  std::filesystem::path library_dir() const {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(prefix())) {
      if (entry.path().filename() == "libgridward-device.a") return entry.path().parent_path();
    }
    throw std::runtime_error("no libgridward-device.a in " + prefix());
  }
  std::vector<std::string> pkg_config(std::vector<std::string> words) const {
    words.insert(words.begin(), "pkg-config");
    std::istringstream out(must(words, {"PKG_CONFIG_PATH=" + (library_dir() / "pkgconfig").string()}));
    return {std::istream_iterator<std::string>(out), {}};
  }
  // Both examples with a server: what they captured arrives.
  void both_work(const std::filesystem::path& programs) {
    const Mosquitto broker;
    TestServer server(broker.uri(), "", kTown);
    const auto environment = std::vector<std::string>{"LD_LIBRARY_PATH=" + library_dir().string()};
    const auto once =
        must({(programs / "report_once").string(), (dir_ / "a").string(), broker.uri(), "井盖破损"}, environment);
    EXPECT_NE(once.find("saved "), std::string::npos) << once;
    EXPECT_NE(once.find("waiting 0 records, "), std::string::npos) << once;
    EXPECT_EQ(once.find(" 0 bytes went out"), std::string::npos) << once;  // its own transport carried it
    EXPECT_EQ(server.count(), 1U);
    const auto patrol = must({(programs / "patrol").string(), (dir_ / "b").string(), broker.uri()}, environment);
    EXPECT_NE(patrol.find("3 records, waiting 0"), std::string::npos) << patrol;
    EXPECT_EQ(server.count(), 4U);
  }

  TempDir dir_;
};

class WithCMake : public Installed, public ::testing::WithParamInterface<const char*> {};

TEST_P(WithCMake, TheExamplesAreBuiltAndWork) {
  const auto build = (dir_ / "build").string();
  must({"cmake", "-G", "Ninja", "-S", example(""), "-B", build, "-DCMAKE_PREFIX_PATH=" + prefix(),
        std::string("-DFORM=") + GetParam()});
  must({"cmake", "--build", build});
  both_work(build);
}
INSTANTIATE_TEST_SUITE_P(Forms, WithCMake, ::testing::Values("shared", "static"),
                         [](const auto& form) { return std::string(form.param); });

// A project that has no C++ compiler at all.
TEST_F(Installed, ACProjectUsesTheArchive) {
  const auto build = (dir_ / "build").string();
  must({"cmake", "-G", "Ninja", "-S", example(""), "-B", build, "-DCMAKE_PREFIX_PATH=" + prefix(), "-DFORM=static",
        "-DWITH_CXX=OFF", "-DCMAKE_CXX_COMPILER=/nowhere"});
  must({"cmake", "--build", build});
  EXPECT_EQ(run_command({build + "/report_once"}).status, 2);
}

TEST_F(Installed, PkgConfigLinksTheSharedLibrary) {
  const auto flags = pkg_config({"--cflags", "--libs", "gridward-device"});
  for (const auto& [compiler, standard, source, out] : {std::array{"cc", "-std=c99", "report_once.c", "report_once"},
                                                        std::array{"c++", "-std=c++17", "patrol.cpp", "patrol"}}) {
    std::vector<std::string> command{
        compiler, standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror", example(source), "-o", (dir_ / out).string()};
    command.insert(command.end(), flags.begin(), flags.end());
    must(command);
  }
  both_work(dir_.path());
  const auto needed = must({"readelf", "-d", (dir_ / "report_once").string()});
  EXPECT_NE(needed.find("libgridward-device.so." + std::to_string(GW_DEVICE_ABI)), std::string::npos) << needed;
}

// The archive is C++ inside; that a C compiler must link its runtime is what `pkg-config --static` says.
TEST_F(Installed, PkgConfigLinksTheArchiveToAProgramInC) {
  for (const auto& entry : std::filesystem::directory_iterator(library_dir())) {
    if (entry.path().filename().string().find(".so") != std::string::npos) std::filesystem::remove(entry.path());
  }
  const auto flags = pkg_config({"--static", "--cflags", "--libs", "gridward-device"});
  EXPECT_NE(std::find(flags.begin(), flags.end(), "-lstdc++"), flags.end());
  for (const auto& [compiler, source, out] :
       {std::array{"cc", "report_once.c", "report_once"}, std::array{"c++", "patrol.cpp", "patrol"}}) {
    std::vector<std::string> command{compiler, example(source), "-o", (dir_ / out).string()};
    command.insert(command.end(), flags.begin(), flags.end());
    must(command);
  }
  both_work(dir_.path());
}

std::set<std::string> functions_of_the_header(const std::filesystem::path& header) {
  std::istringstream text(read_file(header));
  std::set<std::string> names;
  std::string word;
  while (text >> word) {
    const auto at = word.find("gw_");
    const auto end = word.find('(');
    if (at == std::string::npos || end == std::string::npos || end < at) continue;
    names.insert(word.substr(at, end - at));
  }
  return names;
}

TEST_F(Installed, TheSharedLibraryShowsTheFunctionsOfTheHeaderAndNothingElse) {
  const auto header = below("include/gridward/device.h");
  std::set<std::string> declared;
  for (const auto& name : functions_of_the_header(header)) {
    if (name.starts_with("gw_device_") || name.starts_with("gw_status_")) declared.insert(name);
  }
  EXPECT_GE(declared.size(), 25U);
  std::set<std::string> shown;
  std::istringstream lines(
      must({"nm", "-D", "--defined-only", "--format=posix", (library_dir() / "libgridward-device.so").string()}));
  std::string line;
  while (std::getline(lines, line)) shown.insert(line.substr(0, line.find(' ')));
  EXPECT_EQ(shown, declared);
}

// Its own symbols do not show through a library that takes the archive in.
TEST_F(Installed, TheArchiveIsHiddenInAnotherLibrary) {
  write_file(dir_ / "other.c", "#include <gridward/device.h>\nint other(void) { return (int)gw_device_abi(); }\n");
  auto flags = pkg_config({"--static", "--cflags", "--libs", "gridward-device"});
  std::replace(flags.begin(), flags.end(), std::string("-lgridward-device"), std::string("-l:libgridward-device.a"));
  std::vector<std::string> command{"cc",
                                   "-shared",
                                   "-fPIC",
                                   (dir_ / "other.c").string(),
                                   "-o",
                                   (dir_ / "libother.so").string(),
                                   "-Wl,--whole-archive",
                                   (library_dir() / "libgridward-device.a").string(),
                                   "-Wl,--no-whole-archive"};
  std::erase(flags, "-l:libgridward-device.a");
  command.insert(command.end(), flags.begin(), flags.end());
  must(command);
  std::istringstream lines(must({"nm", "-D", "-C", "--defined-only", (dir_ / "libother.so").string()}));
  std::string line;
  while (std::getline(lines, line)) {
    EXPECT_EQ(line.find("gridward::"), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace gridward::test
