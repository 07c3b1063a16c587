#pragma once

#include <gridward/platform/config.hpp>
#include <optional>

#include "args.hpp"

namespace gridward::main_program {

// Part of what scripts rely on; README.md of this folder says the same.
enum Exit : int {
  kDone = 0,
  kFailed = 1,       // storage, port, network, mistakes that `profile check` found: the reason is on stderr
  kUsage = 2,        // the command line
  kBadInput = 3,     // configuration, profile or import files
  kDamaged = 4,      // audit verify found something
  kStopTimeout = 5,  // serve had to be cut while stopping
};

int say(const Error& error, int status);  // on stderr; gives the status back
int say(const std::vector<Error>& errors, int status);

// --config and --set; says what is wrong and gives nothing.
std::optional<platform::Config> config_of(const Args& args);
// Makes the data folder where it is missing. Error: unavailable, a restore was cut off there.
Result<std::string> database_url(const platform::Config& config);

// Every mistake of the file on stderr, or what was read on stdout.
int check_profile(const std::string& file, int status_when_wrong);

int serve(const Args& args);
int migrate(const Args& args);
int import_files(const Args& args);
int user_set(const Args& args);
int device_list(const Args& args);
int device_add(const Args& args);
int device_revoke(const Args& args);
int config_check(const Args& args);
int config_doc(const Args& args);
int profile_check(const Args& args);
int due(const Args& args);
int audit_verify(const Args& args);
int audit_erasures(const Args& args);
int event_erase(const Args& args);
int person_erase(const Args& args);
int backup_make(const Args& args);
int backup_verify(const Args& args);
int backup_mark(const Args& args);
int backup_confirm(const Args& args);
int restore(const Args& args);
int restored(const Args& args);

}  // namespace gridward::main_program
