#include <algorithm>
#include <gridward/app/services.hpp>
#include <gridward/shared/limits.hpp>
#include <mutex>
#include <unordered_map>

namespace gridward::app {
namespace {

constexpr auto kSessionLife = std::chrono::hours{12};
constexpr int kFreeAttempts = 5;
constexpr auto kFirstWait = std::chrono::seconds{15};
constexpr auto kLongestWait = std::chrono::minutes{15};
constexpr std::size_t kTrackedLogins = 10'000;
constexpr std::size_t kPasswordBytes = 1024;

std::string base64url(ByteView bytes) {
  auto text = to_base64(bytes);
  std::erase(text, '=');
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

domain::Actor actor_of(const User& user) { return {user.login, user.name, user.role, user.org, user.org_path}; }

}  // namespace

struct Auth::Impl {
  Services services;

  struct Attempts {
    int failed = 0;
    UnixMs last{};
    UnixMs blocked_until{};
  };
  std::mutex mutex;
  std::unordered_map<std::string, Attempts> attempts;
  std::once_flag dummy_once;
  std::string dummy;

  explicit Impl(Services s) : services(s) {}

  // Counted before the password is looked at: attempts in parallel count as many, not as one.
  Result<void> begin(const std::string& login, UnixMs now) {
    const std::scoped_lock lock(mutex);
    if (attempts.size() >= kTrackedLogins && !attempts.contains(login)) forget_some(now);
    auto& entry = attempts[login];
    if (now < entry.blocked_until) {
      const auto left = std::chrono::ceil<std::chrono::seconds>(entry.blocked_until - now).count();
      return fail(ErrorCode::too_many_attempts, "login", "again in " + std::to_string(left) + " s");
    }
    ++entry.failed;
    entry.last = now;
    if (entry.failed >= kFreeAttempts) {
      const int doublings = std::min(entry.failed - kFreeAttempts, 10);
      const Millis wait = std::min<Millis>(kFirstWait * (1 << doublings), kLongestWait);
      entry.blocked_until = now + wait;
    }
    return {};
  }
  void succeeded(const std::string& login) {
    const std::scoped_lock lock(mutex);
    attempts.erase(login);
  }
  void forget_some(UnixMs now) {
    std::erase_if(attempts, [&](const auto& entry) { return entry.second.last + kLongestWait < now; });
    if (attempts.size() < kTrackedLogins) return;
    const auto oldest = std::min_element(attempts.begin(), attempts.end(),
                                         [](const auto& a, const auto& b) { return a.second.last < b.second.last; });
    attempts.erase(oldest);
  }

  // What an unknown login is checked against, so that it takes the same time as a known one.
  const std::string& dummy_hash() {
    std::call_once(dummy_once, [&] {
      std::array<std::uint8_t, 16> random{};
      services.crypto.random(random);
      dummy = services.crypto.hash_password(to_hex(random));
    });
    return dummy;
  }
};

Auth::Auth(Services services) : impl_(std::make_unique<Impl>(services)) {}
Auth::~Auth() = default;

Result<Login> Auth::login(std::string_view login, std::string_view password) {
  auto& s = impl_->services;
  if (login.empty() || login.size() > limits::kNameCharacters || password.size() > kPasswordBytes) {
    return fail(ErrorCode::bad_credentials);
  }
  const auto now = s.clock.now();
  const std::string name(login);
  if (auto ok = impl_->begin(name, now); !ok) return tl::unexpected(ok.error());

  std::optional<User> user;
  const auto read = s.store.read([&](Tx& tx) -> Result<void> {
    user = tx.find_user(login);
    return {};
  });
  if (!read) return tl::unexpected(read.error());
  const bool usable = user && user->active && !user->password_hash.empty();
  const bool matches = s.crypto.verify_password(usable ? user->password_hash : impl_->dummy_hash(), password);
  if (!usable || !matches) return fail(ErrorCode::bad_credentials);

  std::array<std::uint8_t, 32> random{};
  s.crypto.random(random);
  Login out;
  out.token = base64url(random);
  out.actor = actor_of(*user);
  out.expires = now + kSessionLife;
  const Session session{s.crypto.sha256(as_bytes(out.token)), user->login, now, out.expires};
  const auto written = s.store.write([&](Tx& tx) -> Result<void> {
    tx.purge_sessions(now);
    tx.insert_session(session);
    return {};
  });
  if (!written) return tl::unexpected(written.error());
  impl_->succeeded(name);
  return out;
}

Result<domain::Actor> Auth::actor(std::string_view token) {
  auto& s = impl_->services;
  if (token.empty() || token.size() > 128) return fail(ErrorCode::not_logged_in);
  const auto hash = s.crypto.sha256(as_bytes(token));
  std::optional<User> user;
  const auto read = s.store.read([&](Tx& tx) -> Result<void> {
    const auto session = tx.find_session(hash);
    if (session && s.clock.now() < session->expires) user = tx.find_user(session->login);
    return {};
  });
  if (!read) return tl::unexpected(read.error());
  if (!user || !user->active) return fail(ErrorCode::not_logged_in);
  return actor_of(*user);
}

Result<void> Auth::logout(std::string_view token) {
  auto& s = impl_->services;
  const auto hash = s.crypto.sha256(as_bytes(token));
  return s.store.write([&](Tx& tx) -> Result<void> {
    tx.delete_session(hash);
    return {};
  });
}

}  // namespace gridward::app
