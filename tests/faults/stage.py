"""Fleet, crew and lanes: set up, kept running by the main thread, and looked at when all is over."""

from __future__ import annotations

import itertools
import queue
import random
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.core.management import call_command
from django.db import connection
from redis import Redis
from redis.exceptions import RedisError

from migrations_app.models import WorkerProcess
from tests.faults import check, control, report
from tests.faults.crew import ROOT, Crew
from tests.faults.draft import SLOW_NEEDS, Draft
from tests.faults.files import Exchange
from tests.faults.findings import Findings
from tests.faults.ground import Ground
from tests.faults.lane import Lane
from tests.faults.options import Options
from tests.faults.outcome import Tally
from tests.faults.plan import NEEDS_REDIS, Fault, Placed, make_faults, orders
from tests.faults.pool import Pool
from tests.faults.programme import allot, cut
from tests.faults.proxy import Proxies
from tests.faults.requester import Request
from tests.faults.scripts import write_texts
from tests.faults.site import Shared, Site

SPARE_REVISIONS = 60
SERVICES = 4
TICK_S = 0.05
CREW_S = 90.0
TELL_EVERY_S = 20.0
REDIS_AWAY_S = {"redis": 5.0, "redis minute": 60.0}
WORKERS_FREE = 3  # how many are left to go on while others are stopped


@dataclass
class Chore:
    """Something only the main thread may do, because servers are tied to it."""

    what: str
    struck: bool = False
    done: threading.Event = field(default_factory=threading.Event)


