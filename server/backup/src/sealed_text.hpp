// Lines of words, closed by the hash of all lines before: a text that was cut off or changed is seen.
#pragma once

#include <filesystem>
#include <functional>
#include <gridward/shared/bytes.hpp>
#include <gridward/shared/error.hpp>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gridward::backup {

void add_line(std::string& text, std::initializer_list<std::string_view> words);  // no word holds a blank
void seal(std::string& text);

// Gives the words of each line but the seal, which was checked before, until `take` says false: then the line is
// malformed. Errors: not_found, malformed, storage_failed.
Result<void> read_sealed(const std::filesystem::path& file,
                         const std::function<bool(const std::vector<std::string_view>&)>& take);

std::optional<std::uint64_t> count_of(std::string_view digits);

}  // namespace gridward::backup
