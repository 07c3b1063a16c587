#include <algorithm>
#include <gridward/shared/limits.hpp>
#include <gridward_device/sync.hpp>

namespace gridward::device {
namespace {

constexpr std::size_t kProbesKept = 16;
constexpr unsigned kBusyToGreet = 3;

Millis doubled(Millis first, unsigned times, Millis most) {
  return times >= 20 ? most : std::min(most, first * (std::int64_t{1} << times));
}

bool overlap(const ByteRange& a, const ByteRange& b) {
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}

// `ranges` without `hole`.
void cut_out(std::vector<ByteRange>& ranges, const ByteRange& hole) {
  std::vector<ByteRange> rest;
  for (const auto& range : ranges) {
    if (!overlap(range, hole)) {
      rest.push_back(range);
      continue;
    }
    if (range.offset < hole.offset) rest.push_back({range.offset, hole.offset - range.offset});
    const auto end = range.offset + range.length;
    const auto hole_end = hole.offset + hole.length;
    if (end > hole_end) rest.push_back({hole_end, end - hole_end});
  }
  ranges = std::move(rest);
}

}  // namespace

SyncMachine::SyncMachine(SyncOptions options, const SyncKnown& known, std::uint64_t seed)
    : options_(options),
      epoch_(known.epoch),
      generation_(known.generation),
      random_(seed),
      lanes_{LaneQueue{Lane::urgent, {}, 0, true, false}, LaneQueue{Lane::bulk, {}, 0, true, false}},
      portion_(options.portion_first),
      ack_(known.ack) {}

std::vector<SyncOutput> SyncMachine::handle(const SyncInput& input, Millis now) {
  now_ = std::max(now_, now);
  std::visit([this](const auto& event) { on(event); }, input);
  return std::exchange(outputs_, {});
}

Millis SyncMachine::jitter(Millis most) {
  // splitmix64: small, and good enough to keep devices apart.
  random_ += 0x9E3779B97F4A7C15ULL;
  std::uint64_t z = random_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  z ^= z >> 31;
  const auto span = static_cast<std::uint64_t>(std::max<std::int64_t>(0, most.count())) + 1;
  return Millis{static_cast<std::int64_t>(z % span)};
}

Millis SyncMachine::answer_wait(unsigned tries) {
  const auto wait = doubled(options_.answer_wait, tries, options_.answer_wait_max);
  return wait + jitter(wait / 4);
}

std::size_t SyncMachine::in_flight() const {
  std::size_t count = messages_.size();
  for (const auto& media : media_) count += media.flying.size() + (media.question ? 1 : 0);
  return count;
}

// ---- the link ----

void SyncMachine::connect_now() {
  state_ = State::connecting;
  connect_at_.reset();
  emit(out::Connect{});
}

void SyncMachine::on(const in::Start&) {
  if (state_ == State::idle) connect_now();
}

void SyncMachine::on(const in::Stop&) {
  if (state_ != State::idle) {
    take_back_everything();
    emit(out::Disconnect{});
  }
  state_ = State::idle;
  connect_at_.reset();
}

void SyncMachine::on(const in::NetworkChanged&) {
  if (state_ == State::waiting) connect_now();
}

void SyncMachine::on(const in::Connected&) {
  if (state_ == State::idle) return;
  state_ = State::connected;
  connected_at_ = now_;
  window_ = options_.first_window;
  silent_ = 0;
  hold_ = {};
  hello_tries_ = 0;
  say_hello();
}

void SyncMachine::on(const in::ConnectFailed&) {
  if (state_ != State::idle) begin_wait();
}

void SyncMachine::on(const in::Disconnected&) {
  if (state_ == State::idle || state_ == State::waiting) return;
  const bool was_up = state_ == State::connected || state_ == State::greeted;
  // Connected and thrown out at once is no success: the backoff goes on growing.
  if (was_up && now_ - connected_at_ >= options_.healthy_after) connect_tries_ = 0;
  take_back_everything();
  begin_wait();
}

void SyncMachine::begin_wait() {
  state_ = State::waiting;
  hello_until_.reset();
  first_at_.reset();  // the greeting asks
  first_tries_ = 0;
  greet_due_ = false;
  connect_at_ = now_ + jitter(doubled(options_.reconnect_first, connect_tries_, options_.reconnect_max));
  // Some brokers end the connection after they refused a publish: coming back sooner would not help.
  if (refused_ > 0) connect_at_ = std::max(*connect_at_, hold_);
  ++connect_tries_;
}

void SyncMachine::say_hello() {
  const auto wait = doubled(options_.hello_wait, hello_tries_, options_.answer_wait_max);
  hello_until_ = now_ + wait + jitter(wait / 4);
  greet();
}

void SyncMachine::greet() {
  if (!hello_sent_) hello_sent_ = now_;
  ack_due_ = false;
  emit(out::PublishUp{next_token_++, {}, ack_, true, generation_});
}

void SyncMachine::ask_for_first() {
  const auto wait = doubled(options_.hello_wait, first_tries_++, options_.answer_wait_max);
  first_at_ = now_ + wait + jitter(wait / 4);
}

// ---- what is in the air ----

void SyncMachine::take_back(const Message& message) {
  auto& ready = queue(message.lane).ready;
  ready.insert(ready.end(), message.records.begin(), message.records.end());
  std::sort(ready.begin(), ready.end(), [](const auto& a, const auto& b) { return a.seq < b.seq; });
}

void SyncMachine::ask_again(Media& media) {
  media.flying.clear();
  media.question.reset();
  media.todo.clear();
  media.ask = true;
}

void SyncMachine::take_back_everything() {
  // A link that ends before a large message is through would carry the same message in vain for ever.
  const auto long_under_way = [&](const auto& sent) { return now_ - sent.sent >= options_.reply_slow; };
  const bool slow = std::any_of(messages_.begin(), messages_.end(), long_under_way) ||
                    std::any_of(media_.begin(), media_.end(), [&](const Media& media) {
                      return std::any_of(media.flying.begin(), media.flying.end(), long_under_way);
                    });
  for (const auto& message : messages_) take_back(message);
  messages_.clear();
  probes_.clear();
  if (slow) slow_down();
  for (auto& media : media_) {
    if (media.info.started) ask_again(media);
    media.not_before = {};
    media.tries = 0;
  }
}

void SyncMachine::forget(const Uuid& id, std::optional<Millis>& sent) {
  const auto same = [&](const RecordInfo& record) { return record.id == id; };
  for (auto message = messages_.begin(); message != messages_.end(); ++message) {
    const auto found = std::find_if(message->records.begin(), message->records.end(), same);
    if (found == message->records.end()) continue;
    // Nobody can tell which of several copies is answered; what holds for all is that none was sent before the first.
    const auto first = first_sent_.at(found->seq);
    sent = sent ? std::max(*sent, first) : first;
    first_sent_.erase(found->seq);
    message->records.erase(found);
    if (message->records.empty()) {
      // A slow one is the server's commit as well as the link.
      if (!message->again) quick(message->bytes, now_ - message->sent);
      messages_.erase(message);
      grow();
    }
    return;
  }
  for (auto& lane : lanes_) {
    const auto found = std::find_if(lane.ready.begin(), lane.ready.end(), same);
    if (found == lane.ready.end()) continue;
    first_sent_.erase(found->seq);
    lane.ready.erase(found);
    return;
  }
}

void SyncMachine::grow() { window_ = std::min(options_.window, window_ + 1); }

SyncMachine::Media* SyncMachine::find_media(const Sha256& sha256) {
  const auto found =
      std::find_if(media_.begin(), media_.end(), [&](const Media& media) { return media.info.sha256 == sha256; });
  return found == media_.end() ? nullptr : &*found;
}

void SyncMachine::drop_media(const Sha256& sha256) {
  std::erase_if(media_, [&](const Media& media) { return media.info.sha256 == sha256; });
  media_more_ = true;
}

void SyncMachine::hold_for(Millis wait) {
  hold_ = std::max(hold_, now_ + wait);
  if (state_ == State::connected) hello_until_ = hold_;
}

// ---- what comes down ----

void SyncMachine::on(const in::Down& down) {
  // What is left over from the connection before may be the word of a store that is gone.
  if (state_ != State::connected && state_ != State::greeted) return;
  std::visit([this](const auto& message) { received(message); }, down.message);
  pump();
}

void SyncMachine::received(const Receipt& receipt) {
  if (receipt.epoch != epoch_) return;  // for what this device was before it was wiped
  const bool first_heard = !generation_;
  const bool restored = generation_ && *generation_ != receipt.generation;
  generation_ = receipt.generation;
  // First: what waits again by it, waits again before the ids of this receipt count.
  emit(out::Safe{receipt.generation, receipt.safe});
  std::optional<Millis> sent;
  for (const auto& id : receipt.ok) forget(id, sent);
  for (const auto& bad : receipt.bad) forget(bad.id, sent);
  silent_ = busy_ = refused_ = 0;
  if (!receipt.ok.empty()) {
    emit(out::Receipted{receipt.ok});
    media_more_ = true;
  }
  for (const auto& bad : receipt.bad) emit(out::Refused{bad});
  if (state_ == State::connected) {
    state_ = State::greeted;
    hello_until_.reset();
  }
  // Of another store than the known one it is not believed before the next greeting was answered: that one may be the
  // lost one, and its word late.
  if (receipt.first && !ack_ && !restored) emit(out::DownBaseline{*receipt.first});
  // A restored server says nothing of items to a greeting that names no store: that may be an old one.
  if (!receipt.first && !ack_ && first_heard) greet_due_ = true;
  // Without ids it can only be the answer to a greeting, the first one perhaps.
  if (receipt.ok.empty() && receipt.bad.empty()) {
    sent = std::exchange(hello_sent_, std::nullopt);
    if (!probes_.empty()) {
      // Which one is answered nobody says; it is not before the first.
      const auto probe = probes_.front();
      probes_.pop_front();
      std::erase_if(messages_, [&](const Message& message) {
        if (!message.late || message.sent > probe) return false;
        take_back(message);
        return true;
      });
    }
  }
  if (sent) emit(out::ServerNow{receipt.now, now_ - *sent});
  if (restored) {
    // A file's state does not say which store speaks. What the lost one said may still be on its way, but not into
    // a new connection; and its greeting asks once more, should this receipt have been the old one.
    begin_from_the_first();
    emit(out::Restored{});
    emit(out::Disconnect{});
    begin_wait();
  }
}

void SyncMachine::received(const MediaState& state) {
  auto* media = find_media(state.sha256);
  if (media == nullptr) {
    // Late, or asked by an earlier run; what it says is true all the same.
    if (state.complete) emit(out::MediaComplete{state.sha256});
    return;
  }
  silent_ = busy_ = refused_ = 0;
  media->tries = 0;
  media->ask = false;
  if (media->question) {
    media->question.reset();
    grow();
  }
  if (state.refused) {
    if (*state.refused == ErrorCode::media_hash_mismatch && !media->info.restarted) {
      media->info.restarted = true;
      media->flying.clear();
      media->todo = {{0, media->info.size}};
      emit(out::MediaRestarted{state.sha256});
    } else {
      emit(out::MediaRefused{state.sha256, *state.refused});
      drop_media(state.sha256);
    }
    return;
  }
  if (state.complete) {
    for (const auto& piece : media->flying) arrived(piece);
    emit(out::MediaComplete{state.sha256});
    drop_media(state.sha256);
    return;
  }
  std::vector<ByteRange> missing;
  for (auto range : state.missing) {
    if (range.offset >= media->info.size) continue;
    range.length = std::min(range.length, media->info.size - range.offset);
    if (range.length > 0) missing.push_back(range);
  }
  // A piece that is not missing has arrived. One that still is may be on its way, behind this reply's cause.
  std::erase_if(media->flying, [&](const Piece& piece) {
    const bool here = std::none_of(missing.begin(), missing.end(),
                                   [&](const ByteRange& range) { return overlap(range, piece.range); });
    if (here) arrived(piece);
    return here;
  });
  media->todo = std::move(missing);
  for (const auto& piece : media->flying) cut_out(media->todo, piece.range);
  media->until = now_ + answer_wait(silent_);
  if (media->todo.empty() && media->flying.empty()) {
    // Everything is there, but the server has not finished with it.
    media->ask = true;
    media->not_before = now_ + Millis{1'000} + jitter(Millis{1'000});
  }
}