class Stage:
    def __init__(self, ground: Ground, options: Options) -> None:
        self._ground, self._options = ground, options
        self._exchange = Exchange(ground.folder / "exchange")
        self._tally = Tally()
        self._chores: queue.Queue[Chore] = queue.Queue()
        self._redis_back_at: tuple[float, bool] | None = None
        self._closing = threading.Event()
        self._asking = threading.Lock()
        self._proxies = Proxies()
        self._requester: subprocess.Popen[str] | None = None
        self._crew: Crew | None = None
        self._lanes: list[Lane] = []
        self._sites: list[Site] = []
        self._began_at = 0.0

    def perform(self) -> list[str]:
        self._exchange.make()
        call_command("migrate", "--noinput", verbosity=0)
        self._make_lanes()
        self._crew = Crew(self._ground.folder, self._exchange.folder, self._options.workers)
        self._keep_running()
        findings = self._look()
        report.table(self._tally)
        report.missed(self._tally)
        report.numbers(self._tally, findings)
        report.say(f"{self._crew.restarts} restarts of workers and scheduler")
        report.end(self._tally, self._began_at)
        return report.judge(self._options, self._tally, findings)

    def close(self) -> None:
        self._closing.set()
        if self._crew is not None:
            self._crew.stop()
        if self._requester is not None and self._requester.stdin is not None:
            self._requester.stdin.close()
            self._requester.wait(10)
        self._proxies.close()
        connection.close()

    def _make_lanes(self) -> None:
        options = self._options
        admin, operator = control.make_people()
        planned = -(-options.revisions // options.targets)
        services = []
        for n in range(1, min(SERVICES, options.targets) + 1):
            texts = write_texts(planned + SPARE_REVISIONS, f"{options.seed} service {n}")
            services.append((control.make_service(f"service-{n}", texts, operator, admin), texts))
        rng = random.Random(f"programme {options.seed}")
        programmes = [cut(services[n % len(services)][1][:planned], rng) for n in range(options.targets)]
        shared = self._shared(operator, self._programme(programmes, rng))
        for n, drafts in enumerate(programmes):
            service, texts = services[n % len(services)]
            name = f"env-{n + 1}"
            major = 16 if n % 3 == 2 else 18
            self._ground.make_database(major, f"target_{n + 1}")
            server = self._ground.targets[major]
            proxy = self._proxies.add("127.0.0.1", server.port)
            address = self._ground.address(major, f"target_{n + 1}", proxy.port)
            environment = control.make_environment(service, name, n, address, admin)
            straight = self._ground.address(major, f"target_{n + 1}")
            site = Site(name, environment.pk, straight, proxy, drafts, texts[planned:])
            self._sites.append(site)
            self._lanes.append(Lane(site, shared, random.Random(f"lane {options.seed} {n}")))

    def _programme(self, programmes: Sequence[Sequence[Draft]], rng: random.Random) -> Pool:
        """Place every fault but the stops, which begin as soon as a worker can be spared."""
        options = self._options
        faults = make_faults(options.faults, options.seed, options.only)
        numbers = itertools.count(options.faults + 1)
        stops = [fault for fault in faults if fault.kind.part == "stop"]
        others = [fault for fault in faults if fault.kind.part != "stop"]
        left = allot(others, [draft for drafts in programmes for draft in drafts], numbers, rng)
        report.say(f"  {len(others) - len(left)} faults have their place, {len(stops)} stops begin, {len(left)} wait")
        return Pool((*stops, *left), numbers, max(options.workers - WORKERS_FREE, SLOW_NEEDS), self._possible)

    def _possible(self, fault: Fault) -> bool:
        return self._ground.redis is not None or fault.kind.part not in NEEDS_REDIS

    def _shared(self, operator: object, pool: Pool) -> Shared:
        return Shared(
            exchange=self._exchange,
            tally=self._tally,
            operator=operator,  # type: ignore[arg-type]
            pool=pool,
            chore=self._have_done,
            flush_redis=self._flush_redis,
            request_and_die=self._request_and_die,
            closing=self._closing,
            stuck_after_s=self._options.stale_s + 90,
        )

    def _keep_running(self) -> None:
        """Until every lane is done."""
        self._wait_for_crew()
        self._began_at = time.monotonic()
        until = self._began_at + self._options.minutes * 60
        tell_at = self._began_at + TELL_EVERY_S
        for lane in self._lanes:
            lane.start()
        while any(lane.is_alive() for lane in self._lanes):
            self._tick()
            if time.monotonic() > until and not self._closing.is_set():
                report.say("The time is over; what runs is brought to its end.")
                self._closing.set()
            if time.monotonic() > tell_at:
                tell_at += TELL_EVERY_S
                self._tell()
        while self._redis_back_at is not None:
            self._tick()

    def _wait_for_crew(self) -> None:
        until = time.monotonic() + CREW_S
        while WorkerProcess.objects.count() < self._options.workers:
            self._tick()
            if time.monotonic() > until:
                raise RuntimeError(f"the workers do not beat after {CREW_S:g} s; see {self._ground.folder}/logs")

    def _tick(self) -> None:
        assert self._crew is not None
        self._crew.look()
        if self._redis_back_at and time.monotonic() > self._redis_back_at[0]:
            self._ground.start_redis(empty=self._redis_back_at[1])
            self._redis_back_at = None
        try:
            chore = self._chores.get(timeout=TICK_S)
        except queue.Empty:
            return
        try:
            chore.struck = self._do(chore.what)
        finally:
            chore.done.set()

    def _do(self, what: str) -> bool:
        """False when Redis is away already: the fault is for another time."""
        if what == "control":
            self._ground.restart_control()
            return True
        if self._redis_back_at is not None:
            return False
        self._ground.kill_redis()
        self._redis_back_at = time.monotonic() + REDIS_AWAY_S[what], what == "redis minute"
        return True

    def _have_done(self, what: str) -> bool:
        chore = Chore(what)
        self._chores.put(chore)
        chore.done.wait(120)
        return chore.struck

    def _flush_redis(self) -> bool:
        redis = self._ground.redis
        if redis is None:
            return False
        try:
            with Redis(unix_socket_path=str(redis.socket), socket_timeout=5) as client:
                return bool(client.flushall())
        except RedisError:
            return False

    def _request_and_die(self, environment: int, to: str, key: str, placed: Sequence[Placed]) -> bool:
        """One after the other: the process that forks them serves all lanes."""
        with self._asking:
            if self._requester is None:
                self._requester = subprocess.Popen(
                    [sys.executable, "-m", "tests.faults.requester"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    cwd=ROOT,
                    start_new_session=True,  # Ctrl-C is for the harness, which then closes the pipe
                )
            assert self._requester.stdin is not None and self._requester.stdout is not None
            operator = self._lanes[0]._shared.operator.pk
            request = Request(environment, operator, to, key, str(self._exchange.folder), tuple(orders(placed)))
            self._requester.stdin.write(request.text() + "\n")
            self._requester.stdin.flush()
            return self._requester.stdout.readline().strip() == "-9"

    def _look(self) -> Findings:
        findings = Findings()
        control.patient(lambda: check.check_control(findings))
        for site, lane in zip(self._sites, self._lanes, strict=True):
            check.check_target(findings, site.name, site.environment, site.address, lane.reached)
        return findings

    def _tell(self) -> None:
        revisions = sum(len(lane.reached) for lane in self._lanes)
        alive = [lane for lane in self._lanes if lane.is_alive()]
        report.say(
            f"  {len(self._tally.happened)} faults, {revisions} revisions, {len(self._tally.ends)} runs ended, "
            f"{len(self._tally.missed)} missed, {len(alive)} lanes at work, {len(self._tally.wrong)} wrong"
        )
        if len(alive) <= 4:
            for lane in alive:
                report.say(f"      {lane.name}: {lane.doing}")
