"""What lockstep-boot does with each answer, on every Python of this machine that it is made for."""

from __future__ import annotations

import ast
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from migrations_app.embedded.places import free_port
from tests.releases.boot.lockstep_boot import SCRIPT, TOKEN, argv, boot, environment, gate, not_yet, pythons, refused
from tests.waiting import until

ALLOW = (200, {"allow": True})
WAIT = (409, not_yet())


@pytest.mark.parametrize("python", pythons())
def test_it_waits_and_then_gives_its_place_to_the_command(python: str) -> None:
    with gate(WAIT, WAIT, ALLOW) as told:
        done = boot(told.url, "--", "sh", "-c", "echo $0 $1; exit 3", "started", "here", python=python)
    assert (done.returncode, done.stdout) == (3, "started here\n"), done.stderr
    assert done.stderr == (
        "lockstep-boot: not yet: It is run_open. (run_open) Clears: It ends.\nlockstep-boot: orders may start in prod\n"
    )
    assert told.tokens == {f"Bearer {TOKEN}"}
    (recorded,) = told.recorded
    assert (recorded["outcome"], recorded["tries"], recorded["service"]) == ("allow", 3, "orders")
    assert f"boot={recorded['boot']}" in told.asked[0] and "schema_rev=sc-1" in told.asked[0]


def test_without_a_command_it_ends_well() -> None:
    with gate(ALLOW) as told:
        assert boot(told.url).returncode == 0


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"allow": "true"}),
        (200, {"allow": 1}),
        (200, {}),
        (200, []),
        (200, "allow"),
        (200, ""),
        (201, {"allow": True}),
        (409, {"allow": True}),
        (503, {"allow": True}),
        (302, ""),
        (500, "<h1>no</h1>"),
        (503, refused("DB_POOL_EXHAUSTED", "All in use.")),
        (429, refused("TOO_MANY_REQUESTS", "Too many.")),
        (409, {"allow": False, "reasons": "none", "phase_seconds": "x", "hopeless": 1}),
    ],
)
def test_nothing_but_a_yes_is_a_yes(answer: tuple[int, object]) -> None:
    with gate(answer) as told:
        done = boot(told.url, "--deadline", "0.1", "--", "echo", "started")
    assert (done.returncode, done.stdout) == (75, "")
    assert told.asked and not any("elsewhere" in path for path in told.asked)
    assert "gave up waiting" in done.stderr


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_what_asking_again_will_not_change_ends_it(status: int) -> None:
    with gate((status, refused("CODE", "That is wrong."))) as told:
        done = boot(told.url, "--", "echo", "started")
    assert (done.returncode, done.stdout, len(told.asked)) == (78, "", 1)
    assert "not yet: That is wrong. (CODE)" in done.stderr


def test_a_page_that_is_not_lockstep_s_ends_nothing() -> None:
    """A proxy says 404 while Lockstep itself is being deployed."""
    with gate((404, "<h1>Not found</h1>"), ALLOW) as told:
        assert boot(told.url).returncode == 0


def test_where_nobody_listens_it_asks_again() -> None:
    done = boot(f"http://127.0.0.1:{free_port()}", "--deadline", "0.1")
    assert done.returncode == 75
    assert "Lockstep cannot be asked" in done.stderr


def test_what_is_hopeless_ends_it_at_once() -> None:
    with gate((409, not_yet("schema_differs", hopeless=True))) as told:
        done = boot(told.url)
    assert (done.returncode, len(told.asked)) == (78, 1)
    assert done.stderr.endswith("refused: nothing that is planned will change it\n")
    assert (told.recorded[0]["outcome"], told.recorded[0]["phase"]) == ("refused", "revisions")
    assert told.recorded[0]["reasons"] == [["schema_differs", "It is schema_differs."]]


def test_it_may_hope_for_a_plan() -> None:
    hopeless = (409, not_yet("schema_differs", hopeless=True))
    with gate(hopeless, hopeless, WAIT, ALLOW) as told:
        assert boot(told.url, "--wait-for-plan", "30").returncode == 0
    with gate(hopeless) as told:
        assert boot(told.url, "--wait-for-plan", "1").returncode == 78
        assert len(told.asked) > 1


def test_a_run_that_moves_is_progress() -> None:
    moving = [(409, not_yet(progress=f"7:{beat}")) for beat in range(8)]
    with gate(*moving, ALLOW) as told:
        assert boot(told.url, "--deadline", "2", "--every", "0.4").returncode == 0
    with gate((409, not_yet(progress="7:1"))) as told:
        assert boot(told.url, "--deadline", "2", "--every", "0.4").returncode == 75


def test_a_phase_has_a_deadline_of_its_own() -> None:
    with gate((409, not_yet("index_differs", phase="index", phase_seconds=1))) as told:
        done = boot(told.url, "--deadline", "60", "--every", "0.3")
    assert (done.returncode, told.recorded[0]["phase"]) == (75, "index")


def test_it_tells_reasons_only_when_they_change() -> None:
    other = (409, not_yet("index_differs", phase="index"))
    with gate(WAIT, WAIT, other, other, WAIT, ALLOW) as told:
        done = boot(told.url)
    lines = [line.partition("not yet: ")[2] for line in done.stderr.splitlines() if "not yet" in line]
    assert [line.split()[2] for line in lines] == ["run_open.", "index_differs.", "run_open."]