void SyncMachine::received(const DownItem& item) {
  emit(out::StoreDown{item});
  item_came_ = true;
  if (ack_) return;
  // Nothing is acknowledged before the server has said where the numbers begin: what came first need not be it, for
  // messages are lost and reordered. An item does not name its store; a receipt of this connection does.
  if (item.first && state_ == State::greeted) {
    emit(out::DownBaseline{*item.first});
  } else if (!first_at_) {
    ask_for_first();
  }
}

void SyncMachine::received(const Busy& busy) {
  // It does not say which message was dropped: all that has no reply goes again, later and slower.
  take_back_everything();
  window_ = std::max<std::size_t>(1, window_ / 2);
  const auto wait = std::max(busy.retry_after, Millis{100});
  hold_for(wait + jitter(wait / 2));
  // A server that was restored has no record that names the photo, and says busy for ever: only a receipt tells why.
  if (++busy_ % kBusyToGreet == 0) greet_due_ = true;
  emit(out::Waiting{wait});
}

void SyncMachine::on(const in::DownStored& stored) {
  ack_ = stored.ack;
  if (!ack_) return;
  first_at_.reset();
  // Also when nothing is new: the server sent it again, so it did not hear the acknowledgement.
  if (!std::exchange(item_came_, false) || ack_due_) return;
  ack_due_ = true;
  ack_at_ = now_ + options_.ack_delay;
}

