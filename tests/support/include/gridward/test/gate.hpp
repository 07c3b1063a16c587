// A writer that stands: what is submitted meanwhile waits, and becomes one transaction.
#pragma once

#include <future>
#include <gridward/app/store.hpp>
#include <memory>
#include <stdexcept>

namespace gridward::test {

// Holds the store's writer inside a unit from its construction until open(), or its end.
class Gate {
 public:
  explicit Gate(app::Store& store) {
    auto entered = std::make_shared<std::promise<void>>();
    auto inside = entered->get_future();
    const auto queued = store.submit({[entered, open = open_.get_future().share()](app::Tx&) -> Result<void> {
                                        entered->set_value();
                                        open.wait();
                                        return {};
                                      },
                                      {}});
    if (!queued) throw std::runtime_error("the store takes nothing: " + to_string(queued.error()));
    inside.wait();
  }
  ~Gate() { open(); }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  void open() {
    if (!opened_) open_.set_value();
    opened_ = true;
  }

 private:
  std::promise<void> open_;
  bool opened_ = false;
};

}  // namespace gridward::test
