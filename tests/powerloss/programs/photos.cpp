// Seals photos and publishes what is derived of them, on several threads, as the server does; says so after each.
//
//   powerloss_photos FOLDER THREADS COUNT FANS      FANS: how many folders the photos fall into
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <gridward/platform/crypto.hpp>
#include <gridward/vision/photo_store.hpp>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace gridward;

// A disk that fails once is asked again, as a device asks again.
template <class F>
void need(const char* what, F&& call) {
  Result<void> result = call();
  if (!result) result = call();
  if (result) return;
  std::fprintf(stderr, "%s: %s\n", what, to_string(result.error()).c_str());
  std::_Exit(1);
}

// A photo of its own whose hash begins as it is told.
Bytes photo(unsigned number, unsigned fan) {
  for (unsigned nonce = 0;; ++nonce) {
    Bytes bytes(3000 + number, static_cast<std::uint8_t>(number));
    for (int i = 0; i < 4; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(nonce >> (8 * i));
    if (platform::sha256(bytes)[0] == fan) return bytes;
  }
}

// As the worker leaves them: the contents on the disk, the name not.
void derive(const std::filesystem::path& path, ByteView contents) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (fd < 0 || ::write(fd, contents.data(), contents.size()) < 0 || ::fsync(fd) != 0) std::_Exit(1);
  ::close(fd);
}

void say(const char* what, const Sha256& sha) {
  static std::mutex mutex;
  const std::scoped_lock lock(mutex);
  std::printf("%s %s\n", what, to_hex(sha).c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const unsigned threads = static_cast<unsigned>(std::atoi(argv[2]));
  const unsigned count = static_cast<unsigned>(std::atoi(argv[3]));
  const unsigned fans = static_cast<unsigned>(std::atoi(argv[4]));
  auto store = vision::FilePhotoStore::open(argv[1]);
  if (!store) return 1;
  std::vector<std::thread> all;
  for (unsigned thread = 0; thread < threads; ++thread) {
    all.emplace_back([&, thread] {
      for (unsigned i = thread; i < count; i += threads) {
        const Bytes bytes = photo(i, i % fans);
        const auto sha = platform::sha256(bytes);
        const auto half = bytes.size() / 2;
        const auto piece = [&](std::size_t offset, std::size_t size) {
          return (*store)->write_piece(sha, "hh-1", bytes.size(), offset, ByteView(bytes).subspan(offset, size), true);
        };
        // A seal that failed may have moved the pieces: then they come again.
        need("seal", [&] {
          need("write_piece", [&] { return piece(half, bytes.size() - half); });
          need("write_piece", [&] { return piece(0, half); });
          return (*store)->seal(sha, "hh-1", bytes.size());
        });
        say("sealed", sha);
        need("publish", [&] {
          const auto draft = (*store)->draft(sha);
          derive(draft.preview, ByteView(bytes).first(900));
          derive(draft.thumb, ByteView(bytes).first(300));
          derive(draft.description, ByteView(bytes).first(200));
          return (*store)->publish(sha, draft);
        });
        say("published", sha);
      }
    });
  }
  for (auto& one : all) one.join();
  return 0;
}