void SyncMachine::on(const in::PublishRefused& refused) {
  if (state_ != State::connected && state_ != State::greeted) return;
  const auto message =
      std::find_if(messages_.begin(), messages_.end(), [&](const Message& m) { return m.token == refused.token; });
  if (message != messages_.end()) {
    take_back(*message);
    messages_.erase(message);
  }
  for (auto& media : media_) {
    const bool asked = media.question && media.question->token == refused.token;
    const bool flew = std::any_of(media.flying.begin(), media.flying.end(),
                                  [&](const Piece& piece) { return piece.token == refused.token; });
    if (asked || flew) ask_again(media);
  }
  window_ = 1;
  const auto wait = doubled(options_.refused_first, refused_, options_.refused_max);
  ++refused_;
  hold_for(wait + jitter(wait / 2));
  emit(out::LinkRefused{refused.reason});
}

// ---- work ----

void SyncMachine::on(const in::WorkAdded&) {
  for (auto& lane : lanes_) lane.more = true;
  // A photo that the server has already may come with a new record: it is found after that record's receipt.
  pump();
}

void SyncMachine::on(const in::Rewound&) {
  begin_from_the_first();
  pump();
}

// What is in the air may be sent twice by this; the server does not mind.
void SyncMachine::begin_from_the_first() {
  messages_.clear();
  probes_.clear();
  media_.clear();
  media_more_ = true;
  for (auto& lane : lanes_) {
    lane.ready.clear();
    lane.cursor = 0;
    lane.more = true;
  }
}

