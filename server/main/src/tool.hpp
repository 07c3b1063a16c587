// What the commands beside `serve` work with.
#pragma once

#include <gridward/app/services.hpp>
#include <gridward/platform/config.hpp>
#include <gridward/storage/store.hpp>
#include <memory>

#include "adapters.hpp"
#include "commands.hpp"

namespace gridward::main_program {

// A command beside a running server has no pages, devices or photos of its own; what it changes is in the database.
class NoPages final : public app::LivePublisher {
  void publish(const app::LiveEvent&) override {}
};
class NoDevices final : public app::DevicePublisher {
  void send(const std::string&, const std::string&, const DownMessage&) override {}
};
class NoPhotos final : public app::PhotoStore {
  Result<void> write_piece(const Sha256&, std::string_view, std::uint64_t, std::uint64_t, ByteView, bool) override {
    return fail(ErrorCode::unavailable);
  }
  Result<void> seal(const Sha256&, std::string_view, std::uint64_t) override { return fail(ErrorCode::unavailable); }
  bool has_original(const Sha256&) override { return false; }
  std::string path(const Sha256&, app::PhotoSize) const override { return {}; }
};

struct Tool {
  platform::Config config;
  std::unique_ptr<storage::StoreWithControl> store;
  domain::Policy policy;
  std::unique_ptr<app::Clock> clock;
  PlatformCrypto crypto;
  NoPages pages;
  NoDevices devices;
  NoPhotos photos;

  app::Services services() { return {*store, *clock, crypto, pages, devices, photos, policy}; }
};

// Gives the exit status when something is wrong.
int open_tool(const Args& args, Tool& tool);

}  // namespace gridward::main_program
