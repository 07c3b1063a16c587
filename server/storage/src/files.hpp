#pragma once

#include <functional>
#include <gridward/shared/error.hpp>
#include <string>

namespace gridward::storage {

// Lets `make` write a file beside `path`, syncs it, and moves it to its place. Errors: already_exists, storage_failed,
// and make's own; nothing is left behind then.
Result<void> write_beside(const std::string& path, const std::function<Result<void>(const std::string&)>& make);

}  // namespace gridward::storage
