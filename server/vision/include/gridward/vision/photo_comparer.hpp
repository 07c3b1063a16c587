// The app's PhotoComparer over the descriptions beside the photos.
#pragma once

#include <gridward/app/ports.hpp>

namespace gridward::vision {

class FilePhotoStore;

// Thread-safe. No picture is decoded here: descriptions are parsed, bounded and checked.
class FilePhotoComparer final : public app::PhotoComparer {
 public:
  // `store` must live longer.
  explicit FilePhotoComparer(const FilePhotoStore& store) : store_(store) {}
  Result<std::vector<std::int64_t>> keys(const Sha256& sha) override;
  Result<app::PhotoLikeness> compare(const Sha256& earlier, const Sha256& later) override;

 private:
  const FilePhotoStore& store_;
};

}  // namespace gridward::vision
