#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <gridward_device/watch.hpp>
#include <string_view>

namespace gridward::device {
namespace {

constexpr Millis kPoll{500};
constexpr Millis kSoon{100};  // a commit's fsync takes this long on a slow card
constexpr Millis kLater{1'000};
constexpr const char* kNudge = "nudge";

}  // namespace

OutboxWatch::OutboxWatch(const std::filesystem::path& dir) {
  const Descriptor made(::open((dir / kNudge).c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0600));
  Descriptor watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (watch && ::inotify_add_watch(watch.get(), dir.c_str(), IN_MODIFY | IN_CLOSE_NOWRITE) >= 0) {
    inotify_ = std::move(watch);
  } else {
    look_at_ = Millis{0};
  }
}

void OutboxWatch::nudge(const std::filesystem::path& dir) {
  const Descriptor opened(::open((dir / kNudge).c_str(), O_RDONLY | O_CLOEXEC));
}

bool OutboxWatch::look(Millis now) {
  if (!inotify_) {
    if (look_at_ && *look_at_ > now) return false;
    look_at_ = now + kPoll;
    return true;
  }
  bool ask = false;
  alignas(inotify_event) char buffer[4096];
  for (;;) {
    const ssize_t got = ::read(inotify_.get(), buffer, sizeof buffer);
    if (got <= 0) break;
    for (ssize_t at = 0; at < got;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      const std::string_view name = event->len > 0 ? std::string_view(event->name) : std::string_view();
      if (name == kNudge && (event->mask & IN_CLOSE_NOWRITE) != 0) ask = true;
      if (name.ends_with("-wal") && (event->mask & IN_MODIFY) != 0) {
        ask = true;
        looks_left_ = 2;
        look_at_ = now + kSoon;
      }
      if ((event->mask & IN_Q_OVERFLOW) != 0) ask = true;
    }
  }
  if (look_at_ && *look_at_ <= now) {
    ask = true;
    look_at_ = --looks_left_ > 0 ? std::optional(now + kLater) : std::nullopt;
  }
  return ask;
}

}  // namespace gridward::device
