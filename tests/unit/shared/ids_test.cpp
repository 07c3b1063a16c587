#include <gtest/gtest.h>

#include <gridward/shared/ids.hpp>

namespace gridward {
namespace {

// The example of RFC 9562, appendix A.6: 2022-02-22T19:22:22.000Z, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F.
TEST(UuidV7, LayoutOfTheStandard) {
  const auto id =
      make_uuid_v7(from_unix_ms(1'645'557'742'000), {0x0C, 0xC3, 0x18, 0xC4, 0xDC, 0x0C, 0x0C, 0x07, 0x39, 0x8F});
  EXPECT_EQ(to_string(id), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

TEST(UuidV7, VersionAndVariantWinOverTheRandomBits) {
  const auto id = make_uuid_v7(from_unix_ms(0), {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF});
  EXPECT_EQ(to_string(id), "00000000-0000-7fff-bfff-ffffffffffff");
  EXPECT_EQ(to_string(make_uuid_v7(from_unix_ms(1), {})), "00000000-0001-7000-8000-000000000000");
}

TEST(UuidV7, LaterIsGreater) {
  EXPECT_LT(make_uuid_v7(from_unix_ms(1000), {0xFF, 0xFF}), make_uuid_v7(from_unix_ms(1001), {}));
}

TEST(Uuid, TextRoundTripsAndIsStrict) {
  const std::string text = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
  ASSERT_TRUE(uuid_from_string(text));
  EXPECT_EQ(to_string(*uuid_from_string(text)), text);
  EXPECT_EQ(uuid_from_string("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"), uuid_from_string(text));
  for (const auto* bad : {"", "017f22e279b07cc398c4dc0c0c07398f", "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
                          "017f22e2-79b0-7cc3-98c4-dc0c0c07398", "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
                          "017f22e2079b0-7cc3-98c4-dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f "}) {
    EXPECT_EQ(uuid_from_string(bad).error().code, ErrorCode::malformed) << bad;
  }
  EXPECT_TRUE(Uuid{}.is_nil());
  EXPECT_FALSE(uuid_from_string(text)->is_nil());
}

}  // namespace
}  // namespace gridward
