"""What operators do: versions, policies, keys."""

import time

from loadtest.chaos import guests, variant
from loadtest.chaos.door import Door
from loadtest.chaos.scene import Scene
from loadtest.chaos.waiting import Stuck, until

KNOWN = 1.5
"""Seconds after which every worker has seen a change of the keys."""
WATCHED = 2.5
"""Seconds in which a change of the store or the policy is seen by every worker."""
BROKEN_VERSION = 9


def publish(scene: Scene) -> float:
    """Another version of a model: published, rolled back to the first, or wanted again."""
    return exchange(scene, scene.model())


def exchange(scene: Scene, model: str) -> float:
    """Change which of two versions answers; the second when it was changed."""
    first, second = versions = scene.both(model)
    back = second in scene.checker.versions.now(model)
    scene.checker.versions.allow(model, *versions)
    if back:
        scene.stage.operate("rollback", model)
    elif second in scene.stage.published(model):
        scene.stage.operate("policy", model, "--versions", "default")
    else:
        scene.stage.publish(model, second)
    began = time.monotonic()
    settle(scene, model, first if back else second)
    return began


def settle(scene: Scene, model: str, version: int) -> None:
    """Wait until a version answers in every worker; from then on no other may."""
    scene.probe.settled({model: version})
    scene.checker.versions.allow(model, version)


def both_served(scene: Scene) -> tuple[str, int, int]:
    """A model whose second version answers, its first one beside it."""
    model = scene.model()
    first, second = scene.both(model)
    if second not in scene.checker.versions.now(model):
        exchange(scene, model)
    return model, first, second


def canary(scene: Scene) -> float:
    """A part of the requests goes to another version for a while."""
    model, first, second = both_served(scene)
    scene.checker.versions.allow(model, first, second)
    scene.stage.operate("policy", model, "--canary", f"{second}=40")
    scene.probe.settled({model: first})
    scene.probe.settled({model: second})
    scene.stage.operate("policy", model, "--canary", "none")
    began = time.monotonic()
    time.sleep(WATCHED)
    settle(scene, model, second)
    return began


def shadow(scene: Scene) -> float:
    """A version is asked for a while as well, and nobody sees it."""
    model, first, second = both_served(scene)
    scene.checker.versions.allow(model, first, second)
    scene.stage.operate("policy", model, "--shadow", str(second))
    settle(scene, model, first)
    time.sleep(WATCHED)
    scene.checker.versions.allow(model, first, second)
    scene.stage.operate("policy", model, "--shadow", "none")
    began = time.monotonic()
    settle(scene, model, second)
    return began


def publish_broken(scene: Scene, model: str = "") -> float:
    """A version that cannot be served, or must not: it is refused with a reason, and nothing else changes."""
    model = model or scene.model()
    name = scene.rng.choice(list(variant.BROKEN))
    first, number = min(scene.both(model)), BROKEN_VERSION
    if pinned(scene, model):
        exchange(scene, model)  # else nobody wants another version, and it is not tried
    variant.BROKEN[name](scene.stage.shelf / model / str(first), scene.stage.store / model / str(number))
    until("it is refused", lambda: scene.stage.versions(model).get(number, {}).get("reason"))
    began = time.monotonic()
    scene.stage.withdraw(model, number)
    return began


def pinned(scene: Scene, model: str) -> bool:
    """Whether it was rolled back."""
    return not set(scene.stage.published(model)) <= {*scene.checker.versions.now(model), min(scene.both(model))}


def unload(scene: Scene, model: str = "") -> float:
    """A model goes and comes back, by calls."""
    model = model or scene.model()
    versions = scene.both(model)
    with scene.checker.excuses.excused(404, 503, model=model):
        told(scene, model, "unload")
        scene.probe.settled({model: 0})
        scene.checker.versions.allow(model, *versions)
        began = time.monotonic()
        told(scene, model, "load")
        settle(scene, model, max(scene.stage.published(model)))
    return began


def told(scene: Scene, model: str, what: str) -> None:
    """Have a model loaded or unloaded; Stuck if that is refused."""
    status, said = scene.stage.command(model, what)
    if status != 200:
        raise Stuck(f"{what} {model}: {status} {said}")


def rotate_keys(scene: Scene) -> float:
    """Clients get another key; then the old one is taken away, and opens nothing any more."""
    stage = scene.stage
    old = Door(stage.door.port, key=stage.door.key)
    before = stage.change_keys("list").splitlines()
    key = stage.new_key("clients", "predict")
    until("the new key is known", lambda: guests.opens(Door(stage.door.port, key=key), scene.questions))
    time.sleep(KNOWN)
    stage.door.key = key
    time.sleep(KNOWN)
    began = time.monotonic()
    digest = next(line.split()[1] for line in before if line.startswith("clients "))
    stage.change_keys("remove", "clients", "--sha256", digest)
    until("the old key is refused", lambda: not guests.opens(old, scene.questions))
    return began
