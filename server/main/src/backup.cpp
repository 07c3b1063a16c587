// Backup and restore as an operator calls them.
#include <cstdio>
#include <filesystem>
#include <gridward/backup/backup.hpp>
#include <gridward/vision/photo_store.hpp>

#include "commands.hpp"
#include "tool.hpp"

namespace gridward::main_program {
namespace {

std::unique_ptr<vision::FilePhotoStore> photos_of(const platform::Config& config) {
  return vision::FilePhotoStore::beside(std::filesystem::path(config.data_dir) / "photos");
}

// A mistyped data_dir must not become a backup of a new, empty database.
int open_existing(const Args& args, Tool& tool) {
  const auto config = config_of(args);
  if (!config) return kBadInput;
  const auto database = std::filesystem::path(config->data_dir) / "gridward.db";
  if (config->database_url.empty() && !std::filesystem::exists(database)) {
    return say({ErrorCode::not_found, database.string(), "there is no database"}, kFailed);
  }
  return open_tool(args, tool);
}

void list(const std::vector<Sha256>& photos, const char* what) {
  for (const auto& sha : photos) std::fprintf(stderr, "photo %s: %s\n", to_hex(sha).c_str(), what);
}

int tell_settled(const backup::Settled& settled) {
  list(settled.missing, "not here; a handheld that still has it sends it again");
  std::printf("restored: %zu photos get their smaller sizes again, %zu are missing; everybody logs in again\n",
              settled.derive_again, settled.missing.size());
  return kDone;
}

}  // namespace

int backup_make(const Args& args) {
  Tool tool;
  if (const int status = open_existing(args, tool); status != kDone) return status;
  const auto made = backup::make(*tool.store, *photos_of(tool.config), args.words[0], tool.clock->now());
  if (!made) return say(made.error(), kFailed);
  list(made->missing, "lost or damaged in the data folder, not in the backup");
  std::printf("%s: database and %zu photos, %zu of them linked to an earlier backup\n", made->folder.c_str(),
              made->photos, made->linked);
  return made->missing.empty() ? kDone : kDamaged;
}

int backup_verify(const Args& args) {
  const auto checked = backup::verify(args.words[0]);
  if (!checked) return say(checked.error(), checked.error().code == ErrorCode::storage_failed ? kFailed : kDamaged);
  for (const auto& one : checked->damaged) std::fprintf(stderr, "%s\n", one.c_str());
  if (!checked->damaged.empty()) return kDamaged;
  std::printf("ok: %zu files, %llu bytes\n", checked->files, static_cast<unsigned long long>(checked->bytes));
  return kDone;
}

int backup_mark(const Args& args) {
  Tool tool;
  if (const int status = open_existing(args, tool); status != kDone) return status;
  const auto marked = backup::mark(*tool.store, *photos_of(tool.config), args.words[0]);
  if (!marked) return say(marked.error(), kFailed);
  std::printf("copy database and photos now; when both are safe: gridward-server backup confirm %s\n",
              args.words[0].c_str());
  return kDone;
}

int backup_confirm(const Args& args) {
  Tool tool;
  if (const int status = open_existing(args, tool); status != kDone) return status;
  const auto streams = backup::confirm(*tool.store, args.words[0]);
  if (!streams) return say(streams.error(), kFailed);
  std::printf("ok: handhelds may forget what this copy holds (%zu streams)\n", *streams);
  return kDone;
}

int restore(const Args& args) {
  const auto config = config_of(args);
  if (!config) return kBadInput;
  if (!config->database_url.empty()) {
    return say({ErrorCode::config_invalid, "database.url",
                "a restore puts the database into data_dir: leave this empty; PostgreSQL has its own tools and "
                "\"gridward-server restored\" after them"},
               kBadInput);
  }
  backup::RestoreOptions options;
  options.data_dir = config->data_dir;
  options.skip_damaged = args.has("--skip-damaged");
  const auto settled = backup::restore(args.words[0], *photos_of(*config), options);
  if (!settled) {
    const auto code = settled.error().code;
    return say(settled.error(), code == ErrorCode::malformed || code == ErrorCode::not_found ? kDamaged : kFailed);
  }
  return tell_settled(*settled);
}

int restored(const Args& args) {
  Tool tool;
  if (const int status = open_existing(args, tool); status != kDone) return status;
  const auto settled = backup::settle(*tool.store, *photos_of(tool.config));
  if (!settled) return say(settled.error(), kFailed);
  return tell_settled(*settled);
}

}  // namespace gridward::main_program
