#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <csignal>
#include <gridward/test/drawn_photo.hpp>
#include <thread>

#include "photo_files.hpp"

namespace gridward::vision::testing {
namespace {

using namespace std::chrono_literals;

class Worker : public WorkerTest {};

TEST_F(Worker, StartsWithTheFirstPhotoAndStays) {
  PhotoWorker worker(options());
  EXPECT_EQ(worker.pid(), -1);
  expect_working(worker);
  const pid_t pid = worker.pid();
  expect_working(worker);
  EXPECT_EQ(worker.pid(), pid);
  EXPECT_EQ(worker.starts(), 1U);
  worker.stop();
  EXPECT_NE(::kill(pid, 0), 0) << "still there, or never waited for";
  expect_working(worker);
}

TEST_F(Worker, IsReplacedWhenItDiedBetweenPhotos) {
  PhotoWorker worker(options());
  for (int i = 0; i < 5; ++i) {
    expect_working(worker);
    ::kill(worker.pid(), SIGKILL);
  }
  expect_working(worker);
  EXPECT_EQ(worker.starts(), 6U);
}

TEST_F(Worker, APhotoWhoseWorkerIsKilledInTheMiddleIsStillDerived) {
  PhotoWorker worker(options());
  ASSERT_TRUE(worker.start());
  const pid_t pid = worker.pid();
  ASSERT_EQ(::kill(pid, SIGSTOP), 0);  // so that it is killed with the photo in hand
  std::thread killer([pid] {
    std::this_thread::sleep_for(100ms);
    ::kill(pid, SIGKILL);
  });
  expect_working(worker);
  killer.join();
  EXPECT_EQ(worker.starts(), 2U);
}

TEST_F(Worker, SurvivesKillsAtRandomMoments) {
  PhotoWorker worker(options());
  const auto photo = write(make_jpeg(test::draw_photo(3264, 2448)));
  cv::RNG random(99);
  for (int i = 0; i < 15; ++i) {
    ASSERT_TRUE(worker.start());
    std::thread killer([pid = worker.pid(), delay = random.uniform(0, 80)] {
      std::this_thread::sleep_for(std::chrono::milliseconds(delay));
      ::kill(pid, SIGKILL);
    });
    const auto result = derive(worker, photo);
    killer.join();
    ASSERT_TRUE(result) << to_string(result.error());
    EXPECT_EQ(preview().size(), cv::Size(1600, 1200));
  }
}

TEST_F(Worker, OneThatHangsIsKilledAtTheWallLimit) {
  auto chosen = options();
  chosen.wall_limit = 300ms;
  PhotoWorker worker(chosen);
  ASSERT_TRUE(worker.start());
  const pid_t pid = worker.pid();
  ASSERT_EQ(::kill(pid, SIGSTOP), 0);
  const auto result = derive(worker, make_jpeg(test::draw_photo(640, 480)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::media_limits);
  EXPECT_NE(::kill(pid, 0), 0);
  expect_no_derivatives();
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
std::string status_of(pid_t pid, const std::string& field) {
  std::istringstream in(test::read_file("/proc/" + std::to_string(pid) + "/status"));
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(field + ":")) return line.substr(line.find_first_not_of(" \t", field.size() + 1));
  }
  return {};
}

TEST_F(Worker, OneThatComputesTooLongIsStoppedByTheCpuLimit) {
  auto chosen = options();
  chosen.cpu_limit = 0s;  // so the next whole second ends it
  PhotoWorker worker(chosen);
  ASSERT_TRUE(worker.start());
  // A lossless picture of noise: its decoder has to look at every bit.
  cv::Mat noise(7000, 7000, CV_8UC3);
  cv::RNG(5).fill(noise, cv::RNG::UNIFORM, 0, 4);
  const auto photo = write(make_with_opencv(".png", noise));
  // The whole second may have just begun: then it is one of the next that does not fit.
  auto result = derive(worker, photo);
  for (int again = 0; again < 20 && result; ++again) result = derive(worker, photo);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::media_limits);
  EXPECT_NE(result.error().detail.find("computing"), std::string::npos) << result.error().detail;
}

TEST_F(Worker, IsConfined) {
  PhotoWorker worker(options());
  expect_working(worker);
  EXPECT_EQ(status_of(worker.pid(), "Seccomp"), "2");
  EXPECT_EQ(status_of(worker.pid(), "NoNewPrivs"), "1");
  EXPECT_EQ(status_of(worker.pid(), "Threads"), "1");
  const std::string limits = test::read_file("/proc/" + std::to_string(worker.pid()) + "/limits");
  EXPECT_NE(limits.find("Max address space         1073741824"), std::string::npos) << limits;
  EXPECT_NE(limits.find("Max core file size        0 "), std::string::npos) << limits;
  auto open_doors = options();
  open_doors.confine = false;
  PhotoWorker unconfined(open_doors);
  expect_working(unconfined);
  EXPECT_EQ(status_of(unconfined.pid(), "Seccomp"), "0");
}
#endif

TEST_F(Worker, DoesNotGetTheServersEnvironment) {
  ASSERT_EQ(::setenv("GRIDWARD_TEST_SECRET", "of the server", 1), 0);
  PhotoWorker worker(options());
  expect_working(worker);
  ::unsetenv("GRIDWARD_TEST_SECRET");
  const std::string environment = test::read_file("/proc/" + std::to_string(worker.pid()) + "/environ");
  if (environment.empty() && ::geteuid() != 0) GTEST_SKIP() << "the worker shows its environment to root only";
  EXPECT_NE(environment.find("OMP_NUM_THREADS=1"), std::string::npos);
  EXPECT_EQ(environment.find("SECRET"), std::string::npos);
}

TEST_F(Worker, IsReplacedAfterItsShareOfPhotos) {
  auto chosen = options();
  chosen.photos_per_process = 2;
  PhotoWorker worker(chosen);
  for (int i = 0; i < 5; ++i) expect_working(worker);
  EXPECT_EQ(worker.starts(), 3U);
}

TEST_F(Worker, AMissingProgramIsNotThePhotosFault) {
  for (const char* program : {"/nonexistent/worker", "/bin/true"}) {
    PhotoWorker worker({.program = program});
    const auto result = derive(worker, make_jpeg(test::draw_photo(64, 64)));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::unavailable) << program;
    expect_no_derivatives();
  }
}

