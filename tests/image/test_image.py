"""What the images promise, seen in containers that run: `make image-test`."""

import os
import re
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urljoin

import requests
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name as canonical

import service
from loadtest import ask
from loadtest.chaos import oracle
from loadtest.chaos.checker import Checker
from loadtest.chaos.clients import Crowd
from loadtest.chaos.door import Door
from loadtest.chaos.times import Excuses, Versions
from service.versions import store as stores
from tests.image.engine import PATIENCE, ROOT, Container, Image

Seen = dict[tuple[str, str], str]

MODELS = ("qa", "similarity", "profile")
USER = 10001
LARGEST = {"slim": 350e6}
"""Bytes, base image and all."""
KILLED = 128 + 9
TICKS = os.sysconf("SC_CLK_TCK")
WARM, RATE = 200, 300.0
"""Right answers before the end comes, and requests a second all the while."""
EACH = 2
"""Questions of every model in every form."""


class TestImage:
    def test_its_size_is_within_the_target(self, image: Image, target: str, seen: Seen) -> None:
        size = image.described["Size"]
        seen["megabytes", target] = f"{size / 1e6:,.0f}"
        assert size < LARGEST.get(target, float("inf"))

    def test_its_labels_say_what_it_is(self, image: Image, revision: str) -> None:
        labels = {name.rpartition(".")[2]: text for name, text in image.described["Config"]["Labels"].items()}
        assert labels.pop("description")
        assert labels == {"title": "manifold", "version": service.VERSION, "revision": revision}

    def test_it_holds_what_the_lock_says(self, image: Image, target: str) -> None:
        lines = (ROOT / "deploy" / "requirements" / f"{target}.txt").read_text().splitlines()
        pins = [Requirement(line.rstrip("\\")) for line in lines if line[:1].isalnum()]
        here = [pin for pin in pins if not pin.marker or pin.marker.evaluate()]
        assert installed(image) == {canonical(pin.name): str(pin.specifier)[2:] for pin in here}

    def test_its_list_of_materials_is_what_it_holds(self, image: Image, target: str, seen: Seen) -> None:
        listed = image.python("print(open('/opt/manifold/sbom.cdx.json').read())")
        assert listed["bomFormat"] == "CycloneDX"
        assert listed["metadata"]["component"]["version"] == service.VERSION
        assert {canonical(one["name"]): one["version"] for one in listed["components"]} == installed(image)
        seen["packages in the SBOM", target] = str(len(listed["components"]))

    def test_nobody_but_root_may_write_in_it(self, image: Image) -> None:
        loose = image.run(
            "run", "--rm", "--entrypoint=find", image.name,
            *("/opt", "/app", "(", "-perm", "/go+w", "-o", "!", "-user", "root", ")", "!", "-type", "l"),
        )  # fmt: skip
        assert not loose

    def test_nothing_is_compiled_at_every_start(self, image: Image) -> None:
        """Of what a start imports: the server's parent, and all that a worker has before it looks at the store."""
        code = "import os, sys, service.serve, service.app, service.loading, service.server, uvloop; "
        code += "files = [(m.__file__, m.__cached__) for m in sys.modules.values() if getattr(m, '__cached__', None)]; "
        code += "print(json.dumps([file for file, kept in files if file.endswith('.py') and not os.path.exists(kept)]))"
        assert image.python(code) == []


