#include <gridward/backup/backup.hpp>
#include <gridward/platform/files.hpp>

#include "sealed_text.hpp"

namespace gridward::backup {
namespace {

constexpr std::string_view kWord = "gridward-backup-mark";
constexpr std::string_view kVersion = "1";
constexpr std::size_t kPhotosAtOnce = 1000;

struct Mark {
  Uuid generation;
  std::vector<app::StreamReach> reach;
};

Result<Mark> read_mark(const std::filesystem::path& file) {
  Mark mark;
  bool begun = false;
  const auto read = read_sealed(file, [&](const std::vector<std::string_view>& words) {
    if (!begun) return begun = words.size() == 2 && words[0] == kWord && words[1] == kVersion;
    if (words.size() == 2 && words[0] == "generation") {
      const auto generation = uuid_from_string(words[1]);
      if (generation) mark.generation = *generation;
      return generation.has_value();
    }
    if (words.size() != 4 || words[0] != "stream") return false;
    const auto epoch = uuid_from_string(words[2]);
    const auto safe = count_of(words[3]);
    if (!epoch || !safe) return false;
    mark.reach.push_back({std::string(words[1]), *epoch, *safe});
    return true;
  });
  if (!read) return tl::unexpected(read.error());
  return mark;
}

}  // namespace

Result<void> mark(storage::StoreWithControl& store, app::PhotoStore& photos, const std::filesystem::path& file) {
  std::string text;
  add_line(text, {kWord, kVersion});
  const auto read = store.read([&](app::Tx& tx) -> Result<void> {
    std::vector<Sha256> absent;
    Sha256 after{};
    for (auto rows = tx.sealed_media(after, kPhotosAtOnce); !rows.empty();
         rows = tx.sealed_media(after, kPhotosAtOnce)) {
      after = rows.back().sha256;
      for (const auto& row : rows) {
        if (!photos.has_original(row.sha256)) absent.push_back(row.sha256);
      }
    }
    add_line(text, {"generation", to_string(tx.generation())});
    for (const auto& stream : tx.reach(absent)) {
      add_line(text, {"stream", stream.device, to_string(stream.epoch), std::to_string(stream.safe)});
    }
    return {};
  });
  if (!read) return read;
  seal(text);
  if (auto written = platform::write_new_file(file, text); !written) return written;
  return platform::sync_folder(std::filesystem::absolute(file).parent_path());
}

Result<std::size_t> confirm(storage::StoreWithControl& store, const std::filesystem::path& file) {
  const auto mark = read_mark(file);
  if (!mark) return tl::unexpected(mark.error());
  const auto written = store.write([&](app::Tx& tx) -> Result<void> {
    if (tx.generation() != mark->generation) {
      return fail(ErrorCode::version_conflict, file.string(), "the store was restored since this mark was made");
    }
    tx.raise_backup_reach(mark->reach);
    return {};
  });
  if (!written) return tl::unexpected(written.error());
  return mark->reach.size();
}

}  // namespace gridward::backup
