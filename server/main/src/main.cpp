// gridward-server: which command, then that command.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <functional>

#include "commands.hpp"

namespace gridward::main_program {
namespace {

struct Command {
  std::string name;  // one word or two
  std::string usage;
  std::string about;
  ArgSpec spec;
  std::function<int(const Args&)> run;
};

ArgSpec configured(ArgSpec spec) {
  spec.with_value.insert("--config");
  spec.with_value.insert("--set");
  return spec;
}

int version(const Args&) {
  std::printf("gridward-server %s\n", GRIDWARD_VERSION);
  return kDone;
}

const std::vector<Command>& commands() {
  static const std::vector<Command> kCommands{
      {"serve", "--config FILE", "answer handhelds and pages until SIGTERM or SIGINT", configured({}), serve},
      {"migrate", "--config FILE", "bring the database to this version", configured({}), migrate},
      {"import", "--config FILE PATH…", "take organisation, people, devices and outlines: all or nothing",
       configured({{}, {}, 1, 10'000}), import_files},
      {"user set", "LOGIN [--name N] [--role R] [--org CODE] [--keep-password] [--disable|--enable]",
       "add or change a login; the password comes from stdin",
       configured({{"--name", "--role", "--org"}, {"--keep-password", "--disable", "--enable"}, 1, 1}), user_set},
      {"device list", "[--org CODE]", "devices of a node and below", configured({{"--org"}, {}, 0, 0}), device_list},
      {"device add", "ID --town CODE --key HEX [--holder LOGIN]", "register a device by its public key",
       configured({{"--town", "--key", "--holder"}, {}, 1, 1}), device_add},
      {"device revoke", "ID", "refuse what a device sends from now on", configured({{}, {}, 1, 1}), device_revoke},
      {"config check", "--config FILE", "try a configuration and its profile", configured({}), config_check},
      {"config doc", "", "print docs/configuration.md", {}, config_doc},
      {"profile check", "FILE", "every mistake of a county's profile", {{}, {}, 1, 1}, profile_check},
      {"due",
       "--profile FILE --rule KEY --at TIME [--tz OFFSET] [--unit CODE] [--pause FROM/TO]…",
       "when a limit of the profile ends and the steps that led there; the last line is JSON",
       {{"--profile", "--rule", "--at", "--tz", "--unit", "--pause"}, {}, 0, 0},
       due},
      {"audit verify", "--config FILE", "check every case's chain of events", configured({}), audit_verify},
      {"audit erasures", "--config FILE", "what was erased, by whom and why", configured({}), audit_erasures},
      {"person erase", "LOGIN --reason TEXT --config FILE", "who they are, from every case, record and the roll",
       configured({{"--reason"}, {}, 1, 1}), person_erase},
      {"event erase", "CASE N --reason TEXT --config FILE", "personal data of one event of a case",
       configured({{"--reason"}, {}, 2, 2}), event_erase},
      {"backup verify", "DIR/TIME", "read a whole backup against its manifest", {{}, {}, 1, 1}, backup_verify},
      {"backup mark", "FILE --config FILE",
       "before other tools copy database and photos: write down how far they reach", configured({{}, {}, 1, 1}),
       backup_mark},
      {"backup confirm", "FILE --config FILE", "that copy is safe: handhelds may forget what it holds",
       configured({{}, {}, 1, 1}), backup_confirm},
      {"backup", "DIR --config FILE", "SQLite database and photos into DIR/TIME, while they are in use",
       configured({{}, {}, 1, 1}), backup_make},
      {"restore", "DIR/TIME --config FILE [--skip-damaged]", "bring a backup back into an empty data folder",
       configured({{}, {"--skip-damaged"}, 1, 1}), restore},
      {"restored", "--config FILE", "after other tools brought database and photos back, before the server starts",
       configured({}), restored},
      {"version", "", "print the version", {}, version},
  };
  return kCommands;
}

void print_usage(std::FILE* to) {
  std::fputs("gridward-server COMMAND …   --config FILE and --set KEY=VALUE where a configuration is needed\n\n", to);
  for (const auto& command : commands()) {
    std::fprintf(to, "  %s %s\n      %s\n", command.name.c_str(), command.usage.c_str(), command.about.c_str());
  }
  std::fputs(
      "\nExit status: 0 done, 1 failed, 2 wrong command line, 3 wrong configuration or import, 4 damage found,\n"
      "5 stopping took too long\n",
      to);
}

int run(const std::vector<std::string>& given) {
  if (given.empty() || given[0] == "--help" || given[0] == "-h" || given[0] == "help") {
    print_usage(given.empty() ? stderr : stdout);
    return given.empty() ? kUsage : kDone;
  }
  for (const auto& command : commands()) {
    const auto words = static_cast<std::size_t>(1 + std::ranges::count(command.name, ' '));
    if (given.size() < words) continue;
    if ((words == 1 ? given[0] : given[0] + " " + given[1]) != command.name) continue;
    const auto args = parse_args(std::span(given).subspan(words), command.spec);
    if (args) return command.run(*args);
    say(args.error(), kUsage);
    std::fprintf(stderr, "usage: gridward-server %s %s\n", command.name.c_str(), command.usage.c_str());
    return kUsage;
  }
  std::fprintf(stderr, "gridward-server: no command \"%s\"; gridward-server help lists them\n", given[0].c_str());
  return kUsage;
}

}  // namespace
}  // namespace gridward::main_program

int main(int argc, char** argv) {
  try {
    return gridward::main_program::run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "gridward-server: %s\n", e.what());
    return gridward::main_program::kFailed;
  }
}
