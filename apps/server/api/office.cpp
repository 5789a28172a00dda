#include "server/api/office.hpp"

#include "server/api/values.hpp"

#include <utility>

namespace wajah::server {

Office::Office(attendance::Database& database, attendance::Store& store, attendance::Service& service,
               attendance::Engine& engine, const attendance::Secret& secret, OfficeOptions options)
    : secret_(secret),
      people_(database),
      records_(database),
      keys_(database, secret),
      audit_(database),
      webhooks_(database),
      consents_(database),
      jobs_(database),
      book_(records_, std::move(options.book)),
      backend_({database, store, service, engine, people_, book_, records_, keys_, audit_, webhooks_, consents_, jobs_,
                secret_},
               std::move(options.backend)),
      worker_(webhooks_, std::move(options.webhooks)),
      retention_(retention(options.retention.rules), options.retention) {}

attendance::Retention Office::retention(const attendance::RetentionRules& rules) {
  return {{backend_.store, people_, records_, jobs_, webhooks_, audit_},
          rules,
          backend_.service.options().log_folder,
          attendance::Zone(book_.options().zone),
          [this](const attendance::Person& person) {
            backend_.announce("person.removed", {{"id", id_text('p', person.id)}});
            (void)backend_.depart(person, false);
          }};
}

}  // namespace wajah::server
