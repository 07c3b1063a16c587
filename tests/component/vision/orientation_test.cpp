#include <gtest/gtest.h>

#include <algorithm>
#include <gridward/test/drawn_photo.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>

#include "photo_files.hpp"

namespace gridward::vision::testing {
namespace {

class Orientation : public WorkerTest {
 protected:
  PhotoWorker worker_{options()};
};

TEST_F(Orientation, AllEightComeOutUprightInEveryFormat) {
  const cv::Mat upright = test::draw_photo(1301, 900, 9);
  for (std::uint8_t value = 1; value <= 8; ++value) {
    const cv::Mat stored = stored_as(upright, value);
    const Bytes files[] = {with_exif_jpeg(make_jpeg(stored), value),
                           with_exif_png(make_with_opencv(".png", stored), value),
                           with_exif_webp(make_with_opencv(".webp", stored), value, stored.size())};
    for (const Bytes& file : files) {
      const auto photo = derive(worker_, file);
      ASSERT_TRUE(photo) << to_string(photo.error());
      const int format = static_cast<int>(photo->format);
      EXPECT_EQ(photo->numbers.orientation, value) << format;
      EXPECT_EQ(photo->numbers.width, 1301U) << format;
      EXPECT_EQ(photo->numbers.height, 900U) << format;
      EXPECT_LT(difference(preview(), upright), 2.0) << "orientation " << int{value} << " format " << format;
      EXPECT_EQ(thumb().size(), cv::Size(320, 221)) << format;
    }
  }
}

TEST_F(Orientation, RealPhotosComeOutLikeTheirUprightSiblings) {
  const auto folder = shared_data() / "photos-orientation";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
  int count = 0;
  for (const std::string kind : {"Landscape", "Portrait"}) {
    const std::string prefix = "exif-orientation-examples__" + kind + "_";
    ASSERT_TRUE(derive(worker_, folder / (prefix + "1.jpg")));
    const cv::Mat upright = preview();
    // Were one of them turned or mirrored, it would differ by more than what is allowed below.
    for (const int flip : {-1, 0, 1}) {
      cv::Mat wrong;
      cv::flip(upright, wrong, flip);
      ASSERT_GT(difference(upright, wrong), 20.0);
    }
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with(prefix)) continue;
      const auto photo = derive(worker_, entry.path());
      ASSERT_TRUE(photo) << name << to_string(photo.error());
      EXPECT_LT(difference(preview(), upright), 6.0) << name;
      ++count;
    }
  }
  EXPECT_EQ(count, 13);
}

}  // namespace
}  // namespace gridward::vision::testing
