#include <gtest/gtest.h>

#include <deque>
#include <gridward/powerloss/disk.hpp>
#include <stdexcept>

namespace gridward::powerloss {
namespace {

constexpr std::uint64_t kRoot = 1;

// A log by hand. Numbers of files as the test likes them.
class Script {
 public:
  Script& make(std::uint64_t folder, std::string name, std::uint64_t file) {
    return put({.kind = OpKind::create, .file = file, .folder = folder, .name = keep(std::move(name))});
  }
  Script& make_folder(std::uint64_t folder, std::string name, std::uint64_t file) {
    return put({.kind = OpKind::mkdir, .file = file, .folder = folder, .name = keep(std::move(name))});
  }
  Script& write(std::uint64_t file, std::string text, std::uint64_t offset = 0) {
    return put({.kind = OpKind::write, .file = file, .offset = offset, .data = as_bytes(keep(std::move(text)))});
  }
  Script& cut(std::uint64_t file, std::uint64_t size) {
    return put({.kind = OpKind::truncate, .file = file, .offset = size});
  }
  Script& sync(std::uint64_t file) { return put({.kind = OpKind::sync, .file = file}); }
  Script& hand_over(std::uint64_t file) { return put({.kind = OpKind::unseen, .file = file}); }
  Script& sync_all() { return put({.kind = OpKind::sync_all}); }
  Script& move(std::uint64_t from, std::string name, std::uint64_t to, std::string name2, std::uint64_t file) {
    return put({.kind = OpKind::rename,
                .file = file,
                .folder = from,
                .folder2 = to,
                .name = keep(std::move(name)),
                .name2 = keep(std::move(name2))});
  }
  Script& link(std::uint64_t to, std::string name, std::uint64_t file) {
    return put({.kind = OpKind::link, .file = file, .folder2 = to, .name2 = keep(std::move(name))});
  }
  Script& remove(std::uint64_t folder, std::string name) {
    return put({.kind = OpKind::unlink, .folder = folder, .name = keep(std::move(name))});
  }

  Disk disk{kRoot};

 private:
  Script& put(const Op& op) {
    disk.apply(op);
    return *this;
  }
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }
  std::deque<std::string> texts_;
};

// "a=text b/c=text d/" in order.
std::string shown(const Tree& tree) {
  std::string text;
  for (const auto& folder : tree.folders) text += folder + "/ ";
  for (const auto& [path, content] : tree.files)
    text += path + "=" + std::string(content->begin(), content->end()) + " ";
  if (!text.empty()) text.pop_back();
  return text;
}
std::string dropped(const Script& script) { return shown(script.disk.after(Loss::all, 1)); }

// Every outcome that many seeds give.
std::set<std::string> outcomes(const Script& script, Loss loss = Loss::some, std::uint64_t seeds = 2000) {
  std::set<std::string> all;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) all.insert(shown(script.disk.after(loss, seed)));
  return all;
}

TEST(Disk, ASyncOfTheFileDoesNotKeepItsName) {
  Script script;
  script.make(kRoot, "a", 2).write(2, "text").sync(2);
  EXPECT_EQ(dropped(script), "");
  script.sync(kRoot);
  EXPECT_EQ(dropped(script), "a=text");
}

TEST(Disk, ASyncOfTheFolderDoesNotKeepTheContents) {
  Script script;
  script.make(kRoot, "a", 2).write(2, "text").sync(kRoot);
  EXPECT_EQ(dropped(script), "a=");
  EXPECT_EQ(outcomes(script), (std::set<std::string>{"a=", "a=text", std::string("a=") + std::string(4, '\0')}));
  EXPECT_EQ(shown(script.disk.now()), "a=text");
}

TEST(Disk, WhatWasThereBeforeIsDurable) {
  Disk disk(kRoot);
  disk.add_folder(kRoot, "d", 2);
  disk.add_file(2, "f", 3, {'x'});
  EXPECT_EQ(shown(disk.after(Loss::all, 1)), "d/ d/f=x");
}

