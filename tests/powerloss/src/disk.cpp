#include <algorithm>
#include <gridward/powerloss/disk.hpp>
#include <stdexcept>

namespace gridward::powerloss {
namespace {

constexpr std::size_t kSector = 512;

// The same numbers everywhere for the same seed.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }
  bool coin() { return (next() & 1) != 0; }

 private:
  std::uint64_t state_;
};

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) { return Random(a ^ (b * 0xff51afd7ed558ccd)).next(); }

void apply_to(Bytes& bytes, std::uint64_t offset, ByteView data, bool truncate) {
  if (truncate) {
    bytes.resize(static_cast<std::size_t>(offset));
    return;
  }
  const auto end = static_cast<std::size_t>(offset) + data.size();
  if (bytes.size() < end) bytes.resize(end);
  std::ranges::copy(data, bytes.begin() + static_cast<std::ptrdiff_t>(offset));
}

}  // namespace

const char* loss_name(Loss loss) {
  switch (loss) {
    case Loss::all:
      return "all";
    case Loss::data:
      return "data";
    case Loss::some:
      return "some";
    case Loss::some_garbage:
      return "some_garbage";
  }
  return "";
}

bool same(const Tree& a, const Tree& b) {
  return a.folders == b.folders && std::ranges::equal(a.files, b.files, [](const auto& x, const auto& y) {
           return x.first == y.first && (x.second == y.second || *x.second == *y.second);
         });
}

std::uint64_t fingerprint(const Tree& tree) {
  std::uint64_t value = 1;
  const std::hash<std::string_view> hash;
  for (const auto& folder : tree.folders) value = mixed(value, hash(folder));
  for (const auto& [path, content] : tree.files) {
    value = mixed(value, hash(path));
    value = mixed(value, hash({reinterpret_cast<const char*>(content->data()), content->size()}));
  }
  return value;
}

Disk::Disk(std::uint64_t root) { make(root, true); }

Disk::Node Disk::make(std::uint64_t number, bool folder) {
  Entry entry;
  entry.folder = folder;
  if (!folder) entry.durable = std::make_shared<const Bytes>();
  entries_.push_back(std::move(entry));
  by_number_[number] = entries_.size() - 1;
  return entries_.size() - 1;
}

Disk::Entry& Disk::of(std::uint64_t number) {
  const auto found = by_number_.find(number);
  if (found == by_number_.end()) throw std::logic_error("the log names an unknown file: " + std::to_string(number));
  return entries_[found->second];
}

void Disk::add_folder(std::uint64_t parent, std::string_view name, std::uint64_t number) {
  const Node node = make(number, true);
  Entry& folder = of(parent);
  folder.durable_names.emplace(name, node);
  folder.live_names.emplace(name, node);
}

void Disk::add_file(std::uint64_t parent, std::string_view name, std::uint64_t number, Bytes content) {
  const Node node = make(number, false);
  entries_[node].live = content;
  entries_[node].durable = std::make_shared<const Bytes>(std::move(content));
  Entry& folder = of(parent);
  folder.durable_names.emplace(name, node);
  folder.live_names.emplace(name, node);
}

void Disk::change(Entry& entry, const Change& change) {
  if (entry.folder) throw std::logic_error("the log writes to a folder");
  apply_to(entry.live, change.offset, change.data, change.truncate);
  entry.changes.push_back(change);
  entry.unseen = false;
}

void Disk::add_name(Entry& folder, std::string_view name, Node node, std::size_t rename, bool across) {
  folder.live_names[std::string(name)] = node;
  folder.name_changes.push_back({true, std::string(name), node, rename, across});
}

void Disk::apply(const Op& op) {
  switch (op.kind) {
    case OpKind::create:
    case OpKind::mkdir: {
      const Node node = make(op.file, op.kind == OpKind::mkdir);
      add_name(of(op.folder), op.name, node, 0, false);
      break;
    }
    case OpKind::write:
      change(of(op.file), {op.offset, op.data, false});
      break;
    case OpKind::truncate:
      change(of(op.file), {op.offset, {}, true});
      break;
    case OpKind::link:
      of(op.file);
      add_name(of(op.folder2), op.name2, by_number_.at(op.file), 0, false);
      break;
    case OpKind::rename: {
      of(op.file);
      const Node node = by_number_.at(op.file);
      const bool across = op.folder != op.folder2;
      const auto rename = ++renames_;
      Entry& from = of(op.folder);
      from.live_names.erase(std::string(op.name));
      add_name(of(op.folder2), op.name2, node, rename, across);
      from.name_changes.push_back({false, std::string(op.name), node, rename, across});
      break;
    }
    case OpKind::unlink: {
      Entry& folder = of(op.folder);
      const auto found = folder.live_names.find(op.name);
      if (found == folder.live_names.end())
        throw std::logic_error("the log removes what is not there: " + std::string(op.name));
      folder.name_changes.push_back({false, std::string(op.name), found->second, 0, false});
      folder.live_names.erase(found);
      break;
    }
    case OpKind::unseen:
      of(op.file).unseen = true;
      break;
    case OpKind::sync:
      sync(of(op.file));
      break;
    case OpKind::sync_all:
      // Twice: a name that goes with a rename into another folder waits for the new one.
      for (int i = 0; i < 2; ++i) {
        for (auto& entry : entries_) sync(entry);
      }
      break;
    case OpKind::sent:
    case OpKind::said:
    case OpKind::mark:
      break;
  }
}

