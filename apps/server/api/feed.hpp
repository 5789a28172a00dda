// Feed: what happens, as it happens, to whoever listens: server-sent events of /api/v1/events and of jobs.
#pragma once

#include "server/body_source.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace wajah::server {

class Feed {
 public:
  // What a listener does with an event; `data` is the event's JSON text.
  enum class Wish { skip, take, take_and_end };
  using Taste = std::function<Wish(std::string_view event, std::string_view data)>;

  // A listener's queue: it holds so many events, and one that is not read ends the answer rather than growing.
  static constexpr std::size_t most_waiting = 256;

  ~Feed() { close(); }

  void publish(std::string_view event, std::string_view data);

  // An answer's body that goes on until the peer has gone, the taste has ended it or the feed is closed. The taste is
  // asked on whatever thread publishes and must be quick.
  [[nodiscard]] std::shared_ptr<BodySource> listen(Taste taste);

  // Ends every listener's body.
  void close();

  [[nodiscard]] std::size_t listeners() const;

 private:
  class Listener;
  // Shared with the listeners, which may outlive the feed.
  struct Shared {
    std::mutex mutex;
    std::map<const Listener*, Listener*> listeners;
    std::uint64_t events = 0;
    bool closed = false;
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

// "event: NAME\ndata: TEXT\n\n"; the text has no line break.
[[nodiscard]] std::string sse_event(std::string_view event, std::string_view data, std::uint64_t id = 0);

}  // namespace wajah::server
