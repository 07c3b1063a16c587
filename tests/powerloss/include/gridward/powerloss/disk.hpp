// What a folder may look like after a power cut: docs/adr/0004-power-loss-model.md. Pure.
#pragma once

#include <gridward/powerloss/log_format.hpp>
#include <gridward/shared/bytes.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

namespace gridward::powerloss {

// One entry of the log. The texts and the data lie in the log, which must outlive whoever keeps them.
struct Op {
  std::uint64_t n = 0;  // its number, from 0
  OpKind kind = OpKind::mark;
  int pid = 0;
  std::uint64_t file = 0;
  std::uint64_t folder = 0;
  std::uint64_t folder2 = 0;
  std::uint64_t offset = 0;
  std::string_view name{};
  std::string_view name2{};
  ByteView data{};
};

using Content = std::shared_ptr<const Bytes>;

// Paths from the root, without a slash in front.
struct Tree {
  std::map<std::string, Content> files;
  std::set<std::string> folders;
  std::set<std::string> unseen;  // files that somebody else may have written to
};
bool same(const Tree& a, const Tree& b);
std::uint64_t fingerprint(const Tree& tree);

// What becomes of that which was not synced.
enum class Loss {
  all,           // none of it arrived
  data,          // every name did, none of the data: the new file that is empty
  some,          // some of it: each name or not, each sector as it was at any time since the sync
  some_garbage,  // the same, and where a file had grown and not been written there is anything
};
inline constexpr Loss kLosses[] = {Loss::all, Loss::data, Loss::some, Loss::some_garbage};
const char* loss_name(Loss loss);

class Disk {
 public:
  // An empty folder.
  explicit Disk(std::uint64_t root);
  // What is there before the first operation, and durable. The parent first.
  void add_folder(std::uint64_t parent, std::string_view name, std::uint64_t number);
  void add_file(std::uint64_t parent, std::string_view name, std::uint64_t number, Bytes content);

  // In the order of the log. Throws std::logic_error when the log names a file that cannot be there.
  void apply(const Op& op);

  Tree now() const;  // as the programs see it
  Tree after(Loss loss, std::uint64_t seed) const;

 private:
  using Node = std::size_t;

  struct Change {
    std::uint64_t offset = 0;
    ByteView data;
    bool truncate = false;  // to `offset`
  };
  // A rename is two: the new name, and the old one that goes when the new one is there.
  struct NameChange {
    bool add = true;
    std::string name;
    Node node = 0;
    std::size_t rename = 0;  // 0: none
    bool across = false;     // the other half is in another folder
  };
  using Names = std::map<std::string, Node, std::less<>>;
  struct Entry {
    bool folder = false;
    // A file.
    Content durable;
    Bytes live;
    std::vector<Change> changes;
    bool unseen = false;  // nobody knows what is in it, until it is written to again
    // A folder.
    Names durable_names;
    Names live_names;
    std::vector<NameChange> name_changes;
  };

  Node make(std::uint64_t number, bool folder);
  Entry& of(std::uint64_t number);
  void change(Entry& entry, const Change& change);
  void add_name(Entry& folder, std::string_view name, Node node, std::size_t rename, bool across);
  void sync(Entry& entry);
  Names names_after(Node folder, Loss loss, std::uint64_t seed) const;
  Content content_after(Node file, Loss loss, std::uint64_t seed) const;
  template <class N, class C>
  void walk(Tree& tree, Node node, const std::string& path, const N& names_of, const C& content_of) const;

  std::vector<Entry> entries_;  // 0: the root
  std::unordered_map<std::uint64_t, Node> by_number_;
  std::size_t renames_ = 0;
  std::set<std::size_t> durable_renames_;  // whose new name is there for good
};

}  // namespace gridward::powerloss
