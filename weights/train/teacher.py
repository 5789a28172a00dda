"""MobileFaceNet as the teacher, in batches, through ONNX Runtime."""

import numpy as np
import onnx
import onnxruntime

MEAN, STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])


def _batched(path):
    # The published file is fixed to one image; its only reshape flattens (1,128,1,1).
    model = onnx.load(path)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "n"
    for node in model.graph.node:
        if node.op_type == "Reshape":
            flat = onnx.numpy_helper.from_array(np.array([-1, 128]), node.input[1] + "_batched")
            model.graph.initializer.append(flat)
            node.input[1] = flat.name
    return model.SerializeToString()


class Teacher:
    """Embeds 112x112 RGB crops: (n,112,112,3) 0..255 -> (n,128) of L2 norm 1."""

    def __init__(self, path, threads=2):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = threads, 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(_batched(path), options, providers=["CPUExecutionProvider"])

    def __call__(self, crops):
        x = ((np.asarray(crops, np.float32) / 255 - MEAN) / STD).transpose(0, 3, 1, 2)
        out = self.session.run(None, {"input0": np.ascontiguousarray(x)})[0]
        return out / np.linalg.norm(out, axis=1, keepdims=True)

    def both_views(self, crops):
        """Photo and mirrored photo summed, norm 1."""
        total = self(crops) + self(np.asarray(crops)[:, :, ::-1])
        return total / np.linalg.norm(total, axis=1, keepdims=True)
