// Fault: what is wrong with a request's bytes. Readers of hostile input return it instead of throwing, because a bad
// request is an ordinary event here and must stay as cheap as a good one.
#pragma once

#include <string>

namespace wajah::server {

enum class FaultKind {
  framing,         // where one request ends and the next begins is in doubt: the connection closes
  head_too_large,  // header over its limits
  version,         // an HTTP version other than 1.0 and 1.1
  expectation,     // an Expect other than 100-continue
  body,            // the form in the body is broken
  too_many_files,  // more files than the field takes
  too_large,       // the body is over the route's limit
};

// `cause` is for the X-Wajah-Error header and the log: a sentence of ours, without bytes of the request.
struct Fault {
  FaultKind kind = FaultKind::framing;
  std::string cause;
};

}  // namespace wajah::server
