// The schema of a route's body, as the route's fields or its JSON schema say. Requests are checked against it and the
// OpenAPI description shows it.
#pragma once

#include "server/route.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace wajah::server {

// Whether the route takes its values as JSON too: zips are not sent in base64.
[[nodiscard]] bool takes_json(const Route& route);

// The most bytes of JSON that the route takes: what becomes values in memory is bounded tighter than files are.
[[nodiscard]] std::size_t json_limit(const Route& route);

enum class BodyForm { form, json };

// Of the fields: files are binary in a form and base64 in JSON.
[[nodiscard]] boost::json::object fields_schema(const Route& route, BodyForm form);

// Of the texts among the fields, or of the JSON body: what a handler finds in request.body.
[[nodiscard]] boost::json::value values_schema(const Route& route);

// Fields that are files; the one file that a route needs, which a body may be alone, and the type of such a body
// ("image/*": any that begins so).
[[nodiscard]] bool takes_files(const Route& route);
[[nodiscard]] const Field* file_alone(const Route& route);
[[nodiscard]] std::string_view type_alone(const Field& field);

}  // namespace wajah::server
