#include "rows.hpp"

#include <algorithm>
#include <array>
#include <gridward/shared/limits.hpp>
#include <gridward/shared/topics.hpp>
#include <span>

namespace gridward::importing {
namespace {

struct Column {
  std::string_view name;
  std::string_view zh;
  bool required;
};
constexpr std::array<Column, 4> kOrgColumns{
    {{"code", "编码", true}, {"parent", "上级编码", true}, {"kind", "类型", true}, {"name", "名称", true}}};
constexpr std::array<Column, 6> kUserColumns{{{"login", "账号", true},
                                              {"name", "姓名", true},
                                              {"role", "角色", true},
                                              {"org", "所属编码", true},
                                              {"password", "密码", false},
                                              {"active", "启用", false}}};
constexpr std::array<Column, 4> kDeviceColumns{{{"id", "设备号", true},
                                                {"town", "街镇编码", true},
                                                {"holder", "持有人账号", false},
                                                {"public_key", "公钥", true}}};

std::span<const Column> columns(Table table) {
  switch (table) {
    case Table::orgs:
      return kOrgColumns;
    case Table::users:
      return kUserColumns;
    case Table::devices:
      break;
  }
  return kDeviceColumns;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

bool letter_or_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

class Row {
 public:
  Row(std::size_t line, const Fields& fields, Problems& problems) : line_(line), fields_(fields), problems_(problems) {}

  const std::string* find(std::string_view name) const {
    for (const auto& [key, value] : fields_) {
      if (key == name) return &value;
    }
    return nullptr;
  }
  std::string text(std::string_view name) const {
    const auto* value = find(name);
    return value ? *value : std::string();
  }
  // A value that must be there and hold `ok`.
  template <class Check>
  std::string checked(std::string_view name, Check ok, std::string_view rule) {
    const auto* value = find(name);
    if (!value || value->empty()) {
      problem(name, "is missing: " + std::string(rule));
      return {};
    }
    if (!ok(*value)) problem(name, "is '" + shown(*value) + "': " + std::string(rule));
    return *value;
  }
  std::string name() {
    return checked(
        "name",
        [](std::string_view v) {
          return characters(v) <= limits::kNameCharacters && std::none_of(v.begin(), v.end(), [](char c) {
                   return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
                 });
        },
        "1 to 64 characters, no line break");
  }
  void problem(std::string_view field, std::string message) {
    problems_.add(line_, std::string(field), std::move(message));
  }

 private:
  std::size_t line_;
  const Fields& fields_;
  Problems& problems_;
};

constexpr std::string_view kCodeRule = "1 to 64 of A-Z a-z 0-9 _ -";

void add_org(std::size_t line, Row& row, Parsed& out, const std::string& file) {
  app::OrgRow org{.file = file, .line = line, .node = {}};
  org.node.code = row.checked("code", valid_code, kCodeRule);
  org.node.parent = row.text("parent");
  if (!org.node.parent.empty() && !valid_code(org.node.parent)) {
    row.problem("parent", "is '" + shown(org.node.parent) + "': " + std::string(kCodeRule) + ", or empty for the root");
  }
  const auto kind = row.checked(
      "kind", [](std::string_view v) { return app::org_kind_from_string(v).has_value(); },
      "one of district, town, village, grid, unit");
  org.node.kind = app::org_kind_from_string(kind).value_or(app::OrgKind::district);
  org.node.name = row.name();
  out.batch.orgs.push_back(std::move(org));
}

void add_user(std::size_t line, Row& row, Parsed& out, const std::string& file) {
  app::UserRow user{.file = file, .line = line, .user = {}, .password = {}};
  user.user.login = row.checked(
      "login",
      [](std::string_view v) {
        return v.size() <= 64 && std::all_of(v.begin(), v.end(), [](char c) {
                 return letter_or_digit(c) || c == '_' || c == '-' || c == '.';
               });
      },
      "1 to 64 of A-Z a-z 0-9 _ - .");
  user.user.name = row.name();
  static const std::string kRoleRule = [] {
    std::string names;
    for (std::size_t i = 0; i < domain::kRoles; ++i) {
      const auto one = static_cast<domain::Role>(i);
      if (one != domain::Role::system) names += (names.empty() ? "" : ", ") + std::string(domain::to_string(one));
    }
    return "one of " + names;
  }();
  // `system` is what the server itself acts as; nobody can log in as it.
  const auto role = row.checked(
      "role",
      [](std::string_view v) {
        const auto known = domain::role_from_string(v);
        return known && *known != domain::Role::system;
      },
      kRoleRule);
  user.user.role = domain::role_from_string(role).value_or(domain::Role::grid_member);
  user.user.org = row.checked("org", valid_code, kCodeRule);
  user.password = row.text("password");
  if (!user.password.empty() && (characters(user.password) < kPasswordCharacters || user.password.size() > 256)) {
    row.problem("password", "has " + std::to_string(characters(user.password)) +
                                " characters: at least 8 and at most 256 bytes, or empty to keep the one there");
  }
  const auto active = row.text("active");
  if (!active.empty() && active != "true" && active != "false") {
    row.problem("active", "is '" + shown(active) + "': true or false");
  }
  user.user.active = active != "false";
  out.batch.users.push_back(std::move(user));
}

void add_device(std::size_t line, Row& row, Parsed& out, const std::string& file) {
  app::DeviceRow device{.file = file, .line = line, .device = {}};
  device.device.id = row.checked("id", valid_device_id, kCodeRule);
  device.device.town = row.checked("town", valid_town, "a division code of 6, 9 or 12 digits");
  device.device.holder = row.text("holder");
  const auto key = row.checked(
      "public_key", [](std::string_view v) { return v.size() == 64 && from_hex(v).has_value(); },
      "the Ed25519 public key, 64 hexadecimal digits");
  if (const auto bytes = from_hex(key); bytes && bytes->size() == device.device.public_key.size()) {
    std::copy(bytes->begin(), bytes->end(), device.device.public_key.begin());
  }
  out.batch.devices.push_back(std::move(device));
}

}  // namespace

void Problems::add(std::size_t line, std::string field, std::string message) {
  if (full()) return;
  ++count_;
  out_.push_back({file_, line, std::move(field), std::move(message)});
  if (full()) {
    out_.push_back({file_, line, {}, "stopped after " + std::to_string(kProblemsPerFile) + " problems"});
  }
}

std::optional<std::string_view> known_field(Table table, std::string_view name) {
  for (const auto& column : columns(table)) {
    if (name == column.name || name == column.zh) return column.name;
  }
  return std::nullopt;
}

std::vector<std::string_view> required_fields(Table table) {
  std::vector<std::string_view> names;
  for (const auto& column : columns(table)) {
    if (column.required) names.push_back(column.name);
  }
  return names;
}

std::string field_list(Table table) {
  std::string text;
  for (const auto& column : columns(table)) {
    if (!text.empty()) text += ", ";
    text += column.name;
  }
  return text;
}

void add_row(Table table, std::size_t line, const Fields& fields, Parsed& out, Problems& problems) {
  Row row(line, fields, problems);
  switch (table) {
    case Table::orgs:
      return add_org(line, row, out, problems.file());
    case Table::users:
      return add_user(line, row, out, problems.file());
    case Table::devices:
      return add_device(line, row, out, problems.file());
  }
}

bool valid_code(std::string_view code) {
  return !code.empty() && code.size() <= 64 &&
         std::all_of(code.begin(), code.end(), [](char c) { return letter_or_digit(c) || c == '_' || c == '-'; });
}

std::string shown(std::string_view text) {
  std::string out;
  std::size_t taken = 0;
  for (std::size_t i = 0; i < text.size() && taken < 40; ++taken) {
    std::size_t length = 1;
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead >= 0xF0) {
      length = 4;
    } else if (lead >= 0xE0) {
      length = 3;
    } else if (lead >= 0xC0) {
      length = 2;
    }
    const auto piece = text.substr(i, length);
    const bool printable = lead >= 0x20 && lead != 0x7F && valid_utf8(piece);
    out += printable ? std::string(piece) : std::string("?");
    i += printable ? length : 1;
    if (i < text.size() && taken == 39) out += "…";
  }
  return out;
}

}  // namespace gridward::importing
