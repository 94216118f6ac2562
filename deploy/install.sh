#!/bin/sh
# Install or upgrade Lockstep on Debian 12 or newer, as root, from the project folder that this file lies in:
#
#   deploy/install.sh --database-url postgresql://lockstep:PASSWORD@127.0.0.1:5432/lockstep --host lockstep.example.org
#
# Run again it upgrades: what is there already, the environment file above all, stays as it is.
set -eu
umask 022

usage() {
    cat <<'END'
deploy/install.sh [OPTIONS]

  --database-url URL  the control database; needed once, then it stands in /etc/lockstep/lockstep.env
  --redis-url URL     default redis://127.0.0.1:6379/0
  --host NAME         the name that people type; default lockstep.example.org
  --workers NUMBER    how many workers are enabled; default 2, or those that are there
  --venv DIR          use this Python environment, which has everything, instead of making one
  --no-start          install and migrate, start nothing
  --dry-run           say what would be done, and do nothing
  --root DIR          install below this folder: no user, no owner, no systemd
END
}

source=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
database_url=${LOCKSTEP_DATABASE_URL:-} redis_url=redis://127.0.0.1:6379/0 host=lockstep.example.org
workers='' running='' venv='' start=yes dry='' root=''

fail() {
    echo "install.sh: $1" >&2
    exit 1
}

say() {
    echo "$*"
}

# Do it, or say that it would be done.
run() {
    if [ -n "$dry" ]; then
        say "would run: $*"
    else
        "$@"
    fi
}

while [ $# -gt 0 ]; do
    case $1 in
        --database-url | --redis-url | --host | --workers | --venv | --root)
            [ $# -ge 2 ] || fail "$1 wants a value. Nothing was done."
            case $1 in
                --database-url) database_url=$2 ;;
                --redis-url) redis_url=$2 ;;
                --host) host=$2 ;;
                --workers) workers=$2 ;;
                --venv) venv=$2 ;;
                --root) root=${2%/} ;;
            esac
            shift 2
            ;;
        --no-start) start='' && shift ;;
        --dry-run) dry=yes && shift ;;
        --help) usage && exit 0 ;;
        *) usage >&2 && fail "there is no option $1. Nothing was done." ;;
    esac
done

home=$root/opt/lockstep etc=$root/etc/lockstep state=$root/var/lib/lockstep
units=$root/etc/systemd/system bin=$root/usr/local/bin
environment=$etc/lockstep.env

find_python() {
    for name in python3.13 python3.12 python3.11 python3; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    fail "Lockstep needs Python 3.11 or newer, and none is on PATH. Nothing was done. apt install python3 python3-venv"
}

look_first() {
    case $workers in
        *[!0-9]*) fail "--workers is '$workers'; it wants a number. Nothing was done." ;;
    esac
    python=$(find_python)
    if [ -n "$venv" ]; then
        [ -x "$venv/bin/python" ] || fail "$venv/bin/python is not there. Nothing was done. Give --venv an environment."
    else
        "$python" -c 'import ensurepip, venv' 2>/dev/null ||
            fail "$python cannot make environments. Nothing was done. apt install python3-venv"
    fi
    if [ -z "$root" ]; then
        [ -n "$dry" ] || [ "$(id -u)" = 0 ] || fail "this takes root. Nothing was done. Use sudo, or --dry-run to look first."
        [ -d /run/systemd/system ] ||
            fail "systemd does not run here. Nothing was done. In containers use deploy/compose.yaml."
    fi
    if [ -z "$database_url" ] && ! grep -qs '^LOCKSTEP_DATABASE_URL\(_FILE\)\?=.' "$environment"; then
        fail "there is no database: $environment names none. Nothing was done. Give --database-url postgresql://USER:PASSWORD@HOST:PORT/DATABASE."
    fi
    case $database_url in
        '' | postgresql://?*/?* | postgres://?*/?*) ;;
        *) fail "--database-url is no PostgreSQL address (it is not repeated here). Nothing was done." ;;
    esac
}

# Old code must not load what is new. A worker brings its step to the end first, which may take up to 15 minutes.
stop_units() {
    if [ -n "$root" ] || [ ! -e "$units/lockstep.service" ]; then
        return
    fi
    running=$(systemctl list-units --all --plain --no-legend 'lockstep-worker@*.service' | cut -d ' ' -f 1)
    if systemctl is-active --quiet lockstep.service lockstep-scheduler.service 'lockstep-worker@*'; then
        say "Stopping Lockstep; workers bring their steps to the end first"
    fi
    run systemctl stop lockstep-scheduler.service lockstep-watchdog.service 'lockstep-worker@*' lockstep.service || true
}

make_user() {
    if [ -n "$root" ] || id lockstep >/dev/null 2>&1; then
        return
    fi
    say "Making the user lockstep"
    run useradd --system --user-group --home-dir /var/lib/lockstep --shell /usr/sbin/nologin lockstep
}

# folder MODE OWNER PATH
folder() {
    if [ -n "$root" ]; then
        run install -d -m "$1" "$3"
    else
        run install -d -m "$1" -o "${2%:*}" -g "${2#*:}" "$3"
    fi
}

make_folders() {
    folder 0755 root:root "$home"
    folder 0750 root:lockstep "$etc"
    folder 0750 lockstep:lockstep "$state"
    folder 0755 root:root "$units"
    folder 0755 root:root "$bin"
}