class TestContainer:
    def test_it_is_no_root_user_and_may_not_write(self, container: Container) -> None:
        asks = "import os; print(os.stat('/proc/1').st_uid, os.access('/app', os.W_OK), os.access('/', os.W_OK))"
        assert container.run("python", "-c", asks) == f"{USER} False False"

    def test_every_model_answers_its_example(self, container: Container) -> None:
        assert ask.main(container.url) == 0

    def test_a_browser_gets_pages_with_all_they_load(self, container: Container) -> None:
        for path in (
            "/",
            "/console/live",
            *(f"/console/models/qa{page}" for page in ("", "/why", "/compare", "/report")),
        ):
            page = requests.get(container.url + path, headers={"Accept": "text/html"}, timeout=PATIENCE)
            assert page.status_code == 200, path
            parts = [urljoin(page.url, part) for part in re.findall(r'(?:href|src)="([^"]*assets/[^"]+)"', page.text)]
            assert parts
            assert {requests.get(part, timeout=PATIENCE).status_code for part in parts} == {200}

    def test_its_health_check_says_so(self, container: Container, target: str, seen: Seen) -> None:
        assert container.health("healthy") == "healthy", container.state["Health"]
        asks = "import resource as r, subprocess as s; s.run(['python', '-S', '-m', 'service.health']); "
        asks += "print(r.getrusage(r.RUSAGE_CHILDREN).ru_utime + r.getrusage(r.RUSAGE_CHILDREN).ru_stime)"
        seen["CPU ms of a health check", target] = f"{1000 * float(container.run('python', '-c', asks)):.0f}"


def test_it_is_ready_soon(image: Image, port: int, store: Path, target: str, seen: Seen) -> None:
    """How soon is told, not asserted: the machine may be busy."""
    with image.container(port, store) as made:
        seen["seconds until ready", target] = f"{made.ready():.1f}"
        told = made.run("sh", "-c", "cat /proc/[0-9]*/stat || true").splitlines()  # some may have ended
        ticks = [line.rpartition(")")[2].split()[11:15] for line in told]  # proc(5): of each, and of its children
        seen["CPU seconds until ready", target] = f"{sum(int(one) for each in ticks for one in each) / TICKS:.1f}"
        assert made.stop() == 0


def test_one_that_does_not_serve_is_unhealthy(image: Image, port: int, store: Path) -> None:
    asleep = ("--entrypoint=sleep", "--health-interval=1s", "--health-retries=1", "--health-start-period=1ms")
    with image.container(port, store, *asleep, command=["60"]) as made:
        assert made.health("unhealthy") == "unhealthy"


def test_a_sigterm_is_heard_before_python_hears_any(image: Image, port: int, store: Path) -> None:
    with image.container(port, store) as made:
        assert made.stop() != KILLED


def test_no_request_is_lost_when_it_is_stopped_under_load(
    image: Image, port: int, store: Path, tmp_path: Path, seen: Seen
) -> None:
    """Every answer until the end is the right one; afterwards there is nobody to connect to."""
    checker = Checker(Versions(), Excuses())
    for model in MODELS:
        checker.versions.allow(model, *(version.number for version in stores.versions(store / model)))
    checker.excuses.begin((429, ""))  # a busy machine may say so
    questions = oracle.ask(store, tmp_path / "questions", MODELS, seed=0, each=EACH)
    with image.container(port, store, versions=0) as made:
        made.ready()
        crowd = Crowd(Door(port), checker, questions, RATE)
        crowd.start()
        try:
            wait_for(checker, WARM)
            with checker.excuses.excused("refused"):
                status = made.stop()
                crowd.stop()
        finally:
            crowd.stop()
    checker.lost()
    counts = Counter(checker.counts)
    for what in ("right", "refused"):
        seen[f"{what}, stopped under load", image.target] = f"{counts[what]:,}"
    assert checker.violations == []
    assert status == 0
    assert counts["refused"], "it was stopped when nobody asked any more"


def wait_for(checker: Checker, answers: int) -> None:
    """Until so many were right."""
    while checker.counts["right"] < answers:
        assert not checker.violations
        time.sleep(0.05)


def installed(image: Image) -> dict[str, str]:
    """The packages that Python finds in it, by name."""
    asks = "import importlib.metadata as m; print(json.dumps([[d.name, d.version] for d in m.distributions()]))"
    return {canonical(name): version for name, version in image.python(asks)}
