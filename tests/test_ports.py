from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from tests.ports import find_free_ports

ROOT = Path(__file__).parent.parent
OTHER_PROCESS = "import sys; from tests.ports import find_free_ports; print(*find_free_ports(2), flush=True); sys.stdin.read()"


def test_a_port_on_which_somebody_listens_is_not_given() -> None:
    (taken,) = find_free_ports(1)
    with socket.create_server(("127.0.0.1", taken)):
        first, second = find_free_ports(2)

    assert second == first + 1 and taken not in (first, second)
    assert find_free_ports(1) == [taken]


def test_two_processes_get_different_ports_though_nobody_listens_there_yet() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as other:
        assert other.stdin and other.stdout
        given = [int(port) for port in other.stdout.readline().split()]
        ours = find_free_ports(2)
        other.stdin.close()

    assert len(given) == 2 and not set(given) & set(ours)
