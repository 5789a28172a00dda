#include "server/api/backend.hpp"

#include "server/api/values.hpp"
#include "server/json.hpp"

#include <fmt/format.h>

#include <utility>

namespace wajah::server {

Backend::Backend(const BackendParts& parts, BackendOptions given)
    : BackendParts(parts),
      options(std::move(given)),
      cursors(parts.secret),
      files(parts.service, parts.people, options.compat, options.warn),
      job_runner(parts.jobs, feed, parts.book.options().zone, options.now, options.warn) {}

Backend::~Backend() {
  job_runner.stop();
  feed.close();
}

void Backend::stop_matching(attendance::PersonId person) {
  try {
    service.gone(person);
  } catch (const attendance::Refusal& refusal) {
    options.warn(fmt::format("person {}: {}", id_text('p', person), refusal.what()));
  }
}

std::vector<std::string> Backend::depart(const attendance::Person& person, bool erased) {
  stop_matching(person.id);
  const auto id = fmt::format("\"{}\"", id_text('p', person.id)), nik = to_text(boost::json::string(person.nik));
  replies.forget_if([&](const Reply& reply) {
    return reply.body.find(id) != std::string::npos || reply.body.find(nik) != std::string::npos;
  });
  return files.gone(person, erased);
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
