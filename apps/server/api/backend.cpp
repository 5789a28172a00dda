#include "server/api/backend.hpp"

#include "server/api/values.hpp"
#include "server/json.hpp"

#include <utility>

namespace wajah::server {

Backend::Backend(const BackendParts& parts, BackendOptions given)
    : BackendParts(parts),
      options(std::move(given)),
      cursors(parts.secret),
      job_runner(parts.jobs, feed, parts.book.options().zone, options.now, options.warn) {}

Backend::~Backend() {
  job_runner.stop();
  feed.close();
}

void Backend::announce(std::string_view event, const boost::json::object& data,
                       std::optional<attendance::PersonId> person) {
  const auto at = options.now();
  const boost::json::object message{{"event", event}, {"at", rfc3339(at, book.options().zone)}, {"data", data}};
  const auto text = to_text(message);
  feed.publish(event, text);
  try {
    webhooks.enqueue(event, text, person, at);
  } catch (const Error& error) {
    options.warn(error.what());  // what happened is stored; a refused reply would bring it a second time
  }
}

}  // namespace wajah::server
