// What a user includes: pictures in, faces, embeddings and people out, and the parts networks are built from.
#pragma once

#include <wajah/classifier.hpp>
#include <wajah/convert/open.hpp>
#include <wajah/describe.hpp>
#include <wajah/image_io.hpp>
#include <wajah/model.hpp>
#include <wajah/recognizer.hpp>