void Disk::sync(Entry& entry) {
  if (!entry.folder) {
    if (!entry.changes.empty()) entry.durable = std::make_shared<const Bytes>(entry.live);
    entry.changes.clear();
    return;
  }
  std::vector<NameChange> left;
  for (auto& change : entry.name_changes) {
    if (change.add) {
      entry.durable_names[change.name] = change.node;
      if (change.rename != 0) durable_renames_.insert(change.rename);
      continue;
    }
    // Never without its other half: the file would be nowhere.
    if (change.across && !durable_renames_.contains(change.rename)) {
      left.push_back(std::move(change));
      continue;
    }
    const auto found = entry.durable_names.find(change.name);
    if (found != entry.durable_names.end() && found->second == change.node) entry.durable_names.erase(found);
  }
  entry.name_changes = std::move(left);
}

Disk::Names Disk::names_after(Node node, Loss loss, std::uint64_t seed) const {
  const Entry& folder = entries_[node];
  if (loss == Loss::data) return folder.live_names;
  Names names = folder.durable_names;
  if (loss == Loss::all) return names;
  Random random(mixed(seed, node));
  for (const auto& change : folder.name_changes) {
    const bool coin = random.coin();
    bool happened = coin;
    if (change.rename != 0) {
      // Both halves ask the same coin whether the new name is there; the old one may stay longer in its own folder.
      const bool renamed =
          durable_renames_.contains(change.rename) || (mixed(seed, entries_.size() + change.rename) & 1) != 0;
      happened = renamed && (change.add || !change.across || coin);
    }
    if (!happened) continue;
    if (change.add) {
      names[change.name] = change.node;
      continue;
    }
    const auto found = names.find(change.name);
    if (found != names.end() && found->second == change.node) names.erase(found);
  }
  return names;
}

Content Disk::content_after(Node node, Loss loss, std::uint64_t seed) const {
  const Entry& file = entries_[node];
  if (loss == Loss::all || loss == Loss::data) return file.durable;
  Random random(mixed(seed, node));
  if (file.unseen) {
    Bytes anything = *file.durable;
    anything.resize(anything.size() + random.below(8 * kSector));
    for (auto at = file.durable->size(); at < anything.size(); ++at)
      anything[at] = static_cast<std::uint8_t>(random.next());
    return std::make_shared<const Bytes>(std::move(anything));
  }
  if (file.changes.empty()) return file.durable;
  switch (random.below(4)) {
    case 0:
      return file.durable;
    case 1:
      return std::make_shared<const Bytes>(file.live);
    default:
      break;
  }
  // The size may be any that it had since the sync, and so may each sector.
  const auto chosen = random.below(file.changes.size() + 1);
  Bytes state = *file.durable;
  std::size_t size = state.size();
  std::size_t largest = state.size();
  for (std::size_t i = 0; i < file.changes.size(); ++i) {
    const auto& change = file.changes[i];
    apply_to(state, change.offset, change.data, change.truncate);
    largest = std::max(largest, state.size());
    if (chosen == i + 1) size = state.size();
  }
  Bytes result = *file.durable;
  result.resize(largest);
  if (loss == Loss::some_garbage) {
    for (auto at = file.durable->size(); at < largest; ++at) result[at] = static_cast<std::uint8_t>(random.next());
  }
  // Each version of a sector is as likely as any other: the n-th takes the place of what was chosen before in one of n
  // cases. The first is what was there at the sync.
  std::vector<std::uint32_t> versions((largest + kSector - 1) / kSector, 1);
  state = *file.durable;
  for (const auto& change : file.changes) {
    const auto before = state.size();
    apply_to(state, change.offset, change.data, change.truncate);
    auto begin = static_cast<std::size_t>(change.offset);
    auto end = begin + change.data.size();
    if (change.truncate) end = std::max(before, begin);
    if (begin > before) begin = before;  // a hole reads as zeros
    if (begin == end) continue;
    for (auto sector = begin / kSector; sector <= (end - 1) / kSector; ++sector) {
      if (random.below(++versions[sector]) != 0) continue;
      for (auto at = sector * kSector; at < std::min((sector + 1) * kSector, largest); ++at) {
        result[at] = at < state.size() ? state[at] : std::uint8_t{0};
      }
    }
  }
  result.resize(size);
  return std::make_shared<const Bytes>(std::move(result));
}

template <class N, class C>
void Disk::walk(Tree& tree, Node node, const std::string& path, const N& names_of, const C& content_of) const {
  for (const auto& [name, child] : names_of(node)) {
    const auto full = path.empty() ? name : path + "/" + name;
    if (entries_[child].folder) {
      // Twice only when a folder was renamed and both names are there: then it is under the first.
      if (tree.folders.insert(full).second) walk(tree, child, full, names_of, content_of);
    } else {
      tree.files[full] = content_of(child);
      if (entries_[child].unseen) tree.unseen.insert(full);
    }
  }
}

Tree Disk::now() const {
  Tree tree;
  walk(
      tree, 0, "", [this](Node node) -> const Names& { return entries_[node].live_names; },
      [this](Node node) { return std::make_shared<const Bytes>(entries_[node].live); });
  return tree;
}

Tree Disk::after(Loss loss, std::uint64_t seed) const {
  Tree tree;
  walk(
      tree, 0, "", [&](Node node) { return names_after(node, loss, seed); },
      [&](Node node) { return content_after(node, loss, seed); });
  return tree;
}

}  // namespace gridward::powerloss
