// Named fields of one CSV row or JSON object into a row of the batch, with every rule on a single field.
#pragma once

#include <cstddef>
#include <gridward/import/import_files.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gridward::importing {

enum class Table { orgs, users, devices };

using Fields = std::vector<std::pair<std::string, std::string>>;

// The problems of one file, up to the limit.
class Problems {
 public:
  Problems(std::string file, std::vector<app::ImportProblem>& out) : file_(std::move(file)), out_(out) {}
  const std::string& file() const { return file_; }
  std::size_t count() const { return count_; }
  bool full() const { return count_ >= kProblemsPerFile; }
  void add(std::size_t line, std::string field, std::string message);

 private:
  std::string file_;
  std::vector<app::ImportProblem>& out_;
  std::size_t count_ = 0;
};

// The name of a column in the code, from either of its names ("code", "编码"); nothing for an unknown one.
std::optional<std::string_view> known_field(Table table, std::string_view name);
std::vector<std::string_view> required_fields(Table table);
std::string field_list(Table table);  // for a message

void add_row(Table table, std::size_t line, const Fields& fields, Parsed& out, Problems& problems);

bool valid_code(std::string_view code);
// For a message: at most 40 characters of what came, valid UTF-8 whatever came.
std::string shown(std::string_view text);

}  // namespace gridward::importing