void SyncMachine::on(const in::RecordsLoaded& loaded) {
  auto& lane = queue(loaded.lane);
  lane.loading = false;
  lane.more = !loaded.records.empty();
  for (const auto& record : loaded.records) {
    lane.cursor = std::max(lane.cursor, record.seq);
    lane.ready.push_back(record);
  }
  pump();
}

void SyncMachine::on(const in::MediaLoaded& loaded) {
  loading_media_ = false;
  media_more_ = false;
  for (const auto& info : loaded.media) {
    if (find_media(info.sha256) != nullptr) continue;
    Media media;
    media.info = info;
    media.ask = info.started;
    if (!media.ask) media.todo = {{0, info.size}};
    media_.push_back(std::move(media));
  }
  pump();
}

void SyncMachine::on(const in::MediaUnreadable& unreadable) {
  emit(out::MediaRefused{unreadable.sha256, ErrorCode::not_found});
  drop_media(unreadable.sha256);
  pump();
}

void SyncMachine::on(const in::Tick&) {
  if (state_ == State::waiting && connect_at_ && *connect_at_ <= now_) connect_now();
  if (state_ == State::connected && hello_until_ && *hello_until_ <= now_) {
    ++hello_tries_;
    say_hello();
  }
  if (state_ == State::greeted) {
    bool silent = false;
    bool late = false;  // something that a slow link may still be carrying
    bool probe = false;
    for (auto& message : messages_) {
      if (!message.late && message.until <= now_) {
        message.late = silent = true;
        late = late || message.bytes > options_.portion_min;
      }
      probe = probe || message.late;
    }
    if (!probe) probes_.clear();
    if (probe && (probes_.empty() || probe_until_ <= now_)) {
      silent = silent || !probes_.empty();
      if (probes_.size() == kProbesKept) probes_.pop_back();
      probes_.push_back(now_);
      probe_until_ = now_ + answer_wait(silent_);
      greet();
    }
    for (auto& media : media_) {
      if ((media.flying.empty() && !media.question) || media.until > now_) continue;
      late = late || !media.flying.empty();
      // It may still be on its way: what is missing is asked behind it, and sent only then.
      ask_again(media);
      ++media.tries;
      const auto wait = doubled(Millis{1'000}, media.tries, options_.answer_wait_max);
      media.not_before = now_ + wait / 2 + jitter(wait / 2);
      silent = true;
    }
    if (late) slow_down();
    if (silent) {
      // One question now asks whether anybody is there; the rest waits for its answer.
      window_ = 1;
      ++silent_;
    }
    if (first_at_ && *first_at_ <= now_) {
      greet_due_ = true;
      ask_for_first();
    }
    pump();
  }
  const bool up = state_ == State::greeted || state_ == State::connected;
  if (up && ack_due_ && ack_at_ <= now_) {
    ack_due_ = false;
    emit(out::PublishUp{next_token_++, {}, ack_, false, generation_});
  }
}

void SyncMachine::pump() {
  if (state_ != State::greeted || now_ < hold_) return;
  if (std::exchange(greet_due_, false)) greet();
  // Whoever runs this answers a load at once; sending from a lower lane before would break the order of lanes.
  while (in_flight() < window_ && !lanes_[0].loading && !lanes_[1].loading && !loading_media_) {
    if (pump_records(lanes_[0])) continue;
    if (pump_media()) continue;
    if (pump_records(lanes_[1])) continue;
    break;
  }
}

bool SyncMachine::pump_records(LaneQueue& lane) {
  if (lane.more && lane.ready.size() < options_.message_records) {
    lane.loading = true;
    emit(out::LoadRecords{lane.lane, lane.cursor, options_.message_records, options_.message_bytes});
    return true;
  }
  if (lane.ready.empty()) return false;
  Message message;
  message.token = next_token_++;
  message.lane = lane.lane;
  message.sent = now_;
  message.until = now_ + answer_wait(silent_);
  out::PublishUp publish;
  publish.token = message.token;
  const auto most = std::min(options_.message_bytes, std::max(portion_, options_.message_least));
  while (!lane.ready.empty() && message.records.size() < options_.message_records) {
    const auto& record = lane.ready.front();
    if (!message.records.empty() && message.bytes + record.size > most) break;
    message.bytes += record.size;
    message.again = !first_sent_.try_emplace(record.seq, now_).second || message.again;
    publish.seqs.push_back(record.seq);
    message.records.push_back(record);
    lane.ready.pop_front();
  }
  if (std::exchange(ack_due_, false)) {
    publish.ack = ack_;
    publish.generation = generation_;
  }
  messages_.push_back(std::move(message));
  emit(std::move(publish));
  return true;
}

std::size_t SyncMachine::media_slots() const {
  // Two slots stay free for records, so that a sign-in does not wait for a photo's reply; and on a slow link few
  // pieces stand in the socket's queue before it.
  const std::size_t most = window_ > 3 ? window_ - 2 : 1;
  return piece_time_ > Millis{1'000} ? std::min<std::size_t>(most, 2) : most;
}

bool SyncMachine::pump_media() {
  std::size_t used = 0;
  for (const auto& media : media_) used += media.flying.size() + (media.question ? 1 : 0);
  if (used < media_slots()) {
    for (auto& media : media_) {
      if (media.question || media.not_before > now_) continue;
      if (!media.ask && media.todo.empty()) continue;
      if (media.flying.empty()) media.until = now_ + answer_wait(std::max(silent_, media.tries));
      const auto token = next_token_++;
      if (media.ask) {
        media.question = Piece{token, {}, false, now_};
        emit(out::PublishPiece{token, media.info.sha256, media.info.size, 0, 0});
        return true;
      }
      if (!media.info.started) {
        media.info.started = true;
        emit(out::MediaStarted{media.info.sha256});
      }
      auto& range = media.todo.front();
      const ByteRange piece{range.offset, std::min<std::uint64_t>(range.length, portion_)};
      range.offset += piece.length;
      range.length -= piece.length;
      if (range.length == 0) media.todo.erase(media.todo.begin());
      media.flying.push_back({token, piece, piece.offset < media.sent_to, now_});
      media.sent_to = std::max(media.sent_to, piece.offset + piece.length);
      emit(out::PublishPiece{token, media.info.sha256, media.info.size, piece.offset, piece.length});
      return true;
    }
  }
  if (media_more_ && media_.size() < options_.active_media) {
    out::LoadMedia load;
    for (const auto& media : media_) load.except.push_back(media.info.sha256);
    load.max = options_.active_media - media_.size();
    loading_media_ = true;
    emit(std::move(load));
    return true;
  }
  return false;
}

void SyncMachine::arrived(const Piece& piece) {
  grow();
  // It may be the first copy that has arrived, and not this one a moment after it was sent.
  if (piece.again) return;
  piece_time_ = now_ - piece.sent;
  quick(static_cast<std::size_t>(piece.range.length), piece_time_);
  if (piece_time_ >= options_.reply_slow) slow_down();
}

void SyncMachine::quick(std::size_t bytes, Millis time) {
  // A small message that is quick says nothing about a large one.
  if (time <= options_.reply_fast && bytes >= portion_ / 2) portion_ = std::min(options_.portion_max, portion_ * 2);
}

void SyncMachine::slow_down() { portion_ = std::max(options_.portion_min, portion_ / 2); }

std::optional<Millis> SyncMachine::next_timer() const {
  std::optional<Millis> next;
  const auto at = [&](Millis time) { next = next ? std::min(*next, time) : time; };
  if (state_ == State::waiting && connect_at_) at(*connect_at_);
  if (state_ == State::connected && hello_until_) at(*hello_until_);
  if (state_ == State::greeted) {
    for (const auto& message : messages_) at(message.late ? probe_until_ : message.until);
    for (const auto& media : media_) {
      if (!media.flying.empty() || media.question) at(media.until);
      if (media.not_before > now_) at(media.not_before);
    }
    if (hold_ > now_) at(hold_);
    if (first_at_) at(*first_at_);
  }
  if (ack_due_ && (state_ == State::connected || state_ == State::greeted)) at(ack_at_);
  return next;
}

}  // namespace gridward::device
