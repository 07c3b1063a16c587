// Notices that another process has appended to the outbox, without waking up to look.
//
// Why inotify: polling PRAGMA data_version twice a second costs 120 wakeups a minute; a datagram from the command is
// lost when the command is killed right after its commit. A write to the WAL is the commit itself. It comes a moment
// before the commit is visible, so the agent looks again shortly after; a command that lives on also opens and closes
// the file `nudge` after its commit, which is seen at once and writes nothing to the flash.
// Without inotify (its instances are limited per user) data_version is polled.
#pragma once

#include <filesystem>
#include <gridward/shared/time.hpp>
#include <gridward_device/file.hpp>
#include <optional>

namespace gridward::device {

class OutboxWatch {
 public:
  explicit OutboxWatch(const std::filesystem::path& dir);
  static void nudge(const std::filesystem::path& dir);  // after a commit, from any process

  int fd() const { return inotify_.get(); }  // -1: polling
  // Empties the queue; true: the database should be asked now.
  bool look(Millis now);
  std::optional<Millis> next_timer() const { return look_at_; }

 private:
  Descriptor inotify_;
  std::optional<Millis> look_at_;
  int looks_left_ = 0;
};

}  // namespace gridward::device
