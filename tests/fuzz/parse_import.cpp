// The first byte chooses the format, so that one program and one corpus serve both parsers of a county's files.
#include <cstdlib>
#include <gridward/import/import_files.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  gridward::importing::Parsed parsed;
  if (data[0] == 'c') {
    gridward::importing::parse_csv("a.csv", text, parsed);
  } else {
    gridward::importing::parse_json("a.json", text, parsed);
  }
  // What is shown to a person is text whatever came, and a bad file cannot fill the screen or the memory.
  if (parsed.problems.size() > gridward::importing::kProblemsPerFile + 1) std::abort();
  for (const auto& problem : parsed.problems) {
    if (!gridward::valid_utf8(problem.message) || !gridward::valid_utf8(problem.field)) std::abort();
  }
  return 0;
}
