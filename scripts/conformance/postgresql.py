"""PostgreSQL: initdb, pgbench, parallel workers, a backend killed. Run by root it runs as nobody."""
import os
import signal
import subprocess
import time

from place import Trouble
from suite import Suite, digest

NOBODY = 65534
SUMS = "SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(delta) FROM pgbench_history), " \
       "(SELECT sum(bbalance) FROM pgbench_branches) = (SELECT sum(tbalance) FROM pgbench_tellers);"
PARALLEL = "SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; "
AGGREGATE = "SELECT bid, count(*), sum(aid), max(filler) FROM pgbench_accounts GROUP BY bid ORDER BY bid;"
EVERYTHING = "SELECT md5(string_agg(a::text, ',' ORDER BY aid)) FROM pgbench_accounts a;"


class Cluster:
    """A database cluster in the turn's folder, reached through a socket there."""

    def __init__(self, turn):
        self.turn, self.results = turn, {}
        self.data = turn.folder / "data"
        self.server_log = turn.folder / "server.log"
        self.user = []
        if os.geteuid() == 0:
            os.chown(turn.folder, NOBODY, NOBODY)
            self.user = [turn.place.of_machine("setpriv"), f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]

    def command(self, name, *words):
        return [*self.user, self.turn.place.program(f"usr/lib/postgresql/15/bin/{name}"), *words]

    def environment(self):
        return {"PGHOST": str(self.turn.folder), "PGUSER": "postgres", "PGDATABASE": "postgres", "PGDATA": str(self.data),
                "HOME": str(self.turn.folder), "TZ": "UTC"}

    def run(self, name, *words, **how):
        return self.turn.run(self.command(name, *words), added=self.environment(), **how)

    def step(self, title, name, *words):
        """A command that must end the same; what it prints is in the log."""
        done = self.run(name, *words)
        self.results[title] = f"ended with {done.status}"
        if done.status != 0 and not self.turn.tracked:
            raise Trouble(f"{title} fails alone, see {self.turn.log}")
        return done

    def ask(self, title, sql):
        """A question whose answer must be the same."""
        done = self.run("psql", "-X", "-A", "-t", "-q", "-c", sql)
        answer = (done.out + done.err).strip()
        self.results[title] = f"{done.status} {answer if len(answer) < 80 else digest(answer)}"
        return done.out.strip()

    def start(self):
        settings = f"-k {self.turn.folder} -c listen_addresses='' -c shared_buffers=32MB -c fsync=off"
        self.step("start", "pg_ctl", "start", "-w", "-l", self.server_log, "-o", settings)

    def stop(self):
        self.step("stop", "pg_ctl", "stop", "-m", "fast", "-w")


def kill_a_backend(cluster):
    """kill -9 of one backend: the server ends all sessions, recovers and goes on."""
    command = cluster.command("psql", "-X", "-A", "-t", "-c", "SELECT pg_backend_pid();", "-c", "SELECT pg_sleep(120);")
    environment = {**cluster.turn.environment(cluster.environment()), "PGAPPNAME": "victim"}
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as session:
        pid = ""
        for _ in range(200):
            pid = cluster.run("psql", "-X", "-A", "-t", "-c", "SELECT pid FROM pg_stat_activity WHERE "
                              "application_name = 'victim' AND wait_event = 'PgSleep';").out.strip()
            if pid:
                break
            time.sleep(0.05)
        if not pid:
            session.kill()
            raise Trouble(f"no backend sleeps, see {cluster.turn.log}")
        os.kill(int(pid), signal.SIGKILL)
        output, _ = session.communicate(timeout=60)
        cluster.results["the session of the killed backend"] = \
            f"ended with {session.returncode} {digest(output.replace(pid, 'PID'))}"
    for _ in range(300):
        if cluster.run("psql", "-X", "-c", "SELECT 1").status == 0:
            return
        time.sleep(0.1)
    cluster.results["recovery"] = "does not end"


def deaths(cluster):
    """How many server processes a signal ended, by the server's own log."""
    text = cluster.server_log.read_text(errors="replace")
    cluster.turn.note(text)
    return sum("was terminated by signal" in line for line in text.splitlines())


def work(cluster):
    turn = cluster.turn
    cluster.start()
    cluster.step("pgbench -i", "pgbench", "-i", "-s", "3", "-q")
    cluster.step("pgbench, a fixed course", "pgbench", "-n", "-c", "1", "-t", "400", "--random-seed=42")
    cluster.ask("all accounts", EVERYTHING)
    plan = cluster.ask("a parallel plan", PARALLEL + "EXPLAIN (COSTS OFF) " + AGGREGATE)
    if "Gather" not in plan and not turn.tracked:
        raise Trouble("the plan is not parallel")
    cluster.ask("a parallel aggregate", PARALLEL + AGGREGATE)
    cluster.ask("a parallel index", PARALLEL + "CREATE INDEX ON pgbench_accounts(filler, abalance); "
                "SELECT count(*) FROM pgbench_accounts WHERE abalance <> 0;")
    timed = cluster.step("pgbench for a time", "pgbench", "-n", "-c", "6", "-j", "2", "-T", str(turn.place.seconds))
    cluster.results["no transaction failed"] = str("number of failed transactions: 0 " in timed.out)
    cluster.ask("balances agree", SUMS)
    kill_a_backend(cluster)
    cluster.ask("balances agree after recovery", SUMS)
    cluster.step("vacuum", "psql", "-X", "-c", "VACUUM (FULL, ANALYZE)")
    cluster.step("pg_dump", "pg_dump", "-Fc", "-f", turn.folder / "dump")
    cluster.step("pg_amcheck", "pg_amcheck", "--install-missing", "--heapallindexed", "postgres")
    cluster.stop()
    cluster.step("pg_checksums", "pg_checksums", "--check")


def run(turn, _):
    cluster = Cluster(turn)
    cluster.step("initdb", "initdb", "-U", "postgres", "-E", "UTF8", "--locale=C", "--auth=trust", "-k", "--no-sync")
    try:
        work(cluster)
    finally:
        if (cluster.data / "postmaster.pid").exists():
            cluster.run("pg_ctl", "stop", "-m", "immediate")
    cluster.results["server processes that a signal ended"] = str(deaths(cluster))
    return cluster.results


SUITES = [Suite("postgresql", "PostgreSQL: pgbench, parallel workers, a backend killed", run, ["cluster"], [],
                ["postgresql-15", "postgresql-client-15"])]