@pytest.mark.parametrize(
    ("command", "said"), [("true", "ok"), ("false", "fail"), ("/nowhere", "fail"), ("'", "fail"), (" ", "fail")]
)
def test_a_probe_is_told(command: str, said: str) -> None:
    with gate(ALLOW) as told:
        boot(told.url, "--probe", command)
    assert f"probes={said}" in told.asked[0]


def test_settings_come_from_the_environment_and_a_token_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    with gate(ALLOW) as told:
        given = {
            "LOCKSTEP_URL": f"{told.url}/",
            "LOCKSTEP_TOKEN": "",
            "LOCKSTEP_TOKEN_FILE": str(file),
            "LOCKSTEP_SERVICE": "shop",
            "LOCKSTEP_ENVIRONMENT": "dev",
            "LOCKSTEP_RELEASE_ID": "1.0/a b",
            "LOCKSTEP_NODE": "",
        }
        done = subprocess.run([sys.executable, str(SCRIPT)], env=environment(**given), timeout=30, check=False)
    assert done.returncode == 0
    assert told.tokens == {f"Bearer {TOKEN}"}
    assert told.asked[0].startswith("/api/v1/boot-gate?service=shop&environment=dev&release_id=1.0%2Fa+b&boot=")


@pytest.mark.parametrize("url", ["ftp://hidden-word", "http://[hidden-word", "http://host:hidden-word", "http://"])
def test_all_that_is_missing_is_named_at_once_and_no_value_shown(url: str) -> None:
    given = environment(LOCKSTEP_TOKEN="no token", LOCKSTEP_EVERY="hidden-word", LOCKSTEP_URL=url)
    done = subprocess.run(
        [sys.executable, str(SCRIPT)], env=given, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 64
    assert done.stderr == (
        "lockstep-boot: the token holds characters that no token has; LOCKSTEP_SERVICE is not set; "
        "LOCKSTEP_ENVIRONMENT is not set; neither LOCKSTEP_RELEASE_ID nor LOCKSTEP_SCHEMA_REV is set; "
        "LOCKSTEP_URL is no http or https address; "
        "LOCKSTEP_EVERY is no number of seconds above 0 and up to 86400\n"
    )


def test_a_token_that_is_missing_is_named_too() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT)],
        env=environment(LOCKSTEP_TOKEN=""),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "LOCKSTEP_URL is not set; LOCKSTEP_TOKEN is not set; LOCKSTEP_SERVICE is not set" in done.stderr


def test_a_command_that_cannot_be_started_is_said_and_nobody_asked(tmp_path: Path) -> None:
    plain, lost = tmp_path / "plain", tmp_path / "lost"
    plain.write_text("no program")
    lost.write_text("#!/nowhere/sh")
    lost.chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin"
    early = [
        ("/nowhere/at-all", 127, "it is not there"),
        ("db_password=hidden-word", 127, "it is not there"),
        (str(plain), 126, "it may not be executed"),
        ("plain", 126, "it may not be executed"),
        (str(tmp_path), 126, "it may not be executed"),
    ]
    with gate(ALLOW) as told:
        for command, code, why in early:
            done = boot(told.url, "--", command, PATH=path)
            said = f"lockstep-boot: the command cannot be started: {why}; Lockstep was not asked\n"
            assert (done.returncode, done.stderr) == (code, said), command
        assert not told.asked
        done = boot(told.url, "--", "lost", PATH=path)
    assert (done.returncode, len(told.asked)) == (127, 1)
    assert done.stderr.endswith("the command cannot be started: No such file or directory\n")


def test_the_command_is_told_the_id_of_its_start() -> None:
    with gate(ALLOW) as told:
        done = boot(told.url, "--", "printenv", "LOCKSTEP_BOOT", LOCKSTEP_BOOT="of another start")
    assert done.stdout == told.recorded[0]["boot"] + "\n"


def test_the_command_gets_the_signals_as_they_usually_are() -> None:
    with gate(ALLOW) as told:
        done = boot(told.url, "--", "sh", "-c", "grep SigIgn /proc/self/status")
    ignored = int(done.stdout.split()[1], 16)
    assert not ignored & (1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGTERM - 1))


def test_it_ends_at_once_when_it_is_told_to() -> None:
    with gate(WAIT) as told:
        process = subprocess.Popen(argv(told.url, "--every", "60"), env=environment(), stderr=subprocess.DEVNULL)
        until(lambda: told.asked, what="it has asked")
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 143


def test_it_is_one_file_that_python_3_8_reads_and_its_library_has() -> None:
    tree = ast.parse(SCRIPT.read_text(), feature_version=(3, 8))
    assert SCRIPT.stat().st_mode & 0o111
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    assert {alias.name.partition(".")[0] for node in imports for alias in node.names} <= sys.stdlib_module_names
    later = {"removeprefix", "removesuffix", "cache", "pairwise", "batched", "is_relative_to", "exit_on_error", "UTC"}
    assert not later & {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    # `list[str]` and `a | b` between types or dicts came later; neither is used for anything else here.
    names = [node.value for node in ast.walk(tree) if isinstance(node, ast.Subscript)]
    assert not {"list", "dict", "tuple", "set", "type"} & {node.id for node in names if isinstance(node, ast.Name)}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr)]
