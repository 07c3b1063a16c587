// The child that is killed: writes records and prints the seq of each when its commit is told. Goes on where it was.
//   storage_writer URL
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <gridward/storage/store.hpp>
#include <string>
#include <thread>

using namespace gridward;

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  auto store = storage::open_store({.url = argv[1]});
  if (!store) {
    std::fprintf(stderr, "%s\n", to_string(store.error()).c_str());
    return 1;
  }
  Uuid epoch;
  epoch.bytes[0] = 1;
  std::uint64_t seq = 0;
  const auto read = (*store)->read([&](app::Tx& tx) -> Result<void> {
    seq = tx.contiguous_seq("hh-1", epoch);
    return {};
  });
  if (!read) return 1;
  while (true) {
    const auto number = ++seq;
    app::Unit unit;
    unit.work = [number, epoch](app::Tx& tx) -> Result<void> {
      app::StoredRecord record;
      record.device = "hh-1";
      record.epoch = epoch;
      record.seq = number;
      for (int i = 0; i < 8; ++i)
        record.id.bytes[static_cast<std::size_t>(15 - i)] = static_cast<std::uint8_t>(number >> (8 * i));
      record.bytes = Bytes(300, static_cast<std::uint8_t>(number));
      if (tx.insert_record(record) != app::Inserted::fresh) return fail(ErrorCode::already_exists);
      tx.enqueue_down("hh-1", "notice", std::to_string(number), UnixMs{});
      return {};
    };
    unit.done = [number](const Result<void>& result) {
      // One write: a line is printed whole or not at all.
      const auto line = (result ? "ok " : "failed ") + std::to_string(number) + "\n";
      if (::write(1, line.data(), line.size()) < 0) std::_Exit(3);
    };
    while (!(*store)->submit(unit)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}
