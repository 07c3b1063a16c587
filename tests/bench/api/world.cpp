#include "world.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace gridward::bench {
namespace {

const std::string kDemoTown = "120116135";

struct Matter {
  const char* category;
  std::array<const char*, 4> words;
};
constexpr std::array<Matter, 8> kMatters{{
    {"env-litter", {"垃圾堆放无人清理", "绿化带内有生活垃圾", "建筑垃圾占道", "垃圾桶满溢"}},
    {"env-stall", {"占道经营影响通行", "流动摊贩聚集", "店外摆放货架", "烧烤摊油烟扰民"}},
    {"road-manhole", {"井盖破损有坠落危险", "井盖缺失", "雨水井盖松动异响", "井盖下沉"}},
    {"road-damage", {"路面有坑约一平方米", "人行道砖松动", "路面塌陷", "减速带损坏"}},
    {"road-light", {"路灯不亮", "路灯杆倾斜", "灯罩脱落", "整条路路灯熄灭"}},
    {"water-leak", {"自来水管漏水", "消火栓渗水", "污水外溢", "供水压力低"}},
    {"noise", {"夜间施工噪声扰民", "广场舞音量过大", "空调外机噪声", "工厂夜间异响"}},
    {"livelihood", {"电梯停运老人出行困难", "供热温度不达标", "小区停车困难", "公交站台缺少座椅"}},
}};
constexpr std::array<const char*, 24> kRoads{"幸福路", "建设路", "海滨大道", "新港路",   "和平街",   "胜利道",
                                             "渤海路", "洞庭路", "黄海路",   "南海路",   "第一大街", "第二大街",
                                             "学府路", "海川路", "杭州道",   "河北西路", "福州道",   "广州道",
                                             "津塘路", "春风路", "迎宾道",   "永明路",   "旭升路",   "世纪大道"};
constexpr std::array<const char*, 12> kPlaces{"便利店门口", "小学东侧",     "菜市场北门", "公交站旁",
                                              "小区南门",   "社区中心对面", "加油站附近", "幼儿园门前",
                                              "桥下辅路",   "河边步道",     "停车场出口", "药店旁"};
constexpr std::array<const char*, 8> kMore{
    "存在安全隐患，请尽快处理", "已持续三天",   "多名居民反映",   "雨天更加严重",
    "已设置警示标志",           "影响车辆通行", "请安排专人到场", "希望给予答复"};

std::string two_digits(std::size_t n) { return (n < 10 ? "0" : "") + std::to_string(n); }

}  // namespace

void must(const Result<void>& result) {
  if (!result) throw std::runtime_error(to_string(result.error()));
}

const std::vector<std::string>& matters() {
  static const std::vector<std::string> codes = [] {
    std::vector<std::string> out;
    for (const auto& matter : kMatters) out.emplace_back(matter.category);
    return out;
  }();
  return codes;
}

std::string a_text(std::mt19937_64& random, std::size_t matter) {
  const auto any = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  std::string text = kRoads[any(kRoads.size())];
  text += std::to_string(1 + any(400)) + "号" + kPlaces[any(kPlaces.size())] + "，";
  text += kMatters[matter].words[any(4)];
  text += std::string("，") + kMore[any(kMore.size())];
  if (any(4) == 0) text += "。联系电话13" + std::to_string(100'000'000 + any(900'000'000));
  return text;
}

