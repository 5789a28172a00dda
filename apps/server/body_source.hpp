// BodySource: an answer's body that comes piece by piece, because it is large or goes on until one side has had enough.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace wajah::server {

class BodySource {
 public:
  struct Piece {
    std::string bytes;  // may be empty: nothing to send now
    bool last = false;
  };

  virtual ~BodySource() = default;

  // What there is to send now. Called on a network thread, which it must not block.
  virtual Piece next() = 0;

  // Keeps `wake` and calls it, from any thread, whenever next() has news after it had nothing. Called once, before
  // the first next().
  virtual void on_news(std::function<void()> wake) = 0;

  // What to send when nothing has come for a while, so that a peer that has gone is noticed; nothing: the body never
  // pauses.
  [[nodiscard]] virtual std::string_view heartbeat() const { return {}; }
};

}  // namespace wajah::server
