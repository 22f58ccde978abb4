"""Makes graphs with weights of eight bits, which processors with instructions for them run in about half the time."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

# Changes with every change of the graphs made here, so that graphs of earlier versions are not used.
VERSION = 1


def quantized(graph: bytes) -> bytes:
    """Returns a graph with weights of eight bits, a scale per channel; activations are scaled when it runs.

    On all-MiniLM-L6-v2, one scale per matrix took as long, and its vectors had a cosine similarity to exact ones of
    0.93 on average, at least 0.87, instead of 0.993 and 0.987.

    Args:
        graph: an ONNX file with weights of 32 bits.
    """
    import onnx  # noqa: PLC0415 - only when a graph is made
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415 - as above
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata  # noqa: PLC0415 - as above

    model = onnx.load_from_string(graph)
    add_pre_process_metadata(model)  # there is nothing to simplify before, and a warning if this is not said
    with TemporaryDirectory() as folder:
        made = Path(folder) / "model.onnx"
        quantize_dynamic(
            model,
            made,
            weight_type=QuantType.QInt8,
            per_channel=True,
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )
        return made.read_bytes()
