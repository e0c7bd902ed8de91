"""TensorFlow Serving's configuration, and the requests to it of docs/serve_elsewhere.md.

Its binary is not run. Requests go to a stand-in that speaks its protocol, and answers through
TensorFlow's session loader, as it does.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from pipeline_config import PipelineConfig
from tests.standins.loopback import Handler, LoopbackServer

grpc = pytest.importorskip("grpc")
yaml = pytest.importorskip("yaml")
pytest.importorskip("tensorflow_serving.apis")

from google.protobuf import text_format  # noqa: E402
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc  # noqa: E402
from tensorflow_serving.config import model_server_config_pb2  # noqa: E402

PIPELINE = PipelineConfig(data="")


@pytest.fixture(scope="module")
def deploy(toy) -> Path:
    return toy.root / "deploy" / "tf_serving"


@pytest.fixture(scope="module")
def service(deploy: Path) -> dict:
    return yaml.safe_load((deploy / "compose.yaml").read_text())["services"][PIPELINE.name]


def served(text: str) -> model_server_config_pb2.ModelConfig:
    (model,) = text_format.Parse(
        text, model_server_config_pb2.ModelServerConfig()
    ).model_config_list.config
    return model


def test_the_folder_that_the_pipeline_pushes_to_is_mounted_and_served(
    deploy: Path, service: dict, toy
) -> None:
    model = served((deploy / "models.config").read_text())
    (mount,) = service["volumes"]
    source, target, mode = re.fullmatch(r"\$\{\w+:-(.+?)\}:(.+?):(\w+)", mount).groups()
    pushed = (toy.root / PIPELINE.output / "serving").resolve()
    assert (deploy / source).resolve() == pushed
    assert (model.base_path, mode) == (f"{target}/{PIPELINE.name}", "ro")
    assert model.name == PIPELINE.name
    assert model.model_version_policy.latest.num_versions == 2


def test_ports_and_paths_of_image_and_compose_file_agree(deploy: Path, service: dict) -> None:
    image = (deploy / "Dockerfile").read_text()
    arguments = dict(re.findall(r'"--(\w+)=([^"]+)"', image))
    inside = {port.split(":")[2] for port in service["ports"]}
    assert inside == {arguments["port"], arguments["rest_api_port"]}
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert set(re.search(r"^EXPOSE (.*)$", image, re.MULTILINE).group(1).split()) == inside
    copied = re.search(r"^COPY (\S+) (\S+)$", image, re.MULTILINE)
    assert (deploy / copied.group(1)).is_file()
    assert copied.group(2) == arguments["model_config_file"]
    assert re.search(r"^FROM tensorflow/serving:\d+\.\d+\.\d+$", image, re.MULTILINE)
    user = re.search(r"^USER (\d+)", image, re.MULTILINE)
    assert int(user.group(1)) > 0
    probe = " ".join(service["healthcheck"]["test"])
    assert f"/127.0.0.1/{arguments['rest_api_port']}" in probe
    assert f"/v1/models/{PIPELINE.name} " in probe


def test_the_documented_labels_name_versions_that_are_loaded(documented) -> None:
    model = served(documented("version_labels"))
    assert model.name == PIPELINE.name
    loaded = set(model.model_version_policy.specific.versions)
    assert set(model.version_labels) == {"stable", "canary"}
    assert set(model.version_labels.values()) <= loaded


def session_run(model: Path, name: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Runs a signature as model servers do; inputs must be those of the signature."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta = tf.compat.v1.saved_model.load(session, ["serve"], str(model))
        signature = meta.signature_def[name]
        assert set(inputs) == set(signature.inputs)
        feed = {signature.inputs[key].name: value for key, value in inputs.items()}
        return session.run({k: v.name for k, v in signature.outputs.items()}, feed)


@pytest.fixture
def port(models) -> Iterator[int]:
    """A stand-in for TensorFlow Serving's gRPC port."""

    class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, request, context):
            assert request.model_spec.name == PIPELINE.name
            name = request.model_spec.signature_name or "serving_default"
            inputs = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
            answer = predict_pb2.PredictResponse()
            for key, value in session_run(models[0], name, inputs).items():
                answer.outputs[key].CopyFrom(tf.make_tensor_proto(value))
            return answer

    server = grpc.server(futures.ThreadPoolExecutor(1))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None)


def test_the_documented_grpc_request(port: int, documented, record_file, answers, same) -> None:
    names = {
        "records/fold_0/test/0.record": str(record_file),
        "127.0.0.1:8500": f"127.0.0.1:{port}",
    }
    made: dict = {}
    exec(documented("predict_pb2", **names), made)
    answer = made["answer"]
    got = {name: tf.make_ndarray(value) for name, value in answer.outputs.items()}
    same(got, answers[0])
    assert made["mean"] == pytest.approx(got["mean"])


def test_the_documented_json_of_records(documented, record_file, models, answers, same) -> None:
    names = {"records/fold_0/test/0.record": str(record_file)}
    made: dict = {}
    exec(documented("b64encode", **names), made)
    body = json.loads(made["body"])
    # One input: each instance is its value, and {"b64": ...} stands for bytes.
    assert set(body) == {"instances"}
    examples = [base64.b64decode(instance["b64"], validate=True) for instance in body["instances"]]
    same(
        session_run(models[0], "serving_default", {"examples": np.array(examples, object)}),
        answers[0],
    )


@pytest.fixture
def rest_port(models) -> Iterator[int]:
    """A stand-in for its REST port: columns ("inputs") of a signature."""

    class Rest(Handler):
        def do_POST(self) -> None:
            assert self.path == f"/v1/models/{PIPELINE.name}:predict"
            body = json.loads(self.body())
            name = body["signature_name"]
            specs = tf.saved_model.load(str(models[0])).signatures[name]
            inputs = {
                key: np.array(value, specs.structured_input_signature[1][key].dtype.as_numpy_dtype)
                for key, value in body["inputs"].items()
            }
            outputs = session_run(models[0], name, inputs)
            self.answer(200, {"outputs": {k: v.tolist() for k, v in outputs.items()}})

    with LoopbackServer(Rest) as server:
        yield server.port


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_the_documented_json_of_tensors(documented, rest_port: int) -> None:
    command = documented("signature_name", **{"127.0.0.1:8501": f"127.0.0.1:{rest_port}"})
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    outputs = json.loads(done.stdout)["outputs"]
    assert outputs["num_observations"] == [5]
    assert outputs["status"] == [0]