TEST_F(Worker, FilesThatCannotBeOpenedAreNotThePhotosFault) {
  PhotoWorker worker(options());
  const auto none = derive(worker, dir_ / "none");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::storage_failed);
  const auto photo = write(make_jpeg(test::draw_photo(64, 64)));
  const auto nowhere = worker.derive(photo, preview_path_, dir_ / "no folder" / "thumb", description_path_);
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, ErrorCode::storage_failed);
  expect_no_derivatives();
  expect_working(worker);
}

TEST_F(Worker, EndsWithTheServer) {
  pid_t pid = -1;
  {
    PhotoWorker worker(options());
    ASSERT_TRUE(worker.start());
    pid = worker.pid();
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

#if !defined(__SANITIZE_THREAD__)  // it forks
// Of /proc: also a zombie is gone, when whoever inherited it is slow to wait.
bool at_work(pid_t pid) {
  const auto stat = test::read_file("/proc/" + std::to_string(pid) + "/stat");
  const auto state = stat.rfind(") ");
  return state != std::string::npos && stat[state + 2] != 'Z' && stat[state + 2] != 'X';
}

TEST_F(Worker, EndsWithAServerThatIsKilledInTheMiddleOfAPhoto) {
  // A lossless picture of noise: it takes seconds.
  cv::Mat noise(7900, 7900, CV_8UC3);
  cv::RNG(5).fill(noise, cv::RNG::UNIFORM, 0, 4);
  const auto photo = write(make_with_opencv(".png", noise));
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const pid_t server = ::fork();
  if (server == 0) {
    PhotoWorker worker(options());
    if (!worker.start()) ::_exit(1);
    const pid_t pid = worker.pid();
    if (::write(pipe[1], &pid, sizeof pid) != sizeof pid) ::_exit(1);
    const auto ignored = derive(worker, photo);
    ::_exit(2);  // it was finished before the kill: then this test proves nothing
  }
  ::close(pipe[1]);
  pid_t worker = -1;
  ASSERT_EQ(::read(pipe[0], &worker, sizeof worker), static_cast<ssize_t>(sizeof worker));
  std::this_thread::sleep_for(200ms);
  ::kill(server, SIGKILL);
  const auto killed = std::chrono::steady_clock::now();
  int status = 0;
  ASSERT_EQ(::waitpid(server, &status, 0), server);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the photo was done too soon";
  while (at_work(worker) && std::chrono::steady_clock::now() < killed + 10s) std::this_thread::sleep_for(2ms);
  const auto stayed = std::chrono::steady_clock::now() - killed;
  EXPECT_LT(stayed, 500ms) << std::chrono::duration_cast<std::chrono::milliseconds>(stayed).count() << " ms";
}
#endif

}  // namespace
}  // namespace gridward::vision::testing
