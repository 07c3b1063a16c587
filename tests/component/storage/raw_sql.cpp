#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "fixture.hpp"

namespace gridward::storage {
namespace {

std::string cell(const soci::row& row, std::size_t i) {
  if (row.get_indicator(i) == soci::i_null) return "NULL";
  switch (row.get_properties(i).get_data_type()) {
    case soci::dt_string:
      return row.get<std::string>(i);
    case soci::dt_integer:
      return std::to_string(row.get<int>(i));
    case soci::dt_long_long:
      return std::to_string(row.get<long long>(i));
    case soci::dt_double:
      return std::to_string(row.get<double>(i));
    default:
      return "?";
  }
}

}  // namespace

std::vector<std::string> raw_sql(const std::string& url, const std::string& sql) {
  soci::session session;
  if (url.starts_with("sqlite://")) {
    session.open(soci::sqlite3, url.substr(9));
    session << "PRAGMA busy_timeout = 10000";
  } else {
    session.open(soci::postgresql, url);
  }
  std::vector<std::string> lines;
  const soci::rowset<soci::row> rows = session.prepare << sql;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += (i > 0 ? "|" : "") + cell(row, i);
    lines.push_back(line);
  }
  return lines;
}

}  // namespace gridward::storage
