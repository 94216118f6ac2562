"""Processes by session."""

from __future__ import annotations

import os
import subprocess
import sys

from migrations_app.embedded import session
from tests.embedded.waiting import is_alive

FAMILY = """
import subprocess, time
print(subprocess.Popen(["sleep", "60"], process_group=0).pid, flush=True)
time.sleep(60)
"""


def test_an_empty_set_of_sessions_has_no_members() -> None:
    assert session.members(set()) == set()
    assert session.kill(set()) == 0


def test_members_include_a_process_group_of_its_own() -> None:
    """As the process of a job has, so that killing the worker's group would miss it."""
    with subprocess.Popen([sys.executable, "-c", FAMILY], stdout=subprocess.PIPE, start_new_session=True) as leader:
        assert leader.stdout is not None
        child = int(leader.stdout.readline())
        assert os.getpgid(child) != os.getpgid(leader.pid)
        assert {leader.pid, child} <= session.members({leader.pid})
        assert not session.wait_until_empty({leader.pid}, patience=0.1)
        assert session.kill({leader.pid}) == 2
    assert session.wait_until_empty({leader.pid}, patience=10.0)
    assert not is_alive(child)


def test_other_sessions_stay() -> None:
    assert os.getpid() in session.members({os.getsid(0)})
    assert os.getpid() not in session.members({1})
