// For component tests of the handheld; needs Paho C++, libsodium and OpenSSL's libcrypto.
// The server's side of the protocol in one small object: keeps records by id, answers with receipts, puts photos
// together, numbers down items. It can be told to drop, to be busy and to refuse.
#pragma once

#include <mqtt/async_client.h>
#include <openssl/evp.h>
#include <sodium.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <gridward/shared/message.hpp>
#include <gridward/shared/topics.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace gridward::test {

inline Sha256 sha256(ByteView data) {
  Sha256 digest{};
  EVP_Digest(data.data(), data.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  return digest;
}

// Said by a test's thread at any time, asked by Paho's.
template <class T>
class Setting {
 public:
  Setting& operator=(T value) {
    const std::lock_guard lock(mutex_);
    value_ = std::move(value);
    return *this;
  }
  T get() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  T value_{};
};

class TestServer {
 public:
  struct Photo {
    std::uint64_t size = 0;
    Bytes data;
    std::vector<ByteRange> have;
    bool complete = false;
    std::uint64_t received = 0;  // bytes, with those that came twice
  };

  TestServer(const std::string& uri, const std::string& ca_file, const std::string& town, const std::string& user = {},
             const std::string& password = {})
      : town_(town), client_(uri, "test-server", mqtt::create_options(MQTTVERSION_5), nullptr) {
    client_.set_message_callback([this](const mqtt::const_message_ptr& message) {
      if (message) on_message(*message);
    });
    mqtt::connect_options options;
    options.set_mqtt_version(MQTTVERSION_5);
    options.set_clean_start(true);
    options.set_automatic_reconnect(1, 1);
    if (!user.empty()) options.set_user_name(user);
    if (!password.empty()) options.set_password(mqtt::binary_ref(password));
    if (!ca_file.empty()) {
      mqtt::ssl_options tls;
      tls.set_trust_store(ca_file);
      options.set_ssl(tls);
    }
    client_.set_connected_handler([this](const std::string&) {
      client_.subscribe("gridward/1/up/" + town_ + "/+", 1);
      client_.subscribe("gridward/1/media/" + town_ + "/+", 1);
      subscribed_ = true;
    });
    client_.connect(options)->wait();
    while (!subscribed_) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ~TestServer() {
    try {
      client_.set_message_callback(nullptr);
      client_.disconnect(100)->wait_for(std::chrono::milliseconds(500));
    } catch (const mqtt::exception&) {
    }
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  // Decide about a whole up message before it is read: true drops it (a full server), with or without `busy`.
  Setting<std::function<bool(const UpMessage&)>> drop_up;
  Setting<std::function<bool(const MediaPiece&)>> drop_piece;
  Setting<std::optional<Millis>> busy;                                     // what a dropped message is answered with
  Setting<std::function<std::optional<BadRecord>(const Record&)>> refuse;  // nothing: taken
  Setting<std::optional<PublicKey>> key;                                   // checks signatures when set
  Setting<bool> items_backwards;                                           // after a hello

  std::vector<Record> records() const {
    const std::lock_guard lock(mutex_);
    std::vector<Record> all;
    for (const auto& [id, record] : records_) all.push_back(record);
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.seq < b.seq; });
    return all;
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return records_.size();
  }
  std::optional<Photo> photo(const Sha256& sha) const {
    const std::lock_guard lock(mutex_);
    const auto found = photos_.find(sha);
    return found == photos_.end() ? std::nullopt : std::optional(found->second);
  }
  std::size_t complete_photos() const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::count_if(photos_.begin(), photos_.end(), [](const auto& entry) { return entry.second.complete; }));
  }
  std::uint64_t acknowledged() const {
    const std::lock_guard lock(mutex_);
    return ack_;
  }
  int hellos() const { return hellos_; }
  int messages() const { return messages_; }
  int bad_signatures() const { return bad_signatures_; }
  int conflicts() const { return conflicts_; }
  void set_safe(std::uint64_t safe) { safe_ = safe; }
  // What restore() comes back to.
  void back_up() {
    const std::lock_guard lock(mutex_);
    backup_ = {records_, hashes_, photos_};
  }
  // The store as the backup has it, under a new generation.
  void restore() {
    const std::lock_guard lock(mutex_);
    records_ = backup_.records;
    hashes_ = backup_.hashes;
    photos_ = backup_.photos;
    generation_ = make_uuid_v7(UnixMs{Millis{++generations_}}, {});
  }

  // Kept and sent again after each hello until acknowledged.
  void send_item(const std::string& device, const std::string& kind, const std::string& body, bool now = true) {
    DownItem item;
    {
      const std::lock_guard lock(mutex_);
      item = {next_n_++, kind, body};
      items_.push_back(item);
      item.first = items_.front().n;
    }
    if (now) send(device, item);
  }
  void start_numbers_at(std::uint64_t n) { next_n_ = n; }

 private:
  void send(const std::string& device, const DownMessage& message) {
    const auto bytes = encode_down(message);
    try {
      client_.publish(to_string(Topic{TopicKind::down, town_, device}), bytes.data(), bytes.size(), 1, false);
    } catch (const mqtt::exception&) {
      // The broker is away; the device asks again.
    }
  }

  void on_message(const mqtt::message& message) {
    const auto topic = topic_from_string(message.get_topic());
    if (!topic) return;
    const auto& payload = message.get_payload_ref();
    const ByteView bytes(reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size());
    if (topic->kind == TopicKind::up) {
      if (const auto up = decode_up(bytes)) on_up(topic->device, *up);
    } else {
      if (const auto piece = decode_media_piece(bytes)) on_piece(topic->device, *piece);
    }
  }

  void say_busy(const std::string& device) {
    if (const auto again = busy.get()) send(device, Busy{*again});
  }

  void on_up(const std::string& device, const UpMessage& up) {
    ++messages_;
    if (const auto drop = drop_up.get(); drop && drop(up)) return say_busy(device);
    Receipt receipt;
    receipt.epoch = up.epoch;
    receipt.safe = safe_;
    receipt.now = std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
    std::vector<DownItem> again;
    {
      const std::lock_guard lock(mutex_);
      receipt.generation = generation_;
      std::vector<Sha256> hashes;
      for (const auto& bytes : up.records) {
        hashes.push_back(sha256(bytes));
        const auto record = decode_record(bytes);
        if (!record) {
          receipt.bad.push_back(
              {peek_record_id(bytes).value_or(Uuid{}), record.error().code, to_string(record.error())});
          continue;
        }
        if (const auto decide = refuse.get()) {
          if (auto bad = decide(*record)) {
            receipt.bad.push_back(*bad);
            continue;
          }
        }
        const auto known = hashes_.find(record->id);
        if (known != hashes_.end() && known->second != hashes.back()) ++conflicts_;
        hashes_[record->id] = hashes.back();
        records_[record->id] = *record;
        receipt.ok.push_back(record->id);
      }
      if (const auto by = key.get(); by && !up.records.empty()) {
        const auto input = signing_input(up.epoch, hashes);
        if (!up.signature ||
            crypto_sign_verify_detached(up.signature->data(), input.data(), input.size(), by->data()) != 0) {
          ++bad_signatures_;
        }
      }
      if (up.ack && up.generation == generation_) {
        ack_ = std::max(ack_, *up.ack);
        std::erase_if(items_, [&](const DownItem& item) { return item.n <= ack_; });
      }
      if (up.hello) {
        ++hellos_;
        again = items_;
        const auto first = items_.empty() ? next_n_ : items_.front().n;
        if (!up.generation || up.generation == generation_) receipt.first = first;
        for (auto& item : again) item.first = first;
        if (items_backwards.get()) std::reverse(again.begin(), again.end());
      }
    }
    if (up.hello || !up.records.empty()) send(device, receipt);
    for (const auto& item : again) send(device, item);
  }

  void on_piece(const std::string& device, const MediaPiece& piece) {
    if (const auto drop = drop_piece.get(); drop && drop(piece)) return say_busy(device);
    MediaState state;
    state.sha256 = piece.sha256;
    {
      const std::lock_guard lock(mutex_);
      auto& photo = photos_[piece.sha256];
      photo.size = piece.size;
      photo.data.resize(static_cast<std::size_t>(piece.size));
      photo.received += piece.data.size();
      std::copy(piece.data.begin(), piece.data.end(), photo.data.begin() + static_cast<std::ptrdiff_t>(piece.offset));
      if (!piece.data.empty()) photo.have.push_back({piece.offset, piece.data.size()});
      std::sort(photo.have.begin(), photo.have.end());
      std::uint64_t at = 0;
      for (const auto& range : photo.have) {
        if (range.offset > at && state.missing.size() < kMissingRanges) {
          state.missing.push_back({at, range.offset - at});
        }
        at = std::max(at, range.offset + range.length);
      }
      if (at < photo.size) state.missing.push_back({at, photo.size - at});
      if (state.missing.empty()) {
        photo.complete = sha256(photo.data) == piece.sha256;
        state.complete = photo.complete;
        if (!photo.complete) state.refused = ErrorCode::media_hash_mismatch;
      }
    }
    send(device, state);
  }

  std::string town_;
  mutable std::mutex mutex_;
  std::map<Uuid, Record> records_;
  std::map<Uuid, Sha256> hashes_;
  std::map<Sha256, Photo> photos_;
  std::vector<DownItem> items_;
  std::uint64_t next_n_ = 1;
  std::uint64_t ack_ = 0;
  std::atomic<std::uint64_t> safe_ = 0;
  struct Backup {
    std::map<Uuid, Record> records;
    std::map<Uuid, Sha256> hashes;
    std::map<Sha256, Photo> photos;
  };
  Backup backup_;
  std::int64_t generations_ = 1;
  Uuid generation_ = make_uuid_v7(UnixMs{Millis{1}}, {});
  std::atomic<int> hellos_ = 0;
  std::atomic<int> messages_ = 0;
  std::atomic<int> bad_signatures_ = 0;
  std::atomic<int> conflicts_ = 0;
  std::atomic<bool> subscribed_ = false;
  mqtt::async_client client_;
};

}  // namespace gridward::test
