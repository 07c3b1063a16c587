#include <gtest/gtest.h>

#include <gridward/shared/bytes.hpp>

namespace gridward {
namespace {

TEST(Hex, RoundTripsAndRefuses) {
  Bytes all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<std::uint8_t>(i));
  EXPECT_EQ(from_hex(to_hex(all)), all);
  EXPECT_EQ(to_hex(Bytes{0x00, 0xAB, 0xFF}), "00abff");
  EXPECT_EQ(from_hex("00ABff"), (Bytes{0x00, 0xAB, 0xFF}));
  EXPECT_EQ(from_hex(""), Bytes{});
  for (const auto* text : {"0", "0g", "g0", " 0", "0x", "--"}) {
    EXPECT_EQ(from_hex(text).error().code, ErrorCode::malformed) << text;
  }
}

TEST(Hex, Sha256IsExactlySixtyFourDigits) {
  const std::string good(64, 'a');
  ASSERT_TRUE(sha256_from_hex(good));
  EXPECT_EQ(to_hex(*sha256_from_hex(good)), good);
  EXPECT_FALSE(sha256_from_hex(good.substr(2)));
  EXPECT_FALSE(sha256_from_hex(good + "aa"));
  EXPECT_FALSE(sha256_from_hex(std::string(63, 'a') + "z"));
}

// RFC 4648, section 10.
TEST(Base64, StandardVectors) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(to_base64(as_bytes(plain)), coded);
    const auto back = from_base64(coded);
    ASSERT_TRUE(back) << coded;
    EXPECT_EQ(std::string(back->begin(), back->end()), plain);
  }
}

TEST(Base64, RoundTripsEveryLengthAndRefusesOddities) {
  Bytes bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
    bytes.push_back(static_cast<std::uint8_t>(i * 37 + 251));
  }
  for (const auto* text :
       {"Z", "Zg", "Zg=", "Zg==Zg==", "=Zg=", "Z===", "====", "Zh==", "Zm9=", "Zm 9", "Zm9-", "Zm\n9"}) {
    EXPECT_EQ(from_base64(text).error().code, ErrorCode::malformed) << text;
  }
}

TEST(Utf8, TableOfGoodAndBad) {
  for (const auto* good : {"", "a", "网格", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(valid_utf8(good)) << good;
  }
  for (const auto* bad :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2z", "\xE0\x9F\xBF", "\xE0\xA0", "\xED\xA0\x80",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "a\xF0\x90\x80", "\xE4\xB8\x41"}) {
    EXPECT_FALSE(valid_utf8(bad)) << to_hex(as_bytes(bad));
  }
  EXPECT_TRUE(valid_utf8(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace gridward
