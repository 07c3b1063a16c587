#include "commands.hpp"

#include <pwd.h>
#include <termios.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <gridward/app/services.hpp>
#include <gridward/import/import_files.hpp>
#include <gridward/platform/log.hpp>
#include <gridward/storage/migrations.hpp>
#include <gridward/storage/store.hpp>
#include <iostream>

#include "tool.hpp"

namespace gridward::main_program {
namespace {

namespace log = platform::log;

int finish_import(const app::ImportReport& report) {
  for (const auto& problem : report.problems) {
    std::string place = problem.file;
    if (problem.line > 0) place += ":" + std::to_string(problem.line);
    std::fprintf(stderr, "%s: %s: %s\n", place.c_str(), problem.field.c_str(), problem.message.c_str());
  }
  if (!report.problems.empty()) {
    std::fprintf(stderr, "%zu problems, nothing was taken\n", report.problems.size());
    return kBadInput;
  }
  return kDone;
}

// From a terminal without echo, else the first line of stdin.
std::optional<std::string> read_password() {
  const bool terminal = ::isatty(STDIN_FILENO) == 1;
  termios before{};
  if (terminal) {
    std::fputs("Password: ", stderr);
    ::tcgetattr(STDIN_FILENO, &before);
    auto silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  std::string line;
  const bool read = static_cast<bool>(std::getline(std::cin, line));
  if (terminal) {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::fputs("\n", stderr);
  }
  if (!read || line.empty()) return std::nullopt;
  return line;
}

}  // namespace

int say(const Error& error, int status) {
  const auto& info = error_info(error.code);
  std::string text = "gridward-server: ";
  text += error.field.empty() ? std::string(info.en) : error.field;
  if (!error.detail.empty()) text += ": " + error.detail;
  std::fprintf(stderr, "%s\n", text.c_str());
  return status;
}

int say(const std::vector<Error>& errors, int status) {
  for (const auto& error : errors) say(error, status);
  return status;
}

std::optional<platform::Config> config_of(const Args& args) {
  const auto found = args.values.find("--set");
  static const std::vector<std::string> kNone;
  auto config = platform::load_config(args.value("--config"), found == args.values.end() ? kNone : found->second);
  if (!config) {
    say(config.error(), kBadInput);
    return std::nullopt;
  }
  log::set_level(log::level_from_string(config->log_level).value_or(log::Level::info));
  return *config;
}

int migrate(const Args& args) {
  const auto config = config_of(args);
  if (!config) return kBadInput;
  const auto url = database_url(*config);
  if (!url) return say(url.error(), kFailed);
  const auto version = storage::migrate(*url);
  if (!version) return say(version.error(), kFailed);
  std::printf("schema version %d\n", *version);
  return kDone;
}

int import_files(const Args& args) {
  const std::vector<std::filesystem::path> files(args.words.begin(), args.words.end());
  auto parsed = importing::read_files(files);
  if (!parsed.problems.empty()) {
    app::ImportReport refused;
    refused.problems = std::move(parsed.problems);
    return finish_import(refused);
  }
  Tool tool;
  if (const int status = open_tool(args, tool); status != kDone) return status;
  const auto report = app::run_import(tool.services(), parsed.batch);
  if (const int status = finish_import(report); status != kDone) return status;
  std::printf("imported %zu nodes, %zu outlines, %zu people, %zu devices\n", report.orgs, report.outlines, report.users,
              report.devices);
  return kDone;
}

int user_set(const Args& args) {
  if (args.has("--disable") && args.has("--enable")) {
    return say({ErrorCode::config_invalid, "--enable", "not together with --disable"}, kUsage);
  }
  const auto& login = args.words[0];
  Tool tool;
  if (const int status = open_tool(args, tool); status != kDone) return status;
  std::optional<app::User> there;
  const auto read = tool.store->read([&](app::Tx& tx) -> Result<void> {
    there = tx.find_user(login);
    return {};
  });
  if (!read) return say(read.error(), kFailed);

  app::UserRow row;
  row.file = "command line";
  if (there) row.user = *there;
  row.user.login = login;
  if (args.has("--name")) row.user.name = args.value("--name");
  if (args.has("--org")) row.user.org = args.value("--org");
  if (args.has("--role")) {
    const auto role = domain::role_from_string(args.value("--role"));
    if (!role) return say({ErrorCode::config_invalid, "--role", args.value("--role") + " is no role"}, kUsage);
    row.user.role = *role;
  }
  for (const char* needed : {"--name", "--role", "--org"}) {
    if (!there && !args.has(needed)) {
      return say({ErrorCode::config_invalid, needed, "needed for a new login"}, kUsage);
    }
  }
  if (args.has("--disable")) row.user.active = false;
  if (args.has("--enable")) row.user.active = true;
  if (!args.has("--keep-password")) {
    auto password = read_password();
    if (!password) {
      return say({ErrorCode::config_invalid, "stdin", "the password is expected there, or --keep-password"}, kUsage);
    }
    row.password = std::move(*password);
  }
  app::ImportBatch batch;
  batch.users.push_back(std::move(row));
  if (const int status = finish_import(app::run_import(tool.services(), batch)); status != kDone) return status;
  std::printf("%s %s\n", there ? "changed" : "added", login.c_str());
  return kDone;
}

int device_list(const Args& args) {
  Tool tool;
  if (const int status = open_tool(args, tool); status != kDone) return status;
  std::vector<app::Device> devices;
  const auto read = tool.store->read([&](app::Tx& tx) -> Result<void> {
    std::string path;  // empty: all
    if (args.has("--org")) {
      const auto node = tx.find_org(args.value("--org"));
      if (!node) return fail(ErrorCode::not_found, "--org", args.value("--org") + " is not in the tree");
      path = node->path;
    }
    devices = tx.devices_below(path);
    return {};
  });
  if (!read) return say(read.error(), kFailed);
  for (const auto& device : devices) {
    std::printf("%s\ttown=%s\tholder=%s\tkey=%s\t%s\n", device.id.c_str(), device.town.c_str(), device.holder.c_str(),
                to_hex(device.public_key).c_str(), device.revoked ? "revoked" : "active");
  }
  return kDone;
}

int device_add(const Args& args) {
  for (const char* needed : {"--town", "--key"}) {
    if (!args.has(needed)) return say({ErrorCode::config_invalid, needed, "is needed"}, kUsage);
  }
  const auto key = from_hex(args.value("--key"));
  app::DeviceRow row;
  if (!key || key->size() != row.device.public_key.size()) {
    return say({ErrorCode::config_invalid, "--key", "64 hex digits: the device's Ed25519 public key"}, kUsage);
  }
  Tool tool;
  if (const int status = open_tool(args, tool); status != kDone) return status;
  row.file = "command line";
  row.device.id = args.words[0];
  row.device.town = args.value("--town");
  row.device.holder = args.value("--holder");
  std::copy(key->begin(), key->end(), row.device.public_key.begin());
  app::ImportBatch batch;
  batch.devices.push_back(std::move(row));
  if (const int status = finish_import(app::run_import(tool.services(), batch)); status != kDone) return status;
  std::printf("added %s\n", args.words[0].c_str());
  return kDone;
}

int device_revoke(const Args& args) {
  Tool tool;
  if (const int status = open_tool(args, tool); status != kDone) return status;
  const auto written = tool.store->write([&](app::Tx& tx) -> Result<void> {
    auto device = tx.find_device(args.words[0]);
    if (!device) return fail(ErrorCode::not_found, args.words[0], "no such device");
    device->revoked = true;
    tx.upsert_device(*device);
    return {};
  });
  if (!written) return say(written.error(), kFailed);
  std::printf("revoked %s\n", args.words[0].c_str());
  return kDone;
}

int config_check(const Args& args) {
  const auto config = config_of(args);
  if (!config) return kBadInput;
  if (const auto clock = make_clock(config->test_clock_file); !clock) return say(clock.error(), kBadInput);
  return check_profile(config->policy_file, kBadInput);
}

int config_doc(const Args&) {
  std::fputs(platform::config_page().c_str(), stdout);
  return kDone;
}

int audit_verify(const Args& args) {
  Tool tool;
  if (const int status = open_tool(args, tool); status != kDone) return status;
  const auto cases = tool.store->verify_case_chains();
  if (!cases) {
    const auto& field = cases.error().field;
    return say(cases.error(), field == "case_events" || field == "cases" ? kDamaged : kFailed);
  }
  std::printf("ok: %zu cases\n", *cases);
  return kDone;
}

namespace {

// Who the trace of an erasure names: the account of this machine.
std::string operator_name() {
  const auto* entry = ::getpwuid(::getuid());
  return entry == nullptr ? std::to_string(::getuid()) : entry->pw_name;
}

int needs_reason() { return say({ErrorCode::config_invalid, "--reason", "is needed: it stays as the trace"}, kUsage); }

}  // namespace

int audit_erasures(const Args& args) {
  Tool tool;
  if (const int status = open_tool(args, tool); status != kDone) return status;
  std::vector<app::ErasureNote> notes;
  const auto read = tool.store->read([&](app::Tx& tx) -> Result<void> {
    notes = tx.erasures();
    return {};
  });
  if (!read) return say(read.error(), kFailed);
  for (const auto& note : notes) {
    std::printf("%lld\t%s\t%s\t%llu events\t%s\n", static_cast<long long>(to_unix_ms(note.at)), note.by.c_str(),
                note.what.c_str(), static_cast<unsigned long long>(note.events), note.reason.c_str());
  }
  return kDone;
}

int event_erase(const Args& args) {
  if (args.value("--reason").empty()) return needs_reason();
  const auto id = uuid_from_string(args.words[0]);
  if (!id)
    return say({ErrorCode::config_invalid, args.words[0], "is no id of a case: see the address of its page"}, kUsage);
  std::uint64_t n = 0;
  const auto* end = args.words[1].data() + args.words[1].size();
  if (const auto number = std::from_chars(args.words[1].data(), end, n);
      number.ec != std::errc{} || number.ptr != end) {
    return say({ErrorCode::config_invalid, args.words[1], "is no number of an event"}, kUsage);
  }
  Tool tool;
  if (const int status = open_tool(args, tool); status != kDone) return status;
  const auto erased = app::Erasing(tool.services()).event(*id, n, operator_name(), args.value("--reason"));
  if (!erased) return say(erased.error(), kFailed);
  std::printf("erased\n");
  return kDone;
}

int person_erase(const Args& args) {
  if (args.value("--reason").empty()) return needs_reason();
  Tool tool;
  if (const int status = open_tool(args, tool); status != kDone) return status;
  const auto erased = app::Erasing(tool.services()).person(args.words[0], operator_name(), args.value("--reason"));
  if (!erased) return say(erased.error(), kFailed);
  std::printf("erased: %zu events of cases, %zu records, %zu punches, patrols and tracks%s\n", erased->events,
              erased->records, erased->duty, erased->known ? ", the login" : "");
  return kDone;
}

}  // namespace gridward::main_program
