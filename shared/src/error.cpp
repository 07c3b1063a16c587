#include <algorithm>
#include <array>
#include <gridward/shared/error.hpp>

namespace gridward {
namespace {

using enum ErrorCode;

constexpr auto kTable = std::to_array<ErrorInfo>({
    {malformed, "malformed", 400, false, "内容无法识别", "The bytes cannot be read"},
    {too_large, "too_large", 413, false, "内容超过上限", "Larger than the limit"},
    {too_deep, "too_deep", 400, false, "嵌套层数超过上限", "Nested deeper than the limit"},
    {missing_field, "missing_field", 422, false, "缺少必填项", "A required field is missing"},
    {bad_type, "bad_type", 422, false, "字段类型不对", "A field has another type"},
    {out_of_range, "out_of_range", 422, false, "字段值超出范围", "A value is out of its range"},
    {bad_utf8, "bad_utf8", 422, false, "文字不是有效的 UTF-8", "Text is not valid UTF-8"},
    {unknown_kind, "unknown_kind", 422, false, "未知的类型", "Unknown kind"},
    {unsupported_version, "unsupported_version", 400, false, "协议版本不支持", "Protocol version not supported"},
    {trailing_bytes, "trailing_bytes", 400, false, "内容之后还有多余字节", "Bytes after the end"},
    {id_conflict, "id_conflict", 409, false, "同一编号已有不同内容", "The same id already has other contents"},
    {seq_conflict, "seq_conflict", 409, false, "同一序号已有不同记录", "The same sequence number has another record"},
    {wrong_town, "wrong_town", 403, false, "主题中的街镇与设备登记不符",
     "The topic names another town than the registry"},
    {unknown_device, "unknown_device", 403, false, "设备未登记", "The device is not registered"},
    {revoked_device, "revoked_device", 403, false, "设备已停用", "The device was revoked"},
    {unknown_actor, "unknown_actor", 422, false, "使用人不在本街镇名册", "The member is not on this town's roll"},
    {unknown_category, "unknown_category", 422, false, "事项清单中没有这个类别",
     "The matter list has no such category"},
    {unknown_task, "unknown_task", 422, false, "没有这个任务", "No such task"},
    {media_hash_mismatch, "media_hash_mismatch", 422, true, "照片内容与摘要不符", "The photo does not match its hash"},
    {media_type, "media_type", 415, false, "不支持的文件格式", "File format not supported"},
    {media_range, "media_range", 422, false, "分片范围不对", "The piece is outside the file"},
    {media_dimensions, "media_dimensions", 422, false, "照片尺寸超过上限", "The photo's dimensions are over the limit"},
    {media_undecodable, "media_undecodable", 422, false, "照片无法解码", "The photo cannot be decoded"},
    {media_limits, "media_limits", 422, false, "照片处理超出时间或内存上限",
     "The photo exceeded the time or memory limit"},
    {not_logged_in, "not_logged_in", 401, false, "请先登录", "Log in first"},
    {bad_credentials, "bad_credentials", 401, false, "账号或密码不对", "Wrong login or password"},
    {forbidden, "forbidden", 403, false, "没有权限", "Not allowed"},
    {too_many_attempts, "too_many_attempts", 429, true, "尝试过多，请稍后再试", "Too many attempts, try later"},
    {not_found, "not_found", 404, false, "没有找到", "Not found"},
    {illegal_transition, "illegal_transition", 409, false, "当前环节不能这样操作", "Not possible at this step"},
    {version_conflict, "version_conflict", 409, false, "内容已被他人更新", "Somebody else has changed it"},
    {already_exists, "already_exists", 409, false, "已经存在", "Already there"},
    {busy, "busy", 503, true, "服务繁忙，请稍后再试", "Busy, try again later"},
    {storage_failed, "storage_failed", 503, true, "存储失败", "Storage failed"},
    {newer_database, "newer_database", 500, false, "数据库由更新版本的程序创建",
     "The database was made by a newer program"},
    {config_invalid, "config_invalid", 500, false, "配置不正确", "The configuration is wrong"},
    {import_invalid, "import_invalid", 422, false, "导入内容不正确", "The import is wrong"},
    {unavailable, "unavailable", 503, true, "暂不可用", "Not available now"},
    {outbox_full, "outbox_full", 507, true, "设备存储已满，未保存", "The device is full; not saved"},
    {not_on_duty, "not_on_duty", 409, false, "尚未签到", "Not signed in"},
    {camera_failed, "camera_failed", 500, true, "拍照失败", "The camera failed"},
    {position_unavailable, "position_unavailable", 503, true, "暂无定位", "No position"},
    {not_enrolled, "not_enrolled", 403, false, "设备尚未登记", "The device is not enrolled"},
    {already_on_duty, "already_on_duty", 409, false, "已经签到", "Already signed in"},
    {internal, "internal", 500, true, "程序内部错误", "Internal error"},
});

constexpr bool in_order() {
  return std::ranges::adjacent_find(kTable, [](const auto& a, const auto& b) { return a.code >= b.code; }) ==
         kTable.end();
}
static_assert(in_order());

}  // namespace

std::span<const ErrorInfo> error_table() { return kTable; }

const ErrorInfo& error_info(ErrorCode code) {
  const auto* row = std::ranges::lower_bound(kTable, code, {}, &ErrorInfo::code);
  return row != kTable.end() && row->code == code ? *row : kTable.back();
}

std::string to_string(const Error& error) {
  std::string text{error_info(error.code).name};
  text += " (" + std::to_string(static_cast<unsigned>(error.code)) + ")";
  if (!error.field.empty()) text += " " + error.field;
  if (!error.detail.empty()) text += ": " + error.detail;
  return text;
}

}  // namespace gridward
