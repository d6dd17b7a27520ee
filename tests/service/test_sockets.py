import errno
import socket
import sys

import pytest

from service.sockets import deafen

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such filter")


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
class TestADeafListener:
    def test_those_who_have_come_are_taken_in_and_heard_and_nobody_else(
        self, family: socket.AddressFamily, host: str
    ) -> None:
        with socket.create_server((host, 0), family=family) as listener:
            place = listener.getsockname()[:2]
            with socket.create_connection(place) as early, socket.socket(family) as late:
                deafen(listener)
                late.setblocking(False)
                assert late.connect_ex(place) == errno.EINPROGRESS
                with listener.accept()[0] as accepted:
                    assert accepted.getpeername() == early.getsockname()
                    early.sendall(b"asked")
                    assert accepted.recv(5) == b"asked"
                    accepted.sendall(b"answered")
                    assert early.recv(8) == b"answered"
                listener.setblocking(False)
                with pytest.raises(BlockingIOError):
                    listener.accept()

    def test_it_is_so_for_all_who_hold_it_and_for_no_other_of_its_port(
        self, family: socket.AddressFamily, host: str
    ) -> None:
        with socket.create_server((host, 0), family=family, reuse_port=True) as listener:
            place = listener.getsockname()[:2]
            with listener.dup() as held:
                deafen(held)
            with socket.socket(family) as late:
                late.setblocking(False)
                assert late.connect_ex(place) == errno.EINPROGRESS
                listener.setblocking(False)
                with pytest.raises(BlockingIOError):
                    listener.accept()
            with socket.create_server(place, family=family, reuse_port=True) as other:
                listener.close()
                with socket.create_connection(place):
                    other.accept()[0].close()
