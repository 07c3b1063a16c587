#include <condition_variable>
#include <gridward/app/services.hpp>
#include <mutex>

namespace gridward::app {
namespace {

constexpr auto kFresh = std::chrono::seconds{5};
constexpr auto kPatience = std::chrono::seconds{1};

}  // namespace

// Shared with the unit, which may end after whoever asked.
struct StoreProof::State {
  std::mutex mutex;
  std::condition_variable ended;
  bool under_way = false;
  bool writable = false;
  std::optional<UnixMs> at;
};

StoreProof::StoreProof(Services services) : services_(services), state_(std::make_shared<State>()) {}

bool StoreProof::writable() {
  const auto now = services_.clock.now();
  std::unique_lock lock(state_->mutex);
  // A clock that was put back must not make an old proof young.
  const auto within = [&](Millis life) { return state_->at && now >= *state_->at && now < *state_->at + life; };
  if (within(kFresh)) return state_->writable;
  // Somebody waits for it already, longer than a commit should take when this is more than a moment.
  if (state_->under_way) return state_->writable && within(kFresh + kPatience);
  state_->under_way = true;
  lock.unlock();
  Unit proof;
  proof.work = [now](Tx& tx) -> Result<void> {
    tx.prove_writable(now);
    return {};
  };
  proof.done = [state = state_, now](const Result<void>& result) {
    const std::scoped_lock inner(state->mutex);
    state->under_way = false;
    state->writable = result.has_value();
    state->at = now;
    state->ended.notify_all();
  };
  proof.repeatable = true;
  const auto queued = services_.store.submit(std::move(proof));
  lock.lock();
  if (!queued) {
    state_->under_way = false;
    return false;
  }
  if (!state_->ended.wait_for(lock, kPatience, [&] { return !state_->under_way; })) return false;
  return state_->writable;
}

}  // namespace gridward::app
