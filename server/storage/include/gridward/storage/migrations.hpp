// The schema as numbered steps. A step that was released is never changed: what is wrong in it is put right by the
// next.
#pragma once

#include <functional>
#include <gridward/shared/error.hpp>
#include <span>
#include <string>
#include <vector>

namespace gridward::storage {

class Connection;

// One statement a text, the same for both databases but for these placeholders:
//   {id}    an integer primary key that counts by itself
//   {text}  a text compared by its bytes, whatever the database's locale
struct Migration {
  int version = 0;  // from 1, ascending
  std::string name;
  std::vector<std::string> statements;
  std::function<void(Connection&)> then{};  // what SQL cannot do; in the same transaction
  // Why a database of this version cannot take the step; empty: it can. Asked before the first step is taken, so that a
  // database that is refused is left as it was.
  std::function<std::string(Connection&, int)> unfit{};
};

std::span<const Migration> all_migrations();

// Brings the database to the last of these, each step in a transaction of its own; gives the version reached. A step
// that fails leaves the version before it. Errors: config_invalid (the url), newer_database, storage_failed.
Result<int> migrate(const std::string& url, std::span<const Migration> migrations = all_migrations());
// 0: no step was ever taken. Errors: config_invalid, storage_failed.
Result<int> schema_version(const std::string& url);

}  // namespace gridward::storage