World make_world(app::Store& store) {
  std::vector<app::OrgNode> nodes;
  std::vector<app::User> users;
  must(store.read([&](app::Tx& tx) -> Result<void> {
    nodes = tx.orgs_below("");
    users = tx.users_below("");
    return {};
  }));
  std::map<std::string, app::User> member_of;  // by grid
  std::map<std::string, app::User> user_of;    // of other nodes
  std::map<std::string, bool> known;
  for (const auto& user : users) {
    known[user.login] = true;
    (user.role == domain::Role::grid_member ? member_of : user_of).try_emplace(user.org, user);
  }
  World world;
  std::map<std::string, std::vector<app::OrgNode>> villages;
  std::map<std::string, bool> has_grids;
  for (const auto& node : nodes) {
    if (node.kind == app::OrgKind::district) world.district = node.code;
    if (node.kind == app::OrgKind::town) world.towns.push_back({node.code, node.path, {}, {}});
    if (node.kind == app::OrgKind::village) villages[node.parent].push_back(node);
    if (node.kind == app::OrgKind::grid) has_grids[node.parent] = true;
  }
  if (world.towns.empty()) throw std::runtime_error("the demo district is not imported");
  std::ranges::stable_partition(world.towns, [](const Town& town) { return town.code == kDemoTown; });

  std::vector<app::OrgNode> new_nodes;
  for (const auto& town : world.towns) {
    for (const auto& village : villages[town.code]) {
      if (has_grids.contains(village.code)) continue;
      new_nodes.push_back({village.code + "001", village.code, village.path + "/" + village.code + "001",
                           app::OrgKind::grid, village.name + "第一网格", std::nullopt});
    }
    const bool units = std::ranges::any_of(
        nodes, [&](const app::OrgNode& node) { return node.kind == app::OrgKind::unit && node.parent == town.code; });
    for (std::size_t n = 1; !units && n <= 6; ++n) {
      const auto code = town.code + "-u" + two_digits(n);
      new_nodes.push_back({code, town.code, town.path + "/" + code, app::OrgKind::unit,
                           "第" + std::to_string(n) + "处置单位", std::nullopt});
    }
  }
  nodes.insert(nodes.end(), new_nodes.begin(), new_nodes.end());

  std::vector<app::User> new_users;
  std::vector<app::Device> new_devices;
  for (const auto& node : nodes) {
    for (auto& town : world.towns) {
      if (node.path.compare(0, town.path.size() + 1, town.path + "/") != 0) continue;
      if (node.kind == app::OrgKind::unit) town.units.emplace_back(node.code, node.path);
      if (node.kind != app::OrgKind::grid) continue;
      Place place;
      place.town = town.code;
      place.town_path = town.path;
      place.grid = node.code;
      place.path = node.path;
      if (const auto found = member_of.find(node.code); found != member_of.end()) {
        place.member = found->second.login;
        place.member_name = found->second.name;
      } else {
        place.member = "m" + node.code;
        place.member_name = "网格员" + node.code.substr(node.code.size() - 6);
        app::User user;
        user.login = place.member;
        user.name = place.member_name;
        user.org = node.code;
        user.password_hash = "none";
        new_users.push_back(user);
      }
      app::Device device;
      device.id = "bench-" + node.code;
      device.town = town.code;
      device.holder = place.member;
      new_devices.push_back(device);
      place.desk = "desk" + town.code;
      place.desk_name = "街镇中心";
      if (const auto found = user_of.find(town.code); found != user_of.end()) {
        place.desk = found->second.login;
        place.desk_name = found->second.name;
      }
      town.grids.push_back(std::move(place));
    }
  }
  std::erase_if(world.towns, [](const Town& town) { return town.grids.empty() || town.units.size() < 2; });
  must(store.write([&](app::Tx& tx) -> Result<void> {
    for (const auto& node : new_nodes) tx.upsert_org(node);
    for (const auto& user : new_users) tx.upsert_user(user);
    for (const auto& device : new_devices) {
      if (!tx.find_device(device.id)) tx.upsert_device(device);
    }
    return {};
  }));
  return world;
}

Place pick(const Town& town, bool grid, std::mt19937_64& random) {
  const auto any = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  auto place = town.grids[any(town.grids.size())];
  if (!grid) place.path = place.town_path;
  const auto unit = any(town.units.size());
  place.unit = town.units[unit].first;
  place.unit_path = town.units[unit].second;
  place.assisting = town.units[(unit + 1) % town.units.size()].first;
  place.unit_login = "u-" + place.unit;
  place.unit_name = "经办人";
  return place;
}

}  // namespace gridward::bench
