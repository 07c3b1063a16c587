// The server's clock, and the one that tests move.
#include "adapters.hpp"

#ifdef GRIDWARD_TEST_CLOCK
#include <charconv>
#include <fstream>
#include <mutex>
#endif

namespace gridward::main_program {

#ifdef GRIDWARD_TEST_CLOCK
namespace {

// The system's time and the offset that a file holds; a test writes another one and renames it into its place.
class MovedClock final : public app::Clock {
 public:
  explicit MovedClock(std::string file) : file_(std::move(file)) {}

  Result<void> start() {
    const auto offset = read();
    if (!offset) return fail(ErrorCode::config_invalid, "test_clock_file", file_ + " holds no number of milliseconds");
    offset_ = *offset;
    read_at_ = std::chrono::steady_clock::now();
    return {};
  }

  UnixMs now() override {
    const auto steady = std::chrono::steady_clock::now();
    const std::scoped_lock lock(mutex_);
    if (steady - read_at_ >= kReadEvery) {
      read_at_ = steady;
      // What cannot be read moves nothing: the time goes on from where it is.
      if (const auto offset = read()) offset_ = *offset;
    }
    return std::chrono::floor<Millis>(std::chrono::system_clock::now()) + offset_;
  }

 private:
  static constexpr std::chrono::milliseconds kReadEvery{50};

  std::optional<Millis> read() const {
    std::ifstream in(file_);
    std::string line;
    if (!in || !std::getline(in, line)) return std::nullopt;
    std::int64_t value = 0;
    const auto* end = line.data() + line.size();
    const auto [stopped, error] = std::from_chars(line.data(), end, value);
    if (error != std::errc{} || stopped != end) return std::nullopt;
    return Millis{value};
  }

  const std::string file_;
  std::mutex mutex_;
  Millis offset_{};
  std::chrono::steady_clock::time_point read_at_;
};

}  // namespace
#endif

Result<std::unique_ptr<app::Clock>> make_clock(const std::string& file) {
  if (file.empty()) return std::make_unique<SystemClock>();
#ifdef GRIDWARD_TEST_CLOCK
  auto moved = std::make_unique<MovedClock>(file);
  if (auto ok = moved->start(); !ok) return tl::unexpected(ok.error());
  return moved;
#else
  return fail(ErrorCode::config_invalid, "test_clock_file",
              "this build has no clock that can be moved: it is for tests only (GRIDWARD_TEST_CLOCK)");
#endif
}

}  // namespace gridward::main_program
