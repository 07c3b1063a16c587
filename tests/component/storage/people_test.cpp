#include <gridward/shared/limits.hpp>

#include "fixture.hpp"

namespace gridward::storage {
namespace {

using People = StoreTest;
GRIDWARD_ON_BOTH(People);

app::OrgNode node(std::string code, std::string parent, std::string path, app::OrgKind kind, std::string name) {
  return {std::move(code), std::move(parent), std::move(path), kind, std::move(name), std::nullopt};
}

void add_tree(app::Tx& tx) {
  tx.upsert_org(node("120116", "", "120116", app::OrgKind::district, "滨海新区"));
  tx.upsert_org(node("120116115", "120116", "120116/120116115", app::OrgKind::town, "杨家泊镇"));
  tx.upsert_org(node("1201161150", "120116", "120116/1201161150", app::OrgKind::town, "另一镇"));
  tx.upsert_org(node("120116115201", "120116115", "120116/120116115/120116115201", app::OrgKind::village, "一村"));
  tx.upsert_org(node("U-1", "120116115", "120116/120116115/U-1", app::OrgKind::unit, "城管办"));
}

app::User user(std::string login, std::string org) {
  app::User user;
  user.login = std::move(login);
  user.name = "李" + user.login;
  user.org = std::move(org);
  user.password_hash = "$argon2id$" + user.login;
  return user;
}

app::Device device(std::string id, std::string town, std::string holder) {
  app::Device device;
  device.id = std::move(id);
  device.town = std::move(town);
  device.holder = std::move(holder);
  device.public_key = sha(99);
  return device;
}

TEST_P(People, OrganisationComesBackAsItWas) {
  auto grid = node("120116115201001", "120116115201", "120116/120116115/120116115201/120116115201001",
                   app::OrgKind::grid, "一网格 ' \" % \\");
  grid.outline = Polygon{{{390000000, 1170000000}, {390100000, 1170000000}, {-5, -1800000000}},
                         {{{390010000, 1170010000}, {390020000, 1170010000}, {390020000, 1170020000}}}};
  write([&](app::Tx& tx) {
    add_tree(tx);
    tx.upsert_org(grid);
  });
  read([&](app::Tx& tx) {
    EXPECT_EQ(tx.find_org(grid.code), grid);
    EXPECT_EQ(tx.find_org("120116115").value().kind, app::OrgKind::town);
    EXPECT_FALSE(tx.find_org("nobody"));
    const auto below = tx.orgs_below("120116/120116115");
    std::vector<std::string> codes;
    for (const auto& one : below) codes.push_back(one.code);
    EXPECT_EQ(codes, (std::vector<std::string>{"120116115", "120116115201", "120116115201001", "U-1"}));
    EXPECT_EQ(tx.orgs_below("").size(), 6U);
    EXPECT_TRUE(tx.orgs_below("120116/12011611").empty());
  });
}

TEST_P(People, RevisionGrowsWithEveryNode) {
  read([&](app::Tx& tx) { EXPECT_EQ(tx.org_revision(), 0U); });
  write([&](app::Tx& tx) { add_tree(tx); });
  read([&](app::Tx& tx) { EXPECT_EQ(tx.org_revision(), 5U); });
  write([&](app::Tx& tx) {
    auto changed = node("120116115", "120116", "120116/120116115", app::OrgKind::town, "改名");
    tx.upsert_org(changed);
  });
  read([&](app::Tx& tx) {
    EXPECT_EQ(tx.org_revision(), 6U);
    EXPECT_EQ(tx.find_org("120116115").value().name, "改名");
  });
}

TEST_P(People, UsersKnowWhereTheyBelong) {
  write([&](app::Tx& tx) {
    add_tree(tx);
    auto member = user("m1", "120116115201");
    tx.upsert_user(member);
    auto unit = user("u1", "U-1");
    unit.role = domain::Role::handling_unit;
    unit.active = false;
    tx.upsert_user(unit);
    tx.upsert_user(user("else", "1201161150"));
    tx.upsert_user(user("lost", "no-such-node"));
  });
  read([&](app::Tx& tx) {
    const auto member = tx.find_user("m1").value();
    EXPECT_EQ(member.org_path, "120116/120116115/120116115201");
    EXPECT_EQ(member.name, "李m1");
    EXPECT_EQ(member.password_hash, "$argon2id$m1");
    EXPECT_TRUE(member.active);
    const auto unit = tx.find_user("u1").value();
    EXPECT_EQ(unit.role, domain::Role::handling_unit);
    EXPECT_FALSE(unit.active);
    EXPECT_EQ(tx.find_user("lost").value().org_path, "");
    EXPECT_FALSE(tx.find_user("nobody"));
    const auto below = tx.users_below("120116/120116115");
    ASSERT_EQ(below.size(), 2U);
    EXPECT_EQ(below[0].login, "m1");
    EXPECT_EQ(below[1].login, "u1");
  });
  write([&](app::Tx& tx) {
    auto moved = user("m1", "U-1");
    moved.password_hash = "other";
    tx.upsert_user(moved);
    EXPECT_EQ(tx.find_user("m1").value().org_path, "120116/120116115/U-1");
  });
}

TEST_P(People, SessionsEndAndArePurged) {
  write([&](app::Tx& tx) {
    tx.insert_session({sha(1), "m1", at(0), at(100)});
    tx.insert_session({sha(2), "m1", at(0), at(200)});
    tx.insert_session({sha(3), "m2", at(0), at(300)});
  });
  read([&](app::Tx& tx) {
    const auto session = tx.find_session(sha(1)).value();
    EXPECT_EQ(session.login, "m1");
    EXPECT_EQ(session.created, at(0));
    EXPECT_EQ(session.expires, at(100));
    EXPECT_EQ(session.token_hash, sha(1));
  });
  write([&](app::Tx& tx) {
    tx.delete_session(sha(3));
    tx.purge_sessions(at(100));
    EXPECT_FALSE(tx.find_session(sha(1)));
    EXPECT_TRUE(tx.find_session(sha(2)));
    EXPECT_FALSE(tx.find_session(sha(3)));
  });
}

TEST_P(People, DevicesRememberWhatTheySaidLast) {
  StatusBody status;
  status.waiting_records = 7;
  status.waiting_bytes = limits::kCounter;
  status.oldest_age_s = 12;
  status.battery_percent = 0;
  status.version = "0.1 \"测试\"";
  write([&](app::Tx& tx) {
    add_tree(tx);
    tx.upsert_device(device("hh-1", "120116115", "m1"));
    tx.upsert_device(device("hh-2", "1201161150", ""));
    tx.touch_device("hh-1", at(5), status);
    // Seen in the same transaction, and not undone by a later touch without a status.
    EXPECT_EQ(tx.find_device("hh-1").value().status, status);
    tx.touch_device("hh-1", at(6), std::nullopt);
    EXPECT_EQ(tx.find_device("hh-1").value().last_seen, at(6));
    EXPECT_EQ(tx.devices_below("120116").at(0).status, status);
  });
  read([&](app::Tx& tx) {
    const auto found = tx.find_device("hh-1").value();
    EXPECT_EQ(found.town, "120116115");
    EXPECT_EQ(found.holder, "m1");
    EXPECT_EQ(found.public_key, sha(99));
    EXPECT_EQ(found.last_seen, at(6));
    EXPECT_EQ(found.status, status);
    EXPECT_FALSE(tx.find_device("hh-2").value().last_seen);
    EXPECT_FALSE(tx.find_device("hh-3"));
    ASSERT_EQ(tx.devices_below("120116/120116115").size(), 1U);
    EXPECT_EQ(tx.devices_below("120116").size(), 2U);
  });
  // An import knows nothing of what the device said.
  write([&](app::Tx& tx) {
    auto again = device("hh-1", "120116115", "m2");
    again.revoked = true;
    tx.upsert_device(again);
  });
  read([&](app::Tx& tx) {
    const auto found = tx.find_device("hh-1").value();
    EXPECT_TRUE(found.revoked);
    EXPECT_EQ(found.holder, "m2");
    EXPECT_EQ(found.status, status);
    EXPECT_EQ(found.last_seen, at(6));
  });
}

TEST_P(People, DeviceOfAMemberIsTheOneUsedLast) {
  write([&](app::Tx& tx) {
    tx.upsert_device(device("hh-1", "t", "m1"));
    tx.upsert_device(device("hh-2", "t", "m2"));
    tx.upsert_device(device("hh-3", "t", ""));
    EXPECT_EQ(tx.device_of("m1"), "hh-1");
    EXPECT_FALSE(tx.device_of("m3"));
    EXPECT_FALSE(tx.device_of(""));
    tx.note_device("m1", "hh-3", at(5));
    EXPECT_EQ(tx.device_of("m1"), "hh-3");
    tx.note_device("m1", "hh-2", at(4));
    EXPECT_EQ(tx.device_of("m1"), "hh-3") << "an older use that comes late";
  });
  read([&](app::Tx& tx) {
    EXPECT_EQ(tx.device_of("m1"), "hh-3");
    EXPECT_EQ(tx.device_of("m2"), "hh-2");
  });
  reopen();
  write([&](app::Tx& tx) {
    tx.note_device("m1", "hh-2", at(4));
    EXPECT_EQ(tx.device_of("m1"), "hh-3") << "also after a restart";
    tx.note_device("m1", "hh-3", at(70'000));
    tx.note_device("m1", "hh-2", at(69'999));
    EXPECT_EQ(tx.device_of("m1"), "hh-3");
    tx.note_device("m1", "hh-2", at(70'001));
    EXPECT_EQ(tx.device_of("m1"), "hh-2");
    tx.note_device("m1", "hh-3", at(70'002));
  });
  write([&](app::Tx& tx) {
    auto revoked = device("hh-3", "t", "");
    revoked.revoked = true;
    tx.upsert_device(revoked);
  });
  read([&](app::Tx& tx) { EXPECT_EQ(tx.device_of("m1"), "hh-1"); });
}

TEST_P(People, DownItemsAreNumberedAndKeptUntilAcknowledged) {
  write([&](app::Tx& tx) {
    EXPECT_EQ(tx.enqueue_down("hh-1", "task", R"({"task":"1"})", at(0)), 1U);
    EXPECT_EQ(tx.enqueue_down("hh-1", "notice", "你好", at(1)), 2U);
    EXPECT_EQ(tx.enqueue_down("hh-2", "notice", "x", at(1)), 1U);
    EXPECT_EQ(tx.enqueue_down("hh-1", "progress", "p", at(2)), 3U);
  });
  read([&](app::Tx& tx) {
    const auto items = tx.pending_down("hh-1", 2);
    ASSERT_EQ(items.size(), 2U);
    EXPECT_EQ(items[0], (DownItem{1, "task", R"({"task":"1"})"}));
    EXPECT_EQ(items[1], (DownItem{2, "notice", "你好"}));
  });
  write([&](app::Tx& tx) {
    EXPECT_EQ(tx.first_down("hh-3"), 1U);
    EXPECT_EQ(tx.first_down("hh-1"), 1U);
    tx.agree_down("hh-1", 2);
    EXPECT_EQ(tx.first_down("hh-1"), 3U);
    ASSERT_EQ(tx.pending_down("hh-1", 10).size(), 1U);
    tx.agree_down("hh-1", std::nullopt);
    ASSERT_EQ(tx.pending_down("hh-1", 10).size(), 1U);
    tx.agree_down("hh-1", UINT64_MAX);
    ASSERT_EQ(tx.pending_down("hh-1", 10).size(), 1U) << "no device has that many";
    tx.agree_down("hh-1", 3);
    EXPECT_TRUE(tx.pending_down("hh-1", 10).empty());
    EXPECT_EQ(tx.first_down("hh-1"), 4U);
    // A number is not given twice.
    EXPECT_EQ(tx.enqueue_down("hh-1", "notice", "y", at(3)), 4U);
    EXPECT_EQ(tx.pending_down("hh-2", 10).size(), 1U);
  });
}

std::vector<std::uint64_t> numbers(const std::vector<DownItem>& items) {
  std::vector<std::uint64_t> found;
  for (const auto& item : items) found.push_back(item.n);
  return found;
}
std::vector<std::string> bodies(const std::vector<DownItem>& items) {
  std::vector<std::string> found;
  for (const auto& item : items) found.push_back(item.body);
  return found;
}

TEST_P(People, ItemsAreOverdueByWhenTheyWereLastSent) {
  write([&](app::Tx& tx) {
    for (const char* id : {"hh-1", "hh-2", "hh-3", "hh-4", "hh-5"}) tx.upsert_device(device(id, "t", ""));
    auto revoked = device("hh-4", "t", "");
    revoked.revoked = true;
    tx.upsert_device(revoked);
    for (const char* id : {"hh-1", "hh-2", "hh-3", "hh-4"}) tx.touch_device(id, at(1000), std::nullopt);
    tx.touch_device("hh-3", at(400), std::nullopt);  // not seen for long
    for (int i = 0; i < 4; ++i) tx.enqueue_down("hh-1", "notice", "x", at(100 + i));
    tx.enqueue_down("hh-2", "notice", "x", at(50));
    for (const char* id : {"hh-3", "hh-4", "hh-5"}) tx.enqueue_down(id, "notice", "x", at(1));
  });
  read([&](app::Tx& tx) {
    EXPECT_EQ(tx.overdue_devices(at(200), at(500), 10), (std::vector<std::string>{"hh-2", "hh-1"}));
    EXPECT_EQ(tx.overdue_devices(at(200), at(500), 1), (std::vector<std::string>{"hh-2"}));
    EXPECT_EQ(tx.overdue_devices(at(99), at(500), 10), (std::vector<std::string>{"hh-2"}));
  });
  write([&](app::Tx& tx) { tx.sent_down("hh-1", 1, 3, at(900)); });
  read([&](app::Tx& tx) {
    EXPECT_EQ(tx.overdue_devices(at(899), at(500), 10), (std::vector<std::string>{"hh-2"}))
        << "4 waits behind 1 to 3, and an acknowledgement brings it";
    EXPECT_EQ(tx.overdue_devices(at(900), at(500), 10), (std::vector<std::string>{"hh-2", "hh-1"}));
    EXPECT_EQ(numbers(tx.pending_down("hh-1", 10)), (std::vector<std::uint64_t>{1, 2, 3, 4}));
  });
  write([&](app::Tx& tx) { tx.agree_down("hh-1", 3); });
  read([&](app::Tx& tx) {
    EXPECT_EQ(tx.overdue_devices(at(200), at(500), 10), (std::vector<std::string>{"hh-2", "hh-1"}));
  });
}

TEST_P(People, AStoreThatWasPutBackGoesOnAboveWhatTheDeviceHas) {
  write([&](app::Tx& tx) {
    for (const char* body : {"a", "b", "c"}) tx.enqueue_down("hh-1", "notice", body, at(0));
    tx.agree_down("hh-1", 1);
    // Nobody said that it was restored: which of them the device has cannot be told, so all of them go again.
    tx.agree_down("hh-1", 9);
    EXPECT_EQ(numbers(tx.pending_down("hh-1", 10)), (std::vector<std::uint64_t>{10, 11}));
    EXPECT_EQ(bodies(tx.pending_down("hh-1", 10)), (std::vector<std::string>{"b", "c"}));
    EXPECT_EQ(tx.enqueue_down("hh-1", "notice", "d", at(0)), 12U);
    tx.agree_down("hh-1", 12);
    EXPECT_TRUE(tx.pending_down("hh-1", 10).empty());
    tx.agree_down("hh-1", 20);  // and with nothing that waits
    EXPECT_EQ(tx.enqueue_down("hh-1", "notice", "e", at(0)), 21U);
  });
  reopen();
  write([&](app::Tx& tx) { EXPECT_EQ(tx.enqueue_down("hh-1", "notice", "f", at(0)), 22U); });
}

TEST_P(People, ANoticeIsKnownByItsId) {
  const app::NoticeRow notice{id(5), at(1), "op", Sha256{7}, "明日大风", {"hh-1", "hh-2"}};
  write([&](app::Tx& tx) {
    EXPECT_FALSE(tx.find_notice(id(5)));
    tx.insert_notice(notice);
  });
  read([&](app::Tx& tx) {
    const auto found = tx.find_notice(id(5)).value();
    EXPECT_EQ(found.at, notice.at);
    EXPECT_EQ(found.by, "op");
    EXPECT_EQ(found.request, notice.request);
    EXPECT_EQ(found.text, notice.text);
    EXPECT_EQ(found.devices, notice.devices);
  });
  const app::NoticeRow other{id(6), at(1), "op2", Sha256{8}, "x", {"hh-1"}};
  write([&](app::Tx& tx) {
    tx.insert_notice(other);
    tx.erase_person("op");
  });
  read([&](app::Tx& tx) {
    const auto erased = tx.find_notice(id(5)).value();
    EXPECT_EQ(erased.by, "");
    EXPECT_EQ(erased.request, Sha256{}) << "a hash over the login";
    EXPECT_EQ(erased.text, notice.text);
    EXPECT_EQ(tx.find_notice(id(6))->request, other.request);
  });
}

// What `restore` does to a database.
void new_generation(const std::string& url, const char* text) {
  raw_sql(url, std::string("UPDATE store_generation SET generation = '") + text + "' RETURNING 1");
}

TEST_P(People, ARestoredStoreKeepsItsOwnNumbersBackUntilTheDeviceHasSpoken) {
  write([&](app::Tx& tx) {
    for (const char* body : {"a", "b"}) {
      tx.enqueue_down("hh-1", "notice", body, at(0));
      tx.enqueue_down("hh-2", "notice", body, at(0));
    }
  });
  // After the backup the device got 3 and 4 too, and acknowledged all; then the store was restored.
  store_.reset();
  new_generation(url_, "018f00000000700080000000000000aa");
  open();
  write([&](app::Tx& tx) {
    for (const char* body : {"new c", "new d", "new e"}) tx.enqueue_down("hh-1", "notice", body, at(9));
    EXPECT_EQ(bodies(tx.pending_down("hh-1", 10)), (std::vector<std::string>{"a", "b"}));
  });
  // Restored once more before the device came: still nothing is known of these numbers.
  store_.reset();
  new_generation(url_, "018f00000000700080000000000000bb");
  open();
  write([&](app::Tx& tx) {
    tx.enqueue_down("hh-1", "notice", "new f", at(9));
    // Below what was given here, and yet what is numbered 3 and 4 here is not what the device has.
    tx.agree_down("hh-1", 4);
    EXPECT_EQ(bodies(tx.pending_down("hh-1", 10)), (std::vector<std::string>{"new c", "new d", "new e", "new f"}));
    EXPECT_EQ(numbers(tx.pending_down("hh-1", 10)), (std::vector<std::uint64_t>{5, 6, 7, 8}));
    EXPECT_EQ(tx.enqueue_down("hh-1", "notice", "g", at(9)), 9U);
    tx.agree_down("hh-1", 7);
    EXPECT_EQ(bodies(tx.pending_down("hh-1", 10)), (std::vector<std::string>{"new f", "g"}));
  });
  reopen();
  write([&](app::Tx& tx) {
    EXPECT_EQ(tx.enqueue_down("hh-1", "notice", "h", at(9)), 10U);
    EXPECT_EQ(numbers(tx.pending_down("hh-1", 10)), (std::vector<std::uint64_t>{8, 9, 10}));
    // One that has less than the backup: nothing is to be numbered anew, and nothing it lacks is left out.
    tx.enqueue_down("hh-2", "notice", "new", at(9));
    tx.agree_down("hh-2", 1);
    EXPECT_EQ(numbers(tx.pending_down("hh-2", 10)), (std::vector<std::uint64_t>{2, 3}));
    // One that was wiped takes what there is.
    tx.enqueue_down("hh-3", "notice", "new", at(9));
    EXPECT_TRUE(tx.pending_down("hh-3", 10).empty());
    EXPECT_EQ(tx.first_down("hh-3"), 1U) << "what is kept back comes, too";
    tx.agree_down("hh-3", std::nullopt);
    EXPECT_EQ(numbers(tx.pending_down("hh-3", 10)), (std::vector<std::uint64_t>{1}));
  });
}

TEST_P(People, PlacesOfALoginAreKnownForAWhile) {
  write([&](app::Tx& tx) {
    EXPECT_FALSE(tx.knows_place("m1", sha(1)));
    tx.note_place("m1", sha(1), at(10));
    tx.note_place("m1", sha(1), at(20));
    tx.note_place("m1", sha(2), at(10));
    EXPECT_TRUE(tx.knows_place("m1", sha(1)));
    EXPECT_FALSE(tx.knows_place("m2", sha(1)));
    tx.purge_places(at(20));
    EXPECT_TRUE(tx.knows_place("m1", sha(1)));
    EXPECT_FALSE(tx.knows_place("m1", sha(2)));
    tx.prove_writable(at(1));
    tx.prove_writable(at(2));
  });
}

}  // namespace
}  // namespace gridward::storage
