#include <algorithm>
#include <gridward/app/services.hpp>
#include <gridward/shared/limits.hpp>
#include <mutex>
#include <unordered_map>

namespace gridward::app {
namespace {

constexpr auto kSessionLife = std::chrono::hours{12};
constexpr int kFreeAttempts = 5;
// Of one address, over all logins: an office may come in through one, and its people mistype.
constexpr int kFreeAttemptsOfAddress = 30;
constexpr auto kAddressForgets = std::chrono::minutes{15};
constexpr auto kFirstWait = std::chrono::seconds{15};
constexpr auto kLongestWait = std::chrono::minutes{15};
constexpr auto kPlaceLife = std::chrono::days{90};
constexpr std::size_t kTracked = 10'000;
constexpr std::size_t kPasswordBytes = 1024;

std::string base64url(ByteView bytes) {
  auto text = to_base64(bytes);
  std::erase(text, '=');
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

domain::Actor actor_of(const User& user) { return {user.login, user.name, user.role, user.org, user.org_path}; }

// Counts failures of whatever its keys name and makes the next attempt wait longer and longer. Bounded memory.
class Throttle {
 public:
  Throttle(std::string_view field, int free, std::optional<Millis> forgets)
      : field_(field), free_(free), forgets_(forgets) {}

  Result<void> look(const std::string& key, UnixMs now) {
    const auto found = attempts_.find(key);
    if (found == attempts_.end() || now >= found->second.blocked_until) return {};
    const auto left = std::chrono::ceil<std::chrono::seconds>(found->second.blocked_until - now).count();
    return fail(ErrorCode::too_many_attempts, std::string(field_), "again in " + std::to_string(left) + " s");
  }
  void count(const std::string& key, UnixMs now) {
    if (attempts_.size() >= kTracked && !attempts_.contains(key)) forget_some(now);
    auto& entry = attempts_[key];
    if (forgets_ && entry.last + *forgets_ < now) entry = {};
    ++entry.failed;
    entry.last = now;
    if (entry.failed < free_) return;
    const int doublings = std::min(entry.failed - free_, 10);
    entry.blocked_until = now + std::min<Millis>(kFirstWait * (1 << doublings), kLongestWait);
  }
  // The attempt that was counted was none.
  void take_back(const std::string& key) {
    const auto found = attempts_.find(key);
    if (found == attempts_.end()) return;
    if (--found->second.failed < free_) found->second.blocked_until = {};
    if (found->second.failed <= 0) attempts_.erase(found);
  }
  void forget(const std::string& key) { attempts_.erase(key); }

 private:
  struct Attempts {
    int failed = 0;
    UnixMs last{};
    UnixMs blocked_until{};
  };

  void forget_some(UnixMs now) {
    std::erase_if(attempts_, [&](const auto& entry) { return entry.second.last + kLongestWait < now; });
    if (attempts_.size() < kTracked) return;
    const auto oldest = std::min_element(attempts_.begin(), attempts_.end(),
                                         [](const auto& a, const auto& b) { return a.second.last < b.second.last; });
    attempts_.erase(oldest);
  }

  const std::string_view field_;
  const int free_;
  const std::optional<Millis> forgets_;
  std::unordered_map<std::string, Attempts> attempts_;
};

}  // namespace

struct Auth::Impl {
  Services services;

  std::mutex mutex;
  // Who guesses from where this login never came in is counted with everybody like that, and with their own address.
  // Who comes from where it did has a count of their own: strangers cannot lock them out.
  Throttle logins{"login", kFreeAttempts, std::nullopt};
  Throttle familiar{"login", kFreeAttempts, std::nullopt};
  Throttle addresses{"address", kFreeAttemptsOfAddress, kAddressForgets};
  std::once_flag dummy_once;
  std::string dummy;

  explicit Impl(Services s) : services(s) {}

  struct Attempt {
    std::string login;
    std::string address;
    bool known = false;  // the login came in from there before
    std::string pair() const { return login + '\0' + address; }
  };

  // Counted before the password is looked at: attempts in parallel count as many, not as one.
  Result<void> begin(const Attempt& attempt, UnixMs now) {
    const std::scoped_lock lock(mutex);
    if (attempt.known) {
      if (auto ok = familiar.look(attempt.pair(), now); !ok) return ok;
      familiar.count(attempt.pair(), now);
      return {};
    }
    if (auto ok = addresses.look(attempt.address, now); !ok) return ok;
    if (auto ok = logins.look(attempt.login, now); !ok) return ok;
    addresses.count(attempt.address, now);
    logins.count(attempt.login, now);
    return {};
  }
  void succeeded(const Attempt& attempt) {
    const std::scoped_lock lock(mutex);
    if (attempt.known) {
      familiar.forget(attempt.pair());
    } else {
      logins.forget(attempt.login);
      addresses.take_back(attempt.address);
    }
  }
  // Nobody looked at the password: it was neither right nor wrong.
  void take_back(const Attempt& attempt) {
    const std::scoped_lock lock(mutex);
    if (attempt.known) {
      familiar.take_back(attempt.pair());
    } else {
      logins.take_back(attempt.login);
      addresses.take_back(attempt.address);
    }
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

Result<Login> Auth::login(std::string_view login, std::string_view password, std::string_view address) {
  auto& s = impl_->services;
  if (login.empty() || login.size() > limits::kNameCharacters || password.size() > kPasswordBytes) {
    return fail(ErrorCode::bad_credentials);
  }
  const auto now = s.clock.now();
  Impl::Attempt attempt{std::string(login), std::string(address), false};
  const auto place = s.crypto.sha256(as_bytes(attempt.pair()));
  std::optional<User> user;
  const auto read = s.store.read([&](Tx& tx) -> Result<void> {
    user = tx.find_user(login);
    attempt.known = tx.knows_place(login, place);
    return {};
  });
  if (!read) return tl::unexpected(read.error());
  if (auto ok = impl_->begin(attempt, now); !ok) return tl::unexpected(ok.error());

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
    tx.purge_places(now - kPlaceLife);
    tx.note_place(login, place, now);
    return {};
  });
  if (!written) {
    impl_->take_back(attempt);
    return tl::unexpected(written.error());
  }
  impl_->succeeded(attempt);
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