TEST(Disk, AFolderThatWasNotSyncedTakesEverythingInItAlong) {
  Script script;
  script.make_folder(kRoot, "d", 2).make(2, "f", 3).write(3, "x").sync(3).sync(2);
  EXPECT_EQ(dropped(script), "");
  EXPECT_EQ(outcomes(script), (std::set<std::string>{"", "d/ d/f=x"}));
}

TEST(Disk, NamesWithoutData) {
  Script script;
  script.make(kRoot, "a", 2).write(2, "old").sync(2).sync(kRoot);
  script.make(kRoot, "a.new", 3).write(3, "new").move(kRoot, "a.new", kRoot, "a", 3);
  EXPECT_EQ(shown(script.disk.after(Loss::data, 1)), "a=");
  EXPECT_EQ(dropped(script), "a=old");
}

TEST(Disk, ARenameInOneFolderHappensAsAWhole) {
  Script script;
  script.make(kRoot, "a", 2).write(2, "old").sync(2);
  script.make(kRoot, "b", 3).write(3, "new").sync(3).sync(kRoot);
  script.move(kRoot, "b", kRoot, "a", 3);
  EXPECT_EQ(outcomes(script), (std::set<std::string>{"a=old b=new", "a=new"}));
  script.sync(kRoot);
  EXPECT_EQ(outcomes(script), (std::set<std::string>{"a=new"}));
}

TEST(Disk, AMoveIntoAnotherFolderNeverLosesTheFile) {
  Script script;
  script.make_folder(kRoot, "d", 2).make(kRoot, "a", 3).write(3, "x").sync(3).sync(kRoot);
  script.move(kRoot, "a", 2, "b", 3);
  EXPECT_EQ(outcomes(script), (std::set<std::string>{"d/ a=x", "d/ a=x d/b=x", "d/ d/b=x"}));
  // The old name alone is not synced away: the new one is not there yet.
  script.sync(kRoot);
  EXPECT_EQ(dropped(script), "d/ a=x");
  script.sync(2);
  EXPECT_EQ(dropped(script), "d/ a=x d/b=x");
  script.sync(kRoot);
  EXPECT_EQ(outcomes(script), (std::set<std::string>{"d/ d/b=x"}));
}

TEST(Disk, WhatWasRemovedMayComeBack) {
  Script script;
  script.make(kRoot, "a", 2).write(2, "x").sync(2).sync(kRoot).remove(kRoot, "a");
  EXPECT_EQ(outcomes(script), (std::set<std::string>{"", "a=x"}));
  // The name again: the removal is of the file that was.
  script.make(kRoot, "a", 3);
  EXPECT_EQ(outcomes(script), (std::set<std::string>{"", "a=", "a=x"}));
  script.sync(kRoot);
  EXPECT_EQ(outcomes(script), (std::set<std::string>{"a="}));
}

TEST(Disk, ANumberMayComeAgain) {
  Script script;
  script.make(kRoot, "a", 2).write(2, "x").sync(2).sync(kRoot).remove(kRoot, "a").make(kRoot, "b", 2).write(2, "y");
  EXPECT_EQ(dropped(script), "a=x");
  EXPECT_EQ(shown(script.disk.now()), "b=y");
}

TEST(Disk, TwoNamesOfOneFile) {
  Script script;
  script.make(kRoot, "a", 2).link(kRoot, "b", 2).remove(kRoot, "a").sync(kRoot).write(2, "x").sync(2);
  EXPECT_EQ(dropped(script), "b=x");
}

TEST(Disk, SyncOfEverything) {
  Script script;
  script.make_folder(kRoot, "d", 2).make(kRoot, "a", 3).write(3, "x").sync(3).sync(kRoot);
  script.move(kRoot, "a", 2, "b", 3).write(3, "y").sync_all();
  EXPECT_EQ(outcomes(script), (std::set<std::string>{"d/ d/b=y"}));
}

