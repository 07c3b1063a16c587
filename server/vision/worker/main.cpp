// gridward-vision-worker: started by the server only, with its channel as descriptor 0 (src/worker_protocol.hpp).
// Exit status: 0 the server has closed the channel, 1 could not start, 2 the channel broke.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <gridward/shared/limits.hpp>
#include <opencv2/core/utility.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <optional>
#include <string_view>

#include "../src/descriptor.hpp"
#include "../src/worker_protocol.hpp"
#include "derive.hpp"
#include "jpeg.hpp"
#include "sandbox.hpp"

namespace {

using namespace gridward;
using namespace gridward::vision;

struct Job {
  std::uint64_t size = 0;
  Descriptor original;
  Descriptor preview;
  Descriptor thumb;
  Descriptor description;
};

enum class Next { job, end, broken };

Next receive(Job& job) {
  WorkerRequest request{};
  iovec part{&request, sizeof request};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kRequestDescriptors)> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t got = -1;
  do {
    got = ::recvmsg(kWorkerChannel, &message, 0);
  } while (got < 0 && errno == EINTR);
  if (got == 0) return Next::end;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (got != static_cast<ssize_t>(sizeof request) || request.mark != kProtocolMark || header == nullptr ||
      header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof(int) * kRequestDescriptors)) {
    return Next::broken;
  }
  std::array<int, kRequestDescriptors> descriptors{};
  std::memcpy(descriptors.data(), CMSG_DATA(header), sizeof descriptors);
  job.size = request.size;
  job.original = Descriptor(descriptors[0]);
  job.preview = Descriptor(descriptors[1]);
  job.thumb = Descriptor(descriptors[2]);
  job.description = Descriptor(descriptors[3]);
  return Next::job;
}

std::optional<Bytes> read_all(int fd, std::uint64_t size) {
  Bytes bytes(size);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

bool write_all(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return true;
}

Result<Derivatives> work(const Job& job) {
  if (job.size > limits::kMediaBytes) return fail(ErrorCode::media_limits, "photo", "larger than the limit");
  const auto file = read_all(job.original.get(), job.size);
  if (!file) return fail(ErrorCode::storage_failed, "photo", "the original cannot be read");
  auto made = derive(*file);
  if (made && (!write_all(job.preview.get(), made->preview.jpeg) || !write_all(job.thumb.get(), made->thumb.jpeg) ||
               !write_all(job.description.get(), made->description))) {
    return fail(ErrorCode::storage_failed, "derivative", std::strerror(errno));
  }
  return made;
}

template <class Message>
bool send_message(const Message& message) {
  ssize_t put = -1;
  do {
    put = ::send(kWorkerChannel, &message, sizeof message, MSG_NOSIGNAL);
  } while (put < 0 && errno == EINTR);
  return put == static_cast<ssize_t>(sizeof message);
}

WorkerAnswer answer_of(const Result<Derivatives>& made) {
  WorkerAnswer answer{};
  answer.mark = kProtocolMark;
  if (!made) {
    answer.code = static_cast<std::uint16_t>(made.error().code);
    const std::string_view detail = made.error().detail;
    std::copy_n(detail.begin(), std::min(detail.size(), sizeof answer.detail - 1), answer.detail);
    return answer;
  }
  answer.format = static_cast<std::uint8_t>(made->header.format);
  answer.orientation = made->header.orientation;
  answer.width = made->width;
  answer.height = made->height;
  answer.preview_width = made->preview.width;
  answer.preview_height = made->preview.height;
  answer.thumb_width = made->thumb.width;
  answer.thumb_height = made->thumb.height;
  answer.preview_bytes = made->preview.jpeg.size();
  answer.thumb_bytes = made->thumb.jpeg.size();
  answer.description_bytes = made->description.size();
  answer.sharpness = made->sharpness;
  answer.brightness = made->brightness;
  answer.likeness = made->likeness;
  answer.truncated = made->truncated ? 1 : 0;
  return answer;
}

// Every decoder once, while files can still be opened: what they set up on first use must not wait for the filter.
bool warm_up() {
  cv::Mat picture(160, 120, CV_8UC3, cv::Scalar(40, 90, 200));
  picture(cv::Rect(30, 40, 50, 60)).setTo(cv::Scalar::all(250));  // something to describe
  for (const char* extension : {".jpg", ".png", ".webp"}) {
    std::vector<std::uint8_t> file;
    if (!cv::imencode(extension, picture, file) || !derive(file)) return false;
  }
  return true;
}

// The server's death closes its end of the channel. In the middle of a photo nobody reads the channel, so the kernel is
// asked to raise a signal; a request that arrives raises it, too, and means nothing.
bool end_with_server() {
  struct sigaction action{};
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  action.sa_sigaction = [](int, siginfo_t* info, void*) {
    if (info->si_code == POLL_HUP) ::_exit(0);
  };
  return ::sigaction(SIGIO, &action, nullptr) == 0 && ::fcntl(kWorkerChannel, F_SETOWN, ::getpid()) == 0 &&
         ::fcntl(kWorkerChannel, F_SETSIG, SIGIO) == 0 &&
         ::fcntl(kWorkerChannel, F_SETFL, ::fcntl(kWorkerChannel, F_GETFL) | O_ASYNC) == 0;
}

int refuse(std::string_view why) {
  std::fprintf(stderr, "gridward-vision-worker: %.*s\n", static_cast<int>(why.size()), why.data());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const bool confine = argc < 2 || std::string_view(argv[1]) != "--unconfined";
  cv::setNumThreads(1);
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  if (const auto why = limit_resources(); !why.empty()) return refuse(why);
  if (!warm_up()) return refuse("the decoders do not work");
  if (!end_with_server()) return refuse("the channel");
  if (!is_sanitizer_build()) {
    // Decoders complain there about every hostile photo; a sanitizer's report must get through.
    const Descriptor nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    if (!nowhere || ::dup2(nowhere.get(), STDERR_FILENO) < 0) return refuse("/dev/null");
  }
  if (confine) {
    if (const auto why = confine_system_calls(); !why.empty()) return refuse(why);
  }
  const bool confined = confine && !is_sanitizer_build();
  if (!send_message(WorkerReady{kProtocolMark, confined ? 1U : 0U})) return 2;
  while (true) {
    Job job;
    switch (receive(job)) {
      case Next::end:
        return 0;
      case Next::broken:
        return 2;
      case Next::job:
        break;
    }
    if (!send_message(answer_of(work(job)))) return 2;
  }
}
