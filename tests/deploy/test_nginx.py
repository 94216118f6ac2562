"""The example for nginx: it says what settings, gunicorn and the units go by, and nginx itself takes it."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

from dashboard.api import body
from migrations_app.releases.gates import evidence

DEPLOY = Path(__file__).parents[2] / "deploy"
EXAMPLE = (DEPLOY / "nginx.conf.example").read_text()
UNITS_ENV = (DEPLOY / "systemd" / "lockstep.env.example").read_text()
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")


def said(name: str) -> str:
    found = re.findall(rf"^\s*{name} (.*);$", EXAMPLE, re.MULTILINE)
    assert len(found) == 1, (name, found)
    return str(found[0])


def test_it_waits_longer_than_gunicorn() -> None:
    gunicorn = runpy.run_path(str(DEPLOY / "gunicorn.conf.py"))
    for name in ("proxy_read_timeout", "proxy_send_timeout"):
        assert int(said(name).removesuffix("s")) > gunicorn["timeout"]
    assert int(said("large_client_header_buffers").split()[1].removesuffix("k")) * 1024 > gunicorn["limit_request_line"]


def test_it_leads_to_the_address_and_answers_for_the_name_of_the_units() -> None:
    environ = dict(re.findall(r"^([A-Z_]+)=(.+)$", UNITS_ENV, re.MULTILINE))
    assert said("server") == environ["GUNICORN_BIND"]
    assert set(re.findall(r"server_name (.*);", EXAMPLE)) <= set(environ["LOCKSTEP_ALLOWED_HOSTS"].split(","))
    assert environ["LOCKSTEP_TLS"] == "1"


def test_lockstep_itself_refuses_what_it_finds_too_large() -> None:
    most = int(said("client_max_body_size").removesuffix("m")) << 20
    assert max(body.MOST_BYTES, evidence.MOST_BYTES) < most


def test_no_header_about_the_client_is_passed_on_as_it_came() -> None:
    """The one that settings believe, and the three by which health knows that somebody stands in between."""
    sets = dict(re.findall(r'proxy_set_header (\S+) "?([^";]*)"?;', EXAMPLE))
    assert sets == {
        "Host": "$http_host",
        "X-Forwarded-Proto": "$scheme",
        "X-Forwarded-For": "$remote_addr",
        "Forwarded": "",
        "X-Real-IP": "",
    }


@pytest.mark.skipif(NGINX is None, reason="there is no nginx")
def test_nginx_takes_it(tmp_path: Path) -> None:
    """With a certificate that exists and sockets that anybody may open."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    argv += ["-subj", "/CN=lockstep.example.org", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(argv, check=True, capture_output=True)
    site = EXAMPLE.replace("/etc/ssl/lockstep/fullchain.pem", str(certificate))
    site = site.replace("/etc/ssl/lockstep/privkey.pem", str(key))
    site = re.sub(r"listen \[::\]:.*\n", "", site)
    site = re.sub(r"listen (\d+)", rf"listen unix:{tmp_path}/\1", site)
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}}\nhttp {{ access_log off;\n{site}\n}}\n"
    )
    assert NGINX is not None
    tried = subprocess.run(
        [NGINX, "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-g", "daemon off;"],
        capture_output=True,
        text=True,
    )
    assert tried.returncode == 0, tried.stderr
    assert "[warn]" not in tried.stderr, tried.stderr
