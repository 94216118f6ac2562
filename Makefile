# Lockstep's verbs. Paths are relative on purpose: the folder's own path may hold spaces.
#
#   make up       everything from nothing, in the foreground; Ctrl-C stops all of it
#   make test     the whole suite, browser included
#   make thorough   the same with every case of the long lists, of which `make test` takes a part
#   make check    what must hold before a push
#   make bench    the benchmarks
#   make faults   kill processes on purpose and see that nothing is lost
#   make screenshots   take the pictures in docs/screenshots anew; ARGS="drill" those alone whose name begins so
#
# ARGS reaches the program: `make up ARGS="--no-demo --bind 127.0.0.1:9000"`, `make test ARGS="tests/engine -x"`.

PY := .venv/bin/python
ARGS ?=

# A process for each core, each with servers of its own; whoever is done takes over what another has left.
PARALLEL := -n auto --dist worksteal

.PHONY: up install test thorough check bench faults screenshots lint types contracts templates django
.DEFAULT_GOAL := up

up: .venv/.runtime
	@exec $(PY) manage.py up $(ARGS)

install: .venv/.runtime

# `.venv` and what runs need. The stamp is newer than pyproject.toml once it is installed.
.venv/.runtime: pyproject.toml
	@sh .ci/install
	@touch .venv/.runtime

# What tests and checks need as well.
.venv/.dev: pyproject.toml
	@sh .ci/install dev
	@touch .venv/.runtime .venv/.dev

# No command may end on a browser, an old PostgreSQL or promtool: .ci/chromium and its like print where they are, or one
# loud line on stderr and nothing.
test: .venv/.dev
	@LOCKSTEP_TEST_CHROMIUM="$$(sh .ci/chromium)" LOCKSTEP_TEST_POSTGRES15="$$(sh .ci/postgres15)" LOCKSTEP_TEST_PROMTOOL="$$(sh .ci/promtool)" $(PY) -m pytest $(PARALLEL) $(ARGS)

# `make -k check` goes on after the first failure and names them all.
# What `make test` takes a part of: every way back, every pair of schemas, every page in every window.
thorough: .venv/.dev
	@LOCKSTEP_TEST_ALL=1 LOCKSTEP_TEST_CHROMIUM="$$(sh .ci/chromium)" LOCKSTEP_TEST_POSTGRES15="$$(sh .ci/postgres15)" LOCKSTEP_TEST_PROMTOOL="$$(sh .ci/promtool)" $(PY) -m pytest $(PARALLEL) $(ARGS)

check: lint types contracts templates django

lint: .venv/.dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

# Settings are read by three of the checks; these values lead nowhere and sign nothing.
THROWAWAY := LOCKSTEP_DATA_DIR=.venv/nowhere LOCKSTEP_TLS=1 \
	LOCKSTEP_SECRET_KEY=for-checks-only-0123456789-abcdefghijklmnopqrstuvwxyz-signs-nothing \
	LOCKSTEP_CREDENTIALS_KEY=k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
	LOCKSTEP_DATABASE_URL=postgresql://nobody@127.0.0.1:1/none LOCKSTEP_REDIS_URL=redis://127.0.0.1:1/0

types: .venv/.dev
	$(THROWAWAY) $(PY) -m mypy dashboard migrations_app tests

contracts: .venv/.dev
	PYTHONPATH=. .venv/bin/lint-imports

templates: .venv/.dev
	$(PY) -m djlint --lint --quiet templates

# makemigrations asks the database whether its history is consistent; there is none here, so it may not warn.
django: .venv/.dev
	$(THROWAWAY) $(PY) manage.py check --deploy --fail-level WARNING
	$(THROWAWAY) $(PY) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

bench: .venv/.dev
	@exec $(PY) -m tests.bench $(ARGS)

faults: .venv/.dev
	@exec $(PY) -m tests.faults $(ARGS)

screenshots: .venv/.dev
	@LOCKSTEP_TEST_CHROMIUM="$$(sh .ci/chromium)" $(PY) -m tests.screenshots $(ARGS)
