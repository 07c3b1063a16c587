#include "import_test.hpp"

namespace gridward::importing {
namespace {

TEST(ImportCsv, TreeWithAndWithoutBom) {
  for (const std::string bom : {"", "\xEF\xBB\xBF"}) {
    const auto parsed =
        csv(bom + "code,parent,kind,name\r\n120116,,district,滨海新区\r\n120116135,120116,town,杨家泊镇\r\n");
    ASSERT_EQ(told(parsed), "");
    ASSERT_EQ(parsed.batch.orgs.size(), 2U);
    EXPECT_EQ(parsed.batch.orgs[0].node.kind, app::OrgKind::district);
    EXPECT_EQ(parsed.batch.orgs[0].node.parent, "");
    EXPECT_EQ(parsed.batch.orgs[1].node.name, "杨家泊镇");
    EXPECT_EQ(parsed.batch.orgs[1].node.parent, "120116");
    EXPECT_EQ(parsed.batch.orgs[1].line, 3U);
    EXPECT_EQ(parsed.batch.orgs[1].file, "a.csv");
  }
}

TEST(ImportCsv, ColumnsInAnyOrderAndInChinese) {
  const auto parsed = csv("名称, 类型 ,编码,上级编码\n滨海新区,district,120116,\n");
  ASSERT_EQ(told(parsed), "");
  ASSERT_EQ(parsed.batch.orgs.size(), 1U);
  EXPECT_EQ(parsed.batch.orgs[0].node.code, "120116");
  EXPECT_EQ(parsed.batch.orgs[0].node.name, "滨海新区");
}

TEST(ImportCsv, QuotesCommasAndLineBreaksInsideAValue) {
  const auto parsed =
      csv("login,name,role,org,password\n"
          "a,\"李, \"\"小\"\" 明\",grid_member,120116135201001,\"pass, \"\"word\"\"\n12\"\r\n"
          "b,王五,leader,120116,\n");
  ASSERT_EQ(told(parsed), "");
  ASSERT_EQ(parsed.batch.users.size(), 2U);
  EXPECT_EQ(parsed.batch.users[0].user.name, "李, \"小\" 明");
  EXPECT_EQ(parsed.batch.users[0].password, "pass, \"word\"\n12");
  EXPECT_EQ(parsed.batch.users[1].line, 4U) << "the line break inside the quotes counts";
  EXPECT_EQ(parsed.batch.users[1].user.role, domain::Role::leader);
  EXPECT_TRUE(parsed.batch.users[1].user.active);
}

TEST(ImportCsv, Devices) {
  const auto parsed = csv("id,town,holder,public_key\nhh-1,120116135,m0101," + kKey + "\n");
  ASSERT_EQ(told(parsed), "");
  ASSERT_EQ(parsed.batch.devices.size(), 1U);
  EXPECT_EQ(parsed.batch.devices[0].device.id, "hh-1");
  EXPECT_EQ(parsed.batch.devices[0].device.public_key[1], 0x11);
  EXPECT_EQ(parsed.batch.devices[0].device.holder, "m0101");
}

TEST(ImportCsv, NamesLineAndFieldOfEveryProblem) {
  const auto parsed =
      csv("login,name,role,org,password,active\n"
          "a b,张三,grid_member,120116135201001,,\n"
          "c,,boss,120116,,\n"
          "d,丁,system,120116,short,maybe\n"
          "e,戊,leader,12/16,,true\n");
  EXPECT_TRUE(says(parsed, "a.csv:2 login: is 'a b'"));
  EXPECT_TRUE(says(parsed, "a.csv:3 name: is missing"));
  EXPECT_TRUE(says(parsed, "a.csv:3 role: is 'boss': one of grid_member"));
  EXPECT_TRUE(says(parsed, "a.csv:4 role: is 'system'"));
  EXPECT_TRUE(says(parsed, "a.csv:4 password: has 5 characters: at least 8"));
  EXPECT_TRUE(says(parsed, "a.csv:4 active: is 'maybe'"));
  EXPECT_TRUE(says(parsed, "a.csv:5 org: is '12/16'"));
  EXPECT_EQ(parsed.problems.size(), 7U);
}

TEST(ImportCsv, Header) {
  EXPECT_TRUE(says(csv(""), "a.csv:1 header: the file is empty"));
  EXPECT_TRUE(says(csv("\r\n\n"), "the file is empty"));
  EXPECT_TRUE(says(csv("x,y\n1,2\n"), "no table has these columns"));
  EXPECT_TRUE(says(csv("code,parent,kind\n"), "a.csv:1 name: the column is missing"));
  EXPECT_TRUE(says(csv("code,parent,kind,name,colour\n"), "a.csv:1 colour: unknown column"));
  EXPECT_TRUE(says(csv("code,parent,kind,name,编码\n"), "a.csv:1 code: the column is there twice"));
}

TEST(ImportCsv, BrokenRows) {
  const std::string header = "code,parent,kind,name\n";
  EXPECT_TRUE(says(csv(header + "1,2\n"), "a.csv:2 : 2 values for 4 columns"));
  EXPECT_TRUE(says(csv(header + "1,,town,a,b\n"), "a.csv:2 : 5 values for 4 columns"));
  EXPECT_TRUE(says(csv(header + "1,,town,a\"b\n"), "must be in quotes"));
  EXPECT_TRUE(says(csv(header + "1,,town,\"a\"b\n"), "follows the closing quote"));
  EXPECT_TRUE(says(csv(header + "\n1,,town,\"a\n\n"), "a.csv:3 : the quote opened in line 3 is never closed"));
  EXPECT_TRUE(says(csv(header + std::string("1,,town,a\0b\n", 12)), "a.csv:2 name: is not UTF-8"));
  // Chinese in GBK, as an old spreadsheet writes it
  EXPECT_TRUE(says(csv(header + "1,,town,\xD1\xEE\xBC\xD2\n"), "a.csv:2 name: is not UTF-8"));
  // a broken row does not hide the next one
  const auto parsed = csv(header + "1,2\n3,,nothing,c\n4,,town,d\n");
  EXPECT_TRUE(says(parsed, "a.csv:3 kind: is 'nothing'"));
}

TEST(ImportCsv, Limits) {
  const std::string header = "code,parent,kind,name\n";
  EXPECT_TRUE(says(csv(header + "1,,town," + std::string(kFieldBytes + 1, 'x') + "\n"), "more than 4096 bytes"));
  EXPECT_TRUE(says(csv(header + "1,,town,\"" + std::string(100'000, 'x') + "\"\n"), "more than 4096 bytes"));
  EXPECT_TRUE(says(csv(header + std::string(200, ',') + "\n"), "more than 64 columns"));
  EXPECT_TRUE(says(csv(header + "1,,town," + std::string(65, 'x') + "\n"), "1 to 64 characters"));
  std::string sixty_four;
  for (int i = 0; i < 64; ++i) sixty_four += "网";
  EXPECT_EQ(told(csv(header + "1,,town," + sixty_four + "\n")), "") << "the limit is of characters, not bytes";

  std::string many = header;
  for (std::size_t i = 0; i < kRows + 1; ++i) many += "1,,town,a\n";
  EXPECT_TRUE(says(csv(many), "a.csv:200002 file: more than 200000 rows"));
  EXPECT_TRUE(says(csv(std::string(kFileBytes + 1, 'x')), "67108865 bytes: at most 67108864"));

  std::string wrong = header;
  for (int i = 0; i < 1000; ++i) wrong += "1,,nothing,a\n";
  const auto parsed = csv(wrong);
  EXPECT_EQ(parsed.problems.size(), kProblemsPerFile + 1);
  EXPECT_TRUE(says(parsed, "stopped after 100 problems"));
}

TEST(ImportCsv, AProblemNeverShowsBrokenText) {
  const auto parsed = csv("code,parent,kind,name\n\x01\xC3,,town,a\n" + std::string(90, 'z') + ",,town,a\n");
  for (const auto& p : parsed.problems) EXPECT_TRUE(valid_utf8(p.message) && valid_utf8(p.field)) << told(parsed);
  EXPECT_TRUE(says(parsed, std::string(40, 'z') + "…'"));
}

}  // namespace
}  // namespace gridward::importing
