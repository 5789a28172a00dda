// Compat: habits of the original service that stay switchable, for those whose programs rely on them.
#pragma once

namespace wajah::server {

struct Compat {
  bool tree = false;            // keep train_img/<nik>/<nama>/<nama> (i).jpg and aligned_img/...png in the data folder
  bool redirect_slash = false;  // POST /recognize answers 307 to /recognize/ instead of answering
  bool disclose_other = true;   // a wrong claim's result still names the person who was recognised
  bool errors_500 = false;      // a picture that cannot be decoded is a 500 on /recognize/
  bool ignore_exif = false;     // pictures are taken as they lie, whatever their orientation tag says
  bool closed_set = false;      // /recognize/ names the likeliest enrolled person, however unlike; the 0.7 still holds
};

}  // namespace wajah::server
