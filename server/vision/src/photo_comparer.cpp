#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <gridward/vision/photo_comparer.hpp>
#include <gridward/vision/photo_description.hpp>
#include <gridward/vision/photo_store.hpp>
#include <system_error>

#include "descriptor.hpp"

namespace gridward::vision {
namespace {

Result<PhotoDescription> description_of(const FilePhotoStore& store, const Sha256& sha) {
  const auto path = store.description(sha);
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return fail(ErrorCode::not_found, "description", path.string());
  Bytes bytes(kDescriptionBytes + 1);
  std::size_t size = 0;
  while (file && size < bytes.size()) {
    const ssize_t got = ::pread(file.get(), bytes.data() + size, bytes.size() - size, static_cast<off_t>(size));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return fail(ErrorCode::storage_failed, "description",
                  path.string() + ": " + std::generic_category().message(errno));
    }
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (!file) {
    return fail(ErrorCode::storage_failed, "description",
                path.string() + ": " + std::generic_category().message(errno));
  }
  auto parsed = parse_description(ByteView(bytes).first(size));
  // Another version's, or damaged: as good as none, for it can be made again.
  if (!parsed) return fail(ErrorCode::not_found, "description", path.string() + ": " + parsed.error().detail);
  return parsed;
}

}  // namespace

Result<std::vector<std::int64_t>> FilePhotoComparer::keys(const Sha256& sha) {
  const auto description = description_of(store_, sha);
  if (!description) return tl::unexpected(description.error());
  return keys_of(*description);
}

Result<app::PhotoLikeness> FilePhotoComparer::compare(const Sha256& earlier, const Sha256& later) {
  const auto before = description_of(store_, earlier);
  if (!before) return tl::unexpected(before.error());
  const auto after = description_of(store_, later);
  if (!after) return tl::unexpected(after.error());
  const auto likeness = vision::compare(*before, *after);
  return app::PhotoLikeness{likeness.place, likeness.copy, likeness.judged};
}

}  // namespace gridward::vision
