#include <cmath>
#include <gridward/import/import_files.hpp>
#include <string>

#include "json_tree.hpp"
#include "rows.hpp"

namespace gridward::importing {
namespace {

void read_table(Table table, const JsonValue& list, std::string_view name, Parsed& out, Problems& problems) {
  const auto* rows = list.array();
  if (rows == nullptr) return problems.add(list.line, std::string(name), "must be a list");
  if (rows->size() > kRows) {
    return problems.add(list.line, std::string(name),
                        std::to_string(rows->size()) + " rows: at most " + std::to_string(kRows));
  }
  for (const auto& row : *rows) {
    if (problems.full()) return;
    const auto* members = row.object();
    if (members == nullptr) {
      problems.add(row.line, std::string(name), "every entry must be an object with " + field_list(table));
      continue;
    }
    Fields fields;
    bool readable = true;
    for (const auto& member : *members) {  // clang 14 takes no structured binding into a lambda
      const auto& key = member.key;
      const auto& value = member.value;
      const auto field = known_field(table, key);
      const auto bad = [&](std::string message) {
        problems.add(value.line, shown(key), std::move(message));
        readable = false;
      };
      if (!field) {
        bad("unknown name: " + field_list(table));
      } else if (const auto* text = value.text()) {
        if (text->find('\0') != std::string::npos) {
          bad("holds the character U+0000");
        } else {
          fields.emplace_back(*field, *text);
        }
      } else if (const auto* flag = std::get_if<bool>(&value.data); flag && *field == "active") {
        fields.emplace_back(*field, *flag ? "true" : "false");
      } else if (!value.null()) {
        bad("must be a text");  // a code written as a number would lose its leading zeros
      }
    }
    if (readable) add_row(table, row.line, fields, out, problems);
  }
}

class OutlineReader {
 public:
  OutlineReader(std::size_t feature, Problems& problems) : feature_(feature), problems_(problems) {}

  bool read(const JsonValue& geometry, Polygon& outline) {
    const auto* type = geometry.find("type");
    if (type == nullptr || type->text() == nullptr || *type->text() != "Polygon") {
      return bad("geometry.type", "must be Polygon: a node has one outline, with holes if need be");
    }
    const auto* coordinates = geometry.find("coordinates");
    const auto* rings = coordinates != nullptr ? coordinates->array() : nullptr;
    if (rings == nullptr || rings->empty()) return bad("geometry.coordinates", "must be a list of rings");
    for (std::size_t i = 0; i < rings->size(); ++i) {
      Ring ring;
      if (!read_ring((*rings)[i], "geometry.coordinates[" + std::to_string(i) + "]", ring)) return false;
      if (i == 0) {
        outline.outer = std::move(ring);
      } else {
        outline.holes.push_back(std::move(ring));
      }
    }
    return true;
  }

 private:
  bool read_ring(const JsonValue& value, const std::string& field, Ring& ring) {
    const auto* positions = value.array();
    if (positions == nullptr) return bad(field, "must be a list of [longitude, latitude]");
    points_ += positions->size();
    if (points_ > kOutlinePoints)
      return bad(field, "an outline of more than " + std::to_string(kOutlinePoints) + " points");
    for (std::size_t i = 0; i < positions->size(); ++i) {
      const std::string at = field + "[" + std::to_string(i) + "]";
      const auto* pair = (*positions)[i].array();
      const double* lon = pair != nullptr && pair->size() >= 2 ? (*pair)[0].number() : nullptr;
      const double* lat = pair != nullptr && pair->size() >= 2 ? (*pair)[1].number() : nullptr;
      if (lon == nullptr || lat == nullptr) return bad(at, "must be [longitude, latitude] in numbers");
      if (!(std::abs(*lat) <= 90)) {
        return bad(at, "latitude " + std::to_string(*lat) + " is outside -90 to 90: longitude comes first");
      }
      if (!(std::abs(*lon) <= 180)) return bad(at, "longitude " + std::to_string(*lon) + " is outside -180 to 180");
      ring.push_back(geo_point(*lat, *lon));
    }
    if (ring.size() < 4)
      return bad(field, std::to_string(ring.size()) + " points: a ring has at least 4, the last the same as the first");
    if (ring.front() != ring.back()) return bad(field, "is not closed: the last point must be the same as the first");
    if (area_m2(Polygon{ring, {}}) < 1) return bad(field, "encloses less than a square metre");
    return true;
  }
  bool bad(std::string field, std::string message) {
    problems_.add(feature_, std::move(field), std::move(message));
    return false;
  }

  std::size_t feature_;
  Problems& problems_;
  std::size_t points_ = 0;
};

void read_features(const JsonValue& root, Parsed& out, Problems& problems) {
  // GeoJSON once allowed other systems; a file in one of them would put every grid a few hundred metres off.
  if (const auto* crs = root.find("crs")) {
    const auto* properties = crs->find("properties");
    const auto* name = properties != nullptr ? properties->find("name") : nullptr;
    const std::string text = name != nullptr && name->text() != nullptr ? *name->text() : std::string();
    if (!text.ends_with("CRS84") && !text.ends_with("EPSG::4326") && !text.ends_with("EPSG:4326")) {
      return problems.add(crs->line, "crs", "'" + shown(text) + "': must be WGS-84 (CRS84)");
    }
  }
  const auto* list = root.find("features");
  const auto* features = list != nullptr ? list->array() : nullptr;
  if (features == nullptr) return problems.add(root.line, "features", "must be a list");
  if (features->size() > kRows) {
    return problems.add(list->line, "features",
                        std::to_string(features->size()) + " features: at most " + std::to_string(kRows));
  }
  std::size_t position = 0;
  for (const auto& feature : *features) {
    if (problems.full()) return;
    ++position;
    app::OutlineRow row{.file = problems.file(), .line = position, .code = {}, .outline = {}};
    const auto* properties = feature.find("properties");
    const auto* code = properties != nullptr ? properties->find("code") : nullptr;
    if (code == nullptr || code->text() == nullptr || !valid_code(*code->text())) {
      problems.add(position, "properties.code", "must be the code of a node, as a text");
      continue;
    }
    row.code = *code->text();
    const auto* geometry = feature.find("geometry");
    if (geometry == nullptr) {
      problems.add(position, "geometry", "is missing");
      continue;
    }
    if (OutlineReader(position, problems).read(*geometry, row.outline)) out.batch.outlines.push_back(std::move(row));
  }
}

}  // namespace

void parse_json(const std::string& file, std::string_view text, Parsed& out) {
  Problems problems(file, out.problems);
  JsonValue root;
  if (!parse_json_tree(text, root, problems)) return;
  const auto* members = root.object();
  if (members == nullptr) return problems.add(root.line, {}, "must be an object");
  if (const auto* type = root.find("type")) {
    if (type->text() == nullptr || *type->text() != "FeatureCollection") {
      return problems.add(type->line, "type", "must be FeatureCollection");
    }
    return read_features(root, out, problems);
  }
  for (const auto& [key, value] : *members) {
    if (key == "orgs") {
      read_table(Table::orgs, value, key, out, problems);
    } else if (key == "users") {
      read_table(Table::users, value, key, out, problems);
    } else if (key == "devices") {
      read_table(Table::devices, value, key, out, problems);
    } else {
      problems.add(value.line, shown(key), "unknown name: orgs, users, devices, or a GeoJSON FeatureCollection");
    }
  }
}

}  // namespace gridward::importing
