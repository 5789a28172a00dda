#include "server/api/office.hpp"

#include <utility>

namespace wajah::server {

Office::Office(attendance::Database& database, attendance::Service& service, attendance::Engine& engine,
               const attendance::Secret& secret, OfficeOptions options)
    : secret_(secret),
      people_(database),
      records_(database),
      keys_(database, secret),
      audit_(database),
      webhooks_(database),
      consents_(database),
      jobs_(database),
      book_(records_, std::move(options.book)),
      backend_({service, engine, people_, book_, records_, keys_, audit_, webhooks_, consents_, jobs_, secret_},
               std::move(options.backend)),
      worker_(webhooks_, std::move(options.webhooks)) {}

}  // namespace wajah::server
