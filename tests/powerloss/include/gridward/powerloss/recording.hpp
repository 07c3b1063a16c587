// A folder under observation: makes the log for the recorder, hands out what is in it, puts trees of the model on a
// real disk.
#pragma once

#include <filesystem>
#include <functional>
#include <gridward/powerloss/disk.hpp>
#include <vector>

namespace gridward::powerloss {

// What is in the folder now, as the state before the first operation.
Disk read_disk(const std::filesystem::path& folder);
// Into a folder that is emptied first.
void write_tree(const Tree& tree, const std::filesystem::path& folder);
// The first difference between the model's tree and the folder, or nothing. Files that SQLite shares memory through are
// looked over, as the recorder does.
std::string difference(const Tree& tree, const std::filesystem::path& folder);

// For programs that look at a disk that is thrown away: nothing waits for a real disk.
std::vector<std::string> without_syncs();

class Recording {
 public:
  // `root` exists and lies still; the log is a sparse file beside it.
  explicit Recording(const std::filesystem::path& root);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  // For the processes under test.
  std::vector<std::string> environment() const;
  const Disk& begin() const { return begin_; }
  // Operations so far, while processes run, too.
  std::uint64_t count() const;
  // The texts and data live as long as this object.
  std::vector<Op> ops() const;
  // What the recorder could not follow, or where its log and the folder differ. Ask when no process runs.
  std::string problem() const;

  // The process that is about to do operation n is killed, the others go on.
  void kill_at(std::uint64_t n);
  // Whoever is about to do operation n or a later one is killed.
  void cut_power_at(std::uint64_t n);
  bool killed() const;
  void skip_sync(const std::string& path_end);
  void fail_sync(const std::string& path_end);
  void slow_sync(const std::string& path_end);

 private:
  std::filesystem::path root_;
  std::filesystem::path log_;
  Disk begin_;
  LogHeader* header_ = nullptr;
};

// What the model says, told piece by piece: each point is a number of operations that had happened.
class Points {
 public:
  Points(Disk begin, std::vector<Op> ops) : disk_(std::move(begin)), ops_(std::move(ops)) {}
  // Forward only.
  const Disk& at(std::uint64_t n) {
    while (next_ < n) disk_.apply(ops_[next_++]);
    return disk_;
  }

 private:
  Disk disk_;
  std::vector<Op> ops_;
  std::uint64_t next_ = 0;
};

// The lines that reached the standard output of one process, each with the number of the operation that brought its
// end there.
struct Line {
  std::uint64_t n = 0;
  int pid = 0;
  std::string text;
};
std::vector<Line> said(const std::vector<Op>& ops);

// The MQTT messages that left a process, likewise.
struct Published {
  std::uint64_t n = 0;
  int pid = 0;
  std::string topic;
  Bytes payload;
};
std::vector<Published> published(const std::vector<Op>& ops);

}  // namespace gridward::powerloss
