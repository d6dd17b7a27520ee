"""Settings from the environment and flags."""

import contextlib
from dataclasses import fields
from pathlib import Path

import pytest

from service import cores, serve, settings
from service.settings import BadSettings, Settings
from service.sockets import listeners

FIELDS = {spec.name: spec for spec in fields(Settings)}


def test_without_anything_the_defaults_hold():
    assert settings.read({}) == Settings()


def test_the_environment_sets_and_flags_override():
    environment = {"MANIFOLD_PORT": "9000", "MANIFOLD_TOP": "3", "PATH": "/bin"}
    read = settings.read(environment, {"port": "9001", "top": None})
    assert (read.port, read.top) == (9001, 3)


def test_a_port_that_is_left_to_the_system_is_known_once_it_listens():
    with contextlib.ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(one) for one in listeners("127.0.0.1", 0, 2)]
        ports = {one.getsockname()[1] for one in sockets}
        assert {serve.listening(Settings(port=0), sockets).port} == ports
    assert serve.listening(Settings(port=9000), []).port == 9000


def test_all_bad_values_and_unknown_names_are_reported_together():
    with pytest.raises(BadSettings) as caught:
        settings.read(
            {
                "MANIFOLD_PORT": "many",
                "MANIFOLD_ENGINE": "abacus",
                "MANIFOLD_MAX_BATCH_ROWS": "0",
                "MANIFOLD_REQUEST_TIMEOUT": "nan",
                "MANIFOLD_COLOUR": "red",
            },
            {"top": "1.5"},
        )
    assert str(caught.value).splitlines() == [
        "MANIFOLD_COLOUR is no setting",
        "MANIFOLD_ENGINE='abacus': expected one of auto, onnx, saved_model",
        "MANIFOLD_MAX_BATCH_ROWS='0': expected at least 1",
        "MANIFOLD_PORT='many': expected a whole number",
        "MANIFOLD_REQUEST_TIMEOUT='nan': expected at least 0.001",
        "MANIFOLD_TOP='1.5': expected a whole number",
    ]


@pytest.mark.parametrize("text", ["soon", "", "1,5"])
def test_a_number_that_is_none_is_told(text):
    with pytest.raises(BadSettings, match="expected a number"):
        settings.read({"MANIFOLD_REQUEST_TIMEOUT": text})


@pytest.mark.parametrize(
    ("name", "text"),
    [("request_timeout", "inf"), ("request_timeout", "1e12"), ("port", "65536"), ("port", "9" * 5000)],
)
def test_a_number_beyond_all_use_is_told(name, text):
    with pytest.raises(BadSettings, match=f"MANIFOLD_{name.upper()}"):
        settings.read({}, {name: text})


@pytest.mark.parametrize("spec", FIELDS.values(), ids=FIELDS)
class TestEverySetting:
    def test_has_one_line_of_help(self, spec):
        text = spec.metadata["help"]
        assert text.endswith(".")
        assert "\n" not in text

    def test_has_a_default_that_may_be_given(self, spec):
        assert settings.read({f"MANIFOLD_{spec.name.upper()}": str(spec.default)}) == Settings()

    def test_has_choices_or_a_least_value_if_it_needs_one(self, spec):
        assert spec.metadata["choices"] == () or spec.default in spec.metadata["choices"]
        assert (spec.metadata["least"] is None) is isinstance(spec.default, str)


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("max 100000\n", 8),
        ("-1 100000", 8),
        ("400000 100000", 4),
        ("410000 100000", 5),
        ("10000 100000", 1),
        ("6400000 100000", 8),
        ("0 100000", 1),
        ("100000 0", 8),
        ("", 8),
        ("100000", 8),
    ],
)
def test_a_containers_limit_counts_as_cores(quota, expected):
    assert cores.limited(8, quota) == expected


def test_workers_and_threads_share_the_cores():
    assert Settings().worker_count == cores.count() >= 1
    assert Settings(workers=3).worker_count == 3
    assert Settings(workers=1).engine_thread_count == cores.count()
    assert Settings(workers=10_000).engine_thread_count == 1
    assert Settings(engine_threads=7).engine_thread_count == 7


@pytest.mark.parametrize(("text", "names"), [("", []), ("qa", ["qa"]), (" a, b ,,", ["a", "b"])])
def test_models_are_named_with_commas(text, names):
    assert Settings(models=text).model_names == names


def test_the_policy_file_lies_in_the_store_unless_another_is_named():
    assert Settings(store="s").policy_file == Path("s/serving.json")
    assert Settings(store="s", policy="etc/p.json").policy_file == Path("etc/p.json")


def test_what_kubernetes_sets_beside_a_service_called_manifold_is_no_setting():
    links = {
        "MANIFOLD_PORT": "tcp://10.0.0.1:8000",
        "MANIFOLD_PORT_8000_TCP": "tcp://10.0.0.1:8000",
        "MANIFOLD_PORT_8000_TCP_ADDR": "10.0.0.1",
        "MANIFOLD_SERVICE_HOST": "10.0.0.1",
        "MANIFOLD_SERVICE_PORT_HTTP": "8000",
    }
    for service in ("GRPC", "QA_PREDICTOR"):
        links |= {name.replace("MANIFOLD_", f"MANIFOLD_{service}_"): value for name, value in links.items()}
    assert settings.read(links) == settings.Settings()


class TestAFleet:
    def test_is_named_with_commas(self):
        chosen = settings.read({"MANIFOLD_FLEET": "10.0.0.1:8500, tf-serving.models:8500,[::1]:8501"})
        assert chosen.fleet_names == ["10.0.0.1:8500", "tf-serving.models:8500", "[::1]:8501"]

    @pytest.mark.parametrize("name", ["tf-serving", "http://a:8500", "a:0", "a:b", "::1:8500", "dns:///a:8500"])
    def test_is_servers_with_their_ports(self, name):
        with pytest.raises(BadSettings, match=r"is no server such as 10.0.0.1:8500"):
            settings.read({"MANIFOLD_FLEET": name})

    @pytest.mark.parametrize(
        "more",
        [{"placement": "worker"}, {"placement": "device"}, {"engine": "onnx"}, {"devices": "cpu"}],
        ids=lambda more: next(iter(more)),
    )
    def test_computes_alone(self, more):
        with pytest.raises(BadSettings, match="MANIFOLD_FLEET computes, and nothing here"):
            settings.read({"MANIFOLD_FLEET": "a:8500"}, more)

    def test_is_not_asked_for_where_there_is_none(self):
        with pytest.raises(BadSettings, match="MANIFOLD_PLACEMENT=tf_serving needs MANIFOLD_FLEET"):
            settings.read({"MANIFOLD_PLACEMENT": "tf_serving"})
