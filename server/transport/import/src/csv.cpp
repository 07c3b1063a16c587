#include <algorithm>
#include <gridward/import/import_files.hpp>
#include <string>
#include <vector>

#include "rows.hpp"

namespace gridward::importing {
namespace {

// One row of RFC 4180 at a time. A line break inside quotes belongs to the value; the row's line is where it began.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  struct Row {
    std::size_t line = 0;
    std::vector<std::string> values;
    std::string problem;  // not empty: the row cannot be read
    bool fatal = false;   // nor what follows it
  };

  bool next(Row& row) {
    row = {};
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) take_line_break();
    if (at_ >= text_.size()) return false;
    row.line = line_;
    while (true) {
      std::string value;
      const bool quoted = at_ < text_.size() && text_[at_] == '"';
      if (quoted) {
        if (!read_quoted(value, row)) return true;
      } else {
        const auto end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
        value = text_.substr(at_, std::min(end - at_, kFieldBytes + 1));
        if (row.problem.empty() && value.find('"') != std::string::npos) {
          row.problem = "a value that holds a quote must be in quotes, and the quote doubled";
        }
        at_ = end;
      }
      if (row.problem.empty() && value.size() > kFieldBytes) {
        row.problem = "a value of more than " + std::to_string(kFieldBytes) + " bytes";
      }
      if (row.values.size() < kColumns) {
        row.values.push_back(std::move(value));
      } else if (row.problem.empty()) {
        row.problem = "more than " + std::to_string(kColumns) + " columns";
      }
      if (at_ >= text_.size()) return true;
      if (text_[at_] != ',') {
        take_line_break();
        return true;
      }
      ++at_;
    }
  }

 private:
  static constexpr std::size_t kColumns = 64;

  void take_line_break() {
    if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
    ++at_;
    ++line_;
  }

  bool read_quoted(std::string& value, Row& row) {
    const auto began = line_;
    ++at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
          ++at_;
        } else {
          ++at_;
          if (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\r' && text_[at_] != '\n') {
            row.problem = "something follows the closing quote of a value";
            at_ = std::min(text_.find_first_of("\r\n", at_), text_.size());
          }
          return true;
        }
      }
      if (c == '\n' || (c == '\r' && (at_ + 1 >= text_.size() || text_[at_ + 1] != '\n'))) ++line_;
      if (value.size() <= kFieldBytes) value += c;
      ++at_;
    }
    row.problem = "the quote opened in line " + std::to_string(began) + " is never closed";
    row.fatal = true;
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

std::string trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(" \t");
  if (from == std::string_view::npos) return {};
  return std::string(text.substr(from, text.find_last_not_of(" \t") - from + 1));
}

// The table is known by a column that only it has.
std::optional<Table> table_of(const std::vector<std::string>& header) {
  const auto has = [&](Table table, std::string_view name) {
    return std::any_of(header.begin(), header.end(),
                       [&](const auto& h) { return known_field(table, trimmed(h)) == name; });
  };
  if (has(Table::users, "login")) return Table::users;
  if (has(Table::devices, "public_key")) return Table::devices;
  if (has(Table::orgs, "code")) return Table::orgs;
  return std::nullopt;
}

}  // namespace

void parse_csv(const std::string& file, std::string_view text, Parsed& out) {
  Problems problems(file, out.problems);
  if (text.size() > kFileBytes) {
    return problems.add(1, "file", std::to_string(text.size()) + " bytes: at most " + std::to_string(kFileBytes));
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);

  Reader reader(text);
  Reader::Row row;
  if (!reader.next(row)) return problems.add(1, "header", "the file is empty: the first row names the columns");
  if (!row.problem.empty()) return problems.add(row.line, "header", row.problem);
  for (const auto& name : row.values) {
    if (!valid_utf8(name)) {
      return problems.add(row.line, "header", "'" + shown(name) + "' is not UTF-8: save the table as \"CSV UTF-8\"");
    }
  }
  const auto table = table_of(row.values);
  if (!table) {
    return problems.add(row.line, "header",
                        "no table has these columns: organisation (" + field_list(Table::orgs) + "), people (" +
                            field_list(Table::users) + ") or devices (" + field_list(Table::devices) + ")");
  }
  std::vector<std::string> header;
  for (const auto& value : row.values) {
    const auto name = known_field(*table, trimmed(value));
    if (!name) {
      problems.add(row.line, shown(value), "unknown column: " + field_list(*table));
    } else if (std::find(header.begin(), header.end(), *name) != header.end()) {
      problems.add(row.line, std::string(*name), "the column is there twice");
    }
    header.emplace_back(name.value_or(""));
  }
  for (const auto name : required_fields(*table)) {
    if (std::find(header.begin(), header.end(), name) == header.end()) {
      problems.add(row.line, std::string(name), "the column is missing");
    }
  }
  if (problems.count() > 0) return;

  for (std::size_t rows = 1; !problems.full() && reader.next(row); ++rows) {
    if (rows > kRows) return problems.add(row.line, "file", "more than " + std::to_string(kRows) + " rows");
    if (!row.problem.empty()) {
      problems.add(row.line, {}, row.problem);
      if (row.fatal) return;
      continue;
    }
    if (row.values.size() != header.size()) {
      problems.add(row.line, {},
                   std::to_string(row.values.size()) + " values for " + std::to_string(header.size()) + " columns");
      continue;
    }
    Fields fields;
    bool readable = true;
    for (std::size_t i = 0; i < header.size(); ++i) {
      if (!valid_utf8(row.values[i]) || row.values[i].find('\0') != std::string::npos) {
        problems.add(row.line, header[i], "is not UTF-8 text: save the table as \"CSV UTF-8\"");
        readable = false;
      }
      // A password may begin or end with a space.
      fields.emplace_back(header[i], header[i] == "password" ? row.values[i] : trimmed(row.values[i]));
    }
    if (readable) add_row(*table, row.line, fields, out, problems);
  }
}

}  // namespace gridward::importing
