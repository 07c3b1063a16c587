#include "checkpointer.hpp"

namespace gridward::storage {
namespace {

// A third of what lets the writer do it itself (wal_autocheckpoint), at two to three pages a unit.
constexpr std::size_t kUnits = 1000;

}  // namespace

Checkpointer::Checkpointer(Address address, std::function<void(std::string_view)> log)
    : address_(std::move(address)), log_(std::move(log)), thread_([this] { run(); }) {}

Checkpointer::~Checkpointer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Checkpointer::committed(std::size_t units) {
  bool due = false;
  {
    const std::lock_guard lock(mutex_);
    const bool before = units_ >= kUnits;
    units_ += units;
    due = !before && units_ >= kUnits;
  }
  if (due) wake_.notify_one();
}

void Checkpointer::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || units_ >= kUnits; });
      if (stopping_) return;
      units_ = 0;
    }
    try {
      // Opened each time, which costs a hundredth of a checkpoint: no file is held that somebody may have replaced.
      soci::session session;
      Connection connection(session, address_, Role::writer);
      connection.checkpoint();
    } catch (const std::exception& problem) {
      // The writer's own will do it.
      if (log_) log_("a checkpoint failed: " + std::string(problem.what()));
    }
  }
}

}  // namespace gridward::storage
