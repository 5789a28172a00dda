// The numbers of cuDNN's binary interface that wajah uses; they have not changed since its version 8. A test compares
// them with cuDNN's headers where a machine has those.
#pragma once

#include <cstdint>

namespace wajah::cudnn {

enum Status : int { success = 0, bad_param = 2000, not_supported = 3000 };

enum Kind : int {
  pointwise = 0,
  convolution = 1,
  engine = 2,
  engine_config = 3,
  heuristics = 4,
  execution_plan = 5,
  convolution_forward = 10,
  pointwise_operation = 13,
  operation_graph = 15,
  variant_pack = 16,
  tensor = 17
};

enum Type : int {
  handle_type = 0,
  data_type = 1,
  boolean_type = 2,
  int64_type = 3,
  float_type = 4,
  double_type = 5,
  pointer_type = 6,
  convolution_mode_type = 7,
  heuristics_mode_type = 8,
  note_type = 11,
  pointwise_mode_type = 14,
  descriptor_type = 15
};

enum Name : int {
  pointwise_mode = 0,
  pointwise_precision = 1,
  pointwise_upper_clip = 4,
  convolution_precision = 100,
  convolution_mode = 101,
  convolution_dilations = 102,
  convolution_strides = 103,
  convolution_post_paddings = 104,
  convolution_pre_paddings = 105,
  convolution_dimensions = 106,
  heuristics_mode = 200,
  heuristics_graph = 201,
  heuristics_results = 202,
  config_engine = 300,
  plan_handle = 400,
  plan_config = 401,
  plan_workspace = 402,
  forward_alpha = 700,
  forward_beta = 701,
  forward_convolution = 702,
  forward_w = 703,
  forward_x = 704,
  forward_y = 705,
  operation_pointwise = 750,
  operation_x = 751,
  operation_b = 752,
  operation_y = 753,
  operation_alpha1 = 754,
  operation_alpha2 = 755,
  graph_handle = 800,
  graph_operations = 801,
  tensor_alignment = 900,
  tensor_type = 901,
  tensor_dimensions = 902,
  tensor_strides = 903,
  tensor_id = 906,
  tensor_virtual = 907,
  pack_ids = 1000,
  pack_pointers = 1001,
  pack_workspace = 1003,
  engine_notes = 1303
};

enum DataType : int { float32 = 0, half = 2, bfloat = 9 };
enum ConvolutionMode : int { cross_correlation = 1 };
enum PointwiseMode : int { add = 0, relu = 100 };
enum HeuristicsMode : int { fallback_engines = 2, decision_tree = 3 };
enum Note : int {
  on_tensor_cores = 0,
  fewer_bits_of_inputs = 1,
  fewer_bits_of_sums = 2,
  not_deterministic = 4,
  note_count = 10
};

}  // namespace wajah::cudnn
