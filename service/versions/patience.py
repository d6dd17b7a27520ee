"""A load that never returns: left alone on a thread of its own, for nothing can stop it, and its version refused."""

import threading
from collections.abc import Callable

from service.batching.future import Future
from service.errors import ServiceError
from service.handle import ModelHandle
from service.versions.store import Version, fingerprint


class HungLoading(ServiceError):
    """The version does not come to an end of loading."""


class Patience:
    """Called as `load` is; raises HungLoading after so many seconds, and what `load` raises.

    A version whose files are as they were is not begun again while it hangs; what loads too late is let go.
    """

    def __init__(self, load: Callable[[Version], ModelHandle], seconds: float) -> None:
        self._load = load
        self._seconds = seconds
        self._hung: dict[tuple[Version, str], threading.Thread] = {}

    def __call__(self, version: Version) -> ModelHandle:
        key = version, fingerprint(version.folder)
        if key in self._hung and self._hung[key].is_alive():
            raise HungLoading(f"its last try still hangs, after more than {self._seconds:g} s")
        done: Future[ModelHandle] = Future()
        thread = threading.Thread(target=self._run, args=[version, done], name="trial", daemon=True)
        thread.start()
        thread.join(self._seconds)
        if done.cancel():
            self._hung[key] = thread
            raise HungLoading(f"it has not loaded within {self._seconds:g} s (MANIFOLD_LOAD_TIMEOUT)")
        return done.result()

    def _run(self, version: Version, done: "Future[ModelHandle]") -> None:
        try:
            handle = self._load(version)
        except BaseException as error:
            if done.set_running_or_notify_cancel():
                done.set_exception(error)
        else:
            if done.set_running_or_notify_cancel():
                done.set_result(handle)
            else:
                handle.close()
