"""An fp32 ONNX model as int8 by onnxruntime's static quantisation: QDQ, per-channel weights, as its users would make it.
OpenVINO runs the same file. Calibrated on random input, since only the time is compared here."""

import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process


class RandomInput(CalibrationDataReader):
    def __init__(self, name, shape, count=4):
        generator = np.random.default_rng(5)
        self.left = iter([{name: generator.standard_normal((1, *shape), dtype=np.float32)} for _ in range(count)])

    def get_next(self):
        return next(self.left, None)


def write(model, out, shape):
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
        name = onnx.load(str(prepared), load_external_data=False).graph.input[0].name
        quantize_static(str(prepared), str(out), RandomInput(name, shape), quant_format=QuantFormat.QDQ, per_channel=True,
                        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
    return out
