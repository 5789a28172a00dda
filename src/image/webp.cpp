// WebP by libwebp; of an animation the first frame, laid on its canvas.
#include "codecs.hpp"

#include <wajah/error.hpp>

#include <algorithm>
#include <memory>

#include <webp/decode.h>
#include <webp/demux.h>

namespace wajah::codec {

namespace {

WebPBitstreamFeatures features_of(Bytes bytes) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data_of(bytes), bytes.size(), &features) != VP8_STATUS_OK) {
    fail(ErrorKind::input, "WebP picture is damaged or cut short: its header makes no sense");
  }
  return features;
}

int orientation_of(Bytes bytes) {
  constexpr std::size_t first_chunk = 12, chunk_head = 8;
  for (std::size_t at = first_chunk; at < bytes.size() && bytes.size() - at >= chunk_head;) {
    const std::size_t length = little_endian(bytes, at + 4, 4);
    if (length > bytes.size() - at - chunk_head) return 1;
    if (starts_with(bytes, "EXIF", at)) {
      const Bytes body = bytes.subspan(at + chunk_head, length);
      return exif_orientation(starts_with(body, {"Exif\0\0", 6}) ? body.subspan(6) : body);
    }
    at += chunk_head + length + length % 2;
  }
  return 1;
}

void decode_into(Bytes bytes, Image& image) {
  if (WebPDecodeRGBInto(data_of(bytes), bytes.size(), image.pixels.data(), image.pixels.size(), image.width * 3) ==
      nullptr) {
    fail(ErrorKind::input, "WebP picture is damaged or cut short");
  }
}

void paste(const Image& part, Image& canvas, int left, int top) {
  const int width = std::min(part.width, canvas.width - left), height = std::min(part.height, canvas.height - top);
  for (int y = 0; y < height; ++y) std::copy_n(part.row(y), width * 3, canvas.row(top + y) + left * 3);
}

void decode_first_frame(Bytes bytes, Image& canvas) {
  const WebPData data{data_of(bytes), bytes.size()};
  const std::unique_ptr<WebPDemuxer, decltype(&WebPDemuxDelete)> demuxer(WebPDemux(&data), WebPDemuxDelete);
  WebPIterator frame{};
  if (demuxer == nullptr || WebPDemuxGetFrame(demuxer.get(), 1, &frame) == 0) {
    fail(ErrorKind::input, "WebP animation is damaged or cut short");
  }
  const std::unique_ptr<WebPIterator, decltype(&WebPDemuxReleaseIterator)> release(&frame, WebPDemuxReleaseIterator);
  Image part(frame.width, frame.height);
  decode_into({reinterpret_cast<const std::byte*>(frame.fragment.bytes), frame.fragment.size}, part);
  paste(part, canvas, frame.x_offset, frame.y_offset);
}

}  // namespace

Header webp_header(Bytes bytes) {
  const WebPBitstreamFeatures features = features_of(bytes);
  return {features.width, features.height, orientation_of(bytes)};
}

Image decode_webp(Bytes bytes, const Header& header) {
  Image image(header.width, header.height);
  if (features_of(bytes).has_animation != 0) {
    decode_first_frame(bytes, image);
  } else {
    decode_into(bytes, image);
  }
  return image;
}

}  // namespace wajah::codec
