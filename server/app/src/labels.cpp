// What a page shows beside the rows of a list: names for codes, a photo for a case.
#include <gridward/app/services.hpp>

namespace gridward::app {

Result<std::map<Uuid, Sha256>> Cases::thumbs(std::span<const Uuid> cases) {
  std::map<Uuid, Sha256> found;
  const auto done = services_.store.read([&](Tx& tx) -> Result<void> {
    for (const auto& id : cases) {
      const auto media = tx.case_media(id);
      if (!media.empty()) found.emplace(id, media.front().file.sha256);
    }
    return {};
  });
  if (!done) return tl::unexpected(done.error());
  return found;
}

Result<std::map<std::string, std::string>> Organisation::names(std::span<const std::string> codes) {
  std::map<std::string, std::string> found;
  const auto done = services_.store.read([&](Tx& tx) -> Result<void> {
    for (const auto& code : codes) {
      if (code.empty() || found.contains(code)) continue;
      if (const auto node = tx.find_org(code)) found.emplace(code, node->name);
    }
    return {};
  });
  if (!done) return tl::unexpected(done.error());
  return found;
}

}  // namespace gridward::app