# Whole folders are exchanged, so that nothing of an older version is left among the new.
copy_code() {
    if [ "$source" = "$home" ]; then
        return
    fi
    say "Copying the code to $home"
    for name in dashboard deploy docs migrations_app static templates CHANGELOG.md README.md manage.py pyproject.toml; do
        run rm -rf "$home/.new"
        run cp -R --preserve=mode,timestamps "$source/$name" "$home/.new"
        if [ -z "$dry" ] && [ -d "$home/.new" ]; then
            find "$home/.new" -name __pycache__ -type d -prune -exec rm -rf {} +
        fi
        run chmod -R u=rwX,go=rX "$home/.new"
        run rm -rf "${home:?}/$name"
        run mv "$home/.new" "$home/$name"
    done
}

make_environment() {
    if [ -n "$venv" ]; then
        run ln -sfn "$venv" "$home/.venv"
        return
    fi
    if [ -L "$home/.venv" ]; then
        say "Keeping the Python environment that --venv gave: $(readlink "$home/.venv")"
        return
    fi
    if [ ! -x "$home/.venv/bin/python" ]; then
        say "Making a Python environment with $python"
        run "$python" -m venv "$home/.venv"
    fi
    if ! cmp -s "$source/deploy/requirements.txt" "$home/.venv/installed.txt"; then
        say "Installing packages"
        run "$home/.venv/bin/python" -m pip install --quiet --disable-pip-version-check \
            --requirement "$source/deploy/requirements.txt" ||
            fail "the packages were not installed, pip's own lines above say why. Nothing was started. Correct it and run this again."
        run cp "$source/deploy/requirements.txt" "$home/.venv/installed.txt"
    fi
}

# The example with keys of its own. Values travel in the environment, where no list of processes shows them.
write_environment() {
    LOCKSTEP_DATABASE_URL=$database_url LOCKSTEP_REDIS_URL=$redis_url LOCKSTEP_HOST=$host "$python" - "$1" "$2" <<'END'
import base64, os, re, secrets, sys

example, wanted = sys.argv[1:]
values = {
    "LOCKSTEP_DATABASE_URL": os.environ["LOCKSTEP_DATABASE_URL"],
    "LOCKSTEP_REDIS_URL": os.environ["LOCKSTEP_REDIS_URL"],
    "LOCKSTEP_SECRET_KEY": secrets.token_urlsafe(48),
    "LOCKSTEP_CREDENTIALS_KEY": "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
    "LOCKSTEP_ALLOWED_HOSTS": os.environ["LOCKSTEP_HOST"] + ",127.0.0.1",
}
with open(example) as file:
    text = file.read()
for name, value in values.items():
    text, found = re.subn(rf"^{name}=.*$", lambda _: f"{name}={value}", text, flags=re.MULTILINE)
    assert found == 1, name
descriptor = os.open(wanted + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
with os.fdopen(descriptor, "w") as file:
    file.write(text)
os.replace(wanted + ".new", wanted)
END
}

keep_environment() {
    example=$source/deploy/systemd/lockstep.env.example
    if [ ! -e "$environment" ]; then
        say "Writing $environment with new keys; keep a copy of it where no backup of the database lies"
        run write_environment "$example" "$environment"
        [ -n "$root" ] || run chown root:lockstep "$environment"
        return
    fi
    say "Keeping $environment"
    if [ -n "$database_url" ] && [ "$database_url" != "${LOCKSTEP_DATABASE_URL:-}" ]; then
        say "  --database-url is not looked at: the file has one"
    fi
    sed -n 's/^\([A-Z_]*\)=.*/\1/p' "$example" | while read -r name; do
        grep -q "^$name\(_FILE\)\?=" "$environment" || say "  it does not set $name, which the example has"
    done
}

copy_units() {
    for unit in "$source"/deploy/systemd/*.service; do
        if ! cmp -s "$unit" "$units/${unit##*/}"; then
            say "Installing ${unit##*/}"
            run install -m 0644 "$unit" "$units/${unit##*/}"
        fi
    done
    run install -m 0755 "$source/deploy/lockstep-manage" "$bin/lockstep-manage"
}

manage() {
    if [ -n "$root" ]; then
        run env LOCKSTEP_HOME="$home" LOCKSTEP_ENV="$environment" "$bin/lockstep-manage" "$@"
    else
        run "$bin/lockstep-manage" "$@"
    fi
}

migrate() {
    say "Bringing the control database up to this version"
    # It runs the checks first, that of the runtime contract among them.
    manage migrate --noinput --verbosity 0 ||
        fail "migrate failed, its own lines above say why. The new code is in place and nothing was started. Correct it and run this again, or go back as docs/install.md says."
}

start_units() {
    if [ -n "$root" ]; then
        return
    fi
    run systemctl daemon-reload
    set -- lockstep.service lockstep-scheduler.service lockstep-watchdog.service
    # One word for each:
    # shellcheck disable=SC2086
    set -- "$@" $running
    if [ -n "$workers" ] || [ -z "$running" ]; then
        for number in $(seq "${workers:-2}"); do
            set -- "$@" "lockstep-worker@$number.service"
        done
    fi
    run systemctl enable "$@"
    if [ -n "$start" ]; then
        run systemctl start "$@"
    fi
}

look_first
make_user
stop_units
make_folders
copy_code
make_environment
keep_environment
copy_units
migrate
start_units
say "Done. The first user: LOCKSTEP_FIRST_PASSWORD=... lockstep-manage ensure_demo_users --admin-only. HTTPS and more: docs/install.md"