TEST(Disk, WritesTearAtSectorsAndComeInAnyOrder) {
  const std::string a(512, 'a');
  const std::string b(512, 'b');
  Script script;
  script.make(kRoot, "f", 2).write(2, a + a).sync(2).sync(kRoot).write(2, b + b).write(2, "c", 600);
  const auto cut = b.substr(0, 88) + "c" + b.substr(89);
  EXPECT_EQ(outcomes(script), (std::set<std::string>{"f=" + a + a, "f=" + a + b, "f=" + a + cut, "f=" + b + a,
                                                     "f=" + b + b, "f=" + b + cut}));
}

TEST(Disk, TheSizeIsAnyThatItWas) {
  Script script;
  script.make(kRoot, "f", 2).write(2, "abcd").sync(2).sync(kRoot).cut(2, 0).write(2, "xy");
  const auto seen = outcomes(script);
  for (const char* possible : {"f=", "f=xy", "f=abcd"}) EXPECT_TRUE(seen.contains(possible)) << possible;
  for (const auto& one : seen) EXPECT_LE(one.size(), 6U) << one;
}

TEST(Disk, GarbageOnlyWhereTheFileGrew) {
  Script script;
  script.make(kRoot, "f", 2).write(2, std::string(512, 'a')).sync(2).sync(kRoot).write(2, std::string(512, 'b'), 1024);
  bool garbage = false;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto tree = script.disk.after(Loss::some_garbage, seed);
    const auto& content = *tree.files.at("f");
    ASSERT_GE(content.size(), 512U);
    EXPECT_EQ(Bytes(content.begin(), content.begin() + 512), Bytes(512, 'a'));
    garbage = garbage || (content.size() > 512 && content[600] != 0);
  }
  EXPECT_TRUE(garbage);
  for (const auto& one : outcomes(script, Loss::some)) {
    EXPECT_EQ(one.find_first_not_of(std::string("f=ab\0", 5)), std::string::npos);
  }
}

TEST(Disk, WhatSomebodyElseWritesIsAnythingUntilItIsLookedAt) {
  Script script;
  script.make(kRoot, "f", 2).write(2, "abc").sync(2).sync(kRoot).hand_over(2);
  EXPECT_EQ(script.disk.now().unseen, (std::set<std::string>{"f"}));
  EXPECT_EQ(dropped(script), "f=abc");
  EXPECT_GT(outcomes(script, Loss::some, 50).size(), 10U);
  script.write(2, "abcdef").cut(2, 6).sync(2);
  EXPECT_TRUE(script.disk.now().unseen.empty());
  EXPECT_EQ(outcomes(script), (std::set<std::string>{"f=abcdef"}));
}

TEST(Disk, TheSameSeedGivesTheSame) {
  Script script;
  script.make(kRoot, "f", 2).sync(kRoot).write(2, std::string(5000, 'a')).write(2, std::string(5000, 'b'), 2000);
  EXPECT_TRUE(same(script.disk.after(Loss::some_garbage, 7), script.disk.after(Loss::some_garbage, 7)));
  EXPECT_EQ(fingerprint(script.disk.after(Loss::some, 7)), fingerprint(script.disk.after(Loss::some, 7)));
  EXPECT_GT(outcomes(script, Loss::some, 50).size(), 10U);
}

TEST(Disk, ALogThatCannotBeIsRefused) {
  Script script;
  EXPECT_THROW(script.write(9, "x"), std::logic_error);
  EXPECT_THROW(script.make(9, "a", 2), std::logic_error);
  EXPECT_THROW(script.remove(kRoot, "a"), std::logic_error);
  EXPECT_THROW(script.write(kRoot, "x"), std::logic_error);
}

}  // namespace
}  // namespace gridward::powerloss
