#include "sections.hpp"

namespace gridward::profile {

void read_channels(const Node& table, domain::Policy& policy) {
  if (!table.object()) return;
  table.each_member([&](const std::string& code, const Node& row) {
    if (!row.object({"name", "process", "city", "article"})) return;
    domain::Channel channel;
    if (const auto name = row.member("name")) channel.name = name->name();
    if (const auto process = row.member("process")) channel.process = process->name();
    if (const auto city = row.member("city", false)) channel.city = city->flag();
    if (const auto article = row.member("article")) channel.article = article->text();
    policy.channels.emplace(code, std::move(channel));
  });
  if (policy.channels.empty()) table.problem("empty");
}

void read_clock_titles(const Node& table, domain::Policy& policy) {
  if (!table.object()) return;
  table.each_member(
      [&](const std::string& clock, const Node& title) { policy.clock_titles.emplace(clock, title.name()); });
}

}  // namespace gridward::profile
