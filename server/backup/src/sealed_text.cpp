#include "sealed_text.hpp"

#include <charconv>
#include <fstream>
#include <gridward/platform/crypto.hpp>
#include <iterator>

namespace gridward::backup {
namespace {

constexpr std::string_view kSeal = "seal ";

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (auto blank = line.find(' '); blank != std::string_view::npos; blank = line.find(' ')) {
    words.push_back(line.substr(0, blank));
    line.remove_prefix(blank + 1);
  }
  words.push_back(line);
  return words;
}

}  // namespace

void add_line(std::string& text, std::initializer_list<std::string_view> words) {
  const char* blank = "";
  for (const auto word : words) {
    text += blank;
    text += word;
    blank = " ";
  }
  text += '\n';
}

void seal(std::string& text) {
  const auto hash = platform::sha256(as_bytes(text));
  text += kSeal;
  text += to_hex(hash);
  text += '\n';
}

Result<void> read_sealed(const std::filesystem::path& file,
                         const std::function<bool(const std::vector<std::string_view>&)>& take) {
  const auto name = file.string();
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return fail(ErrorCode::not_found, name, "there is no such file");
  std::ifstream in(file, std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(in), {}};
  if (in.bad() || !in.is_open()) return fail(ErrorCode::storage_failed, name, "cannot be read");

  const auto at = all.rfind("\n" + std::string(kSeal));
  if (at == std::string::npos) return fail(ErrorCode::malformed, name, "it ends before its seal");
  std::string_view text(all.data(), at + 1);
  std::string expected(text);
  seal(expected);
  if (expected != all) return fail(ErrorCode::malformed, name, "its seal does not fit: it was changed or damaged");
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    if (!take(words_of(text.substr(0, end)))) {
      return fail(ErrorCode::malformed, name, "line " + std::to_string(number) + " is not understood");
    }
    text.remove_prefix(end + 1);
  }
  return {};
}

std::optional<std::uint64_t> count_of(std::string_view digits) {
  std::uint64_t number = 0;
  const auto* end = digits.data() + digits.size();
  const auto result = std::from_chars(digits.data(), end, number);
  if (result.ec != std::errc{} || result.ptr != end) return std::nullopt;
  return number;
}

}  // namespace gridward::backup
