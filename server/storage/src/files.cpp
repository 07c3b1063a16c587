#include "files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace gridward::storage {
namespace {

Result<void> failed(const std::string& path, int number) {
  return fail(ErrorCode::storage_failed, path, std::strerror(number));
}

Result<void> sync(const std::string& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC);
  if (file < 0) return failed(path, errno);
  const int problem = ::fsync(file) == 0 ? 0 : errno;
  ::close(file);
  if (problem != 0) return failed(path, problem);
  return {};
}

}  // namespace

Result<void> write_beside(const std::string& path, const std::function<Result<void>(const std::string&)>& make) {
  const std::filesystem::path target = std::filesystem::absolute(path);
  if (std::filesystem::exists(target)) return fail(ErrorCode::already_exists, path);
  const std::string beside = target.string() + ".part";
  std::error_code ignored;
  std::filesystem::remove(beside, ignored);
  auto result = make(beside);
  if (result) result = sync(beside, O_RDONLY);
  // link, not rename: it never replaces what somebody else put there meanwhile.
  if (result && ::link(beside.c_str(), target.c_str()) != 0) {
    result = errno == EEXIST ? Result<void>(fail(ErrorCode::already_exists, path)) : failed(path, errno);
  }
  std::filesystem::remove(beside, ignored);
  if (result) result = sync(target.parent_path().string(), O_RDONLY | O_DIRECTORY);
  return result;
}

}  // namespace gridward::storage
