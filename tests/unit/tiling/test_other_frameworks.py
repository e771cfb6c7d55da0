"""Networks of other frameworks, as functions of NumPy batches; skipped where the framework is missing."""

import numpy as np
import pytest
from tests.tiled_networks import KERNEL, smooth_image

from spatial_prediction.tiling import ReceptiveField, Strategy, measured_receptive_field, upscale_array

IMAGE = smooth_image((17, 22), channels=1)
WEIGHT = np.stack([KERNEL * scale for scale in (1, -0.5, 0.25, 2)])[:, None].astype(np.float32)


def check(network):
    """A 3x3 convolution with zero padding and a pixel shuffle by two: halo 1, factor 2."""
    whole = network(IMAGE[None])[0]
    assert whole.shape == (1, 34, 44)
    assert abs(whole).max() > 0.1
    assert measured_receptive_field(network, channels=1, factor=2) == ReceptiveField.square(1)
    tiled = upscale_array(IMAGE, network, strategy=Strategy.exact(1), tile=6, factor=2)
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


def test_pytorch():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    convolution = torch.nn.Conv2d(1, 4, 3, padding=1, bias=False)
    with torch.no_grad():
        convolution.weight.copy_(torch.from_numpy(WEIGHT))
    model = torch.nn.Sequential(convolution, torch.nn.PixelShuffle(2))

    def network(batch):
        with torch.no_grad():
            return model(torch.from_numpy(batch)).numpy(force=True)

    check(network)


def test_onnx():
    onnx = pytest.importorskip("onnx", reason="ONNX is not installed")
    onnxruntime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "weight"], ["phases"], pads=[1, 1, 1, 1]),
            helper.make_node("DepthToSpace", ["phases"], ["y"], blocksize=2, mode="CRD"),
        ],
        "shuffle",
        [helper.make_tensor_value_info("x", kind, ["n", 1, "h", "w"])],
        [helper.make_tensor_value_info("y", kind, ["n", 1, "a", "b"])],
        [onnx.numpy_helper.from_array(WEIGHT, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    check(lambda batch: session.run(None, {"x": batch})[0])
