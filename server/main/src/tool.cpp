#include "tool.hpp"

#include <filesystem>
#include <gridward/backup/backup.hpp>
#include <gridward/platform/log.hpp>
#include <gridward/profile/profile.hpp>

namespace gridward::main_program {

namespace log = platform::log;

Result<std::string> database_url(const platform::Config& config) {
  // The database comes to its place last: where it is, the restore was done and only the tidying up was not.
  if (std::filesystem::exists(backup::restore_folder(config.data_dir)) &&
      !std::filesystem::exists(std::filesystem::path(config.data_dir) / "gridward.db")) {
    return fail(ErrorCode::unavailable, "data_dir",
                "a restore into " + config.data_dir + " was cut off: run it again, or remove " +
                    backup::restore_folder(config.data_dir).string());
  }
  if (!config.database_url.empty()) return config.database_url;
  // Personal data lies here: nobody else's business on this machine.
  if (std::filesystem::create_directories(config.data_dir)) {
    std::filesystem::permissions(config.data_dir, std::filesystem::perms::owner_all);
  }
  return "sqlite://" + std::filesystem::absolute(config.data_dir).lexically_normal().string() + "/gridward.db";
}

int open_tool(const Args& args, Tool& tool) {
  auto config = config_of(args);
  if (!config) return kBadInput;
  tool.config = std::move(*config);
  auto clock = make_clock(tool.config.test_clock_file);
  if (!clock) return say(clock.error(), kBadInput);
  tool.clock = std::move(*clock);
  auto policy = profile::load_policy(tool.config.policy_file);
  if (!policy) return say(policy.error(), kBadInput);
  tool.policy = std::move(*policy);
  storage::StoreOptions options;
  auto url = database_url(tool.config);
  if (!url) return say(url.error(), kFailed);
  options.url = std::move(*url);
  options.readers = 1;
  options.log = [](std::string_view text) { log::warn("store", {{"message", text}}); };
  auto store = storage::open_store(std::move(options));
  if (!store) return say(store.error(), store.error().code == ErrorCode::config_invalid ? kBadInput : kFailed);
  tool.store = std::move(*store);
  return kDone;
}

}  // namespace gridward::main_program
