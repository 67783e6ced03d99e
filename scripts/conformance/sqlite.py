"""sqlite3: several shells that write to one database, and threads in one process."""
import subprocess

from place import Trouble
from suite import Suite, digest

WRITERS = 4
ROWS = {"shells": 300, "shells-short": 60}

SCHEMA = "PRAGMA journal_mode=WAL; CREATE TABLE item(writer INTEGER, n INTEGER, text TEXT, PRIMARY KEY(writer, n))" \
         " WITHOUT ROWID;\nCREATE INDEX by_text ON item(text);\n"
QUESTIONS = """PRAGMA integrity_check;
SELECT writer, count(*), sum(n), sum(length(text)) FROM item GROUP BY writer ORDER BY writer;
SELECT text, count(*) FROM item WHERE text LIKE '%99%' GROUP BY text ORDER BY 2 DESC, 1 LIMIT 20;
PRAGMA wal_checkpoint(TRUNCATE);
"""


def writer_script(writer, rows):
    lines = [".timeout 60000"]
    for n in range(rows):
        lines.append(f"INSERT INTO item VALUES({writer}, {n}, printf('%d-%s', {n * writer % 991}, hex(zeroblob({n % 400}))));")
        if n % 10 == 0:
            lines.append(f"SELECT count(*) >= 0 FROM item WHERE text > '{n}'; "
                         f"UPDATE item SET text = text || '!' WHERE writer = {writer} AND n = {n // 2};")
    return "\n".join(lines) + "\n"


def run_shells(turn, part):
    """Writers of one database in WAL mode: each takes its lock when it can, the end is always the same."""
    shell = [turn.place.program("usr/bin/sqlite3"), "-batch", "-bail", "-init", "/dev/null", turn.folder / "items.db"]
    turn.need(shell, given=SCHEMA)
    writers = []
    for writer in range(1, WRITERS + 1):
        script = turn.folder / f"writer{writer}.sql"
        script.write_text(writer_script(writer, ROWS[part]))
        with open(script, "rb") as source:
            writers.append(subprocess.Popen(shell, env=turn.environment(), cwd=turn.folder, stdin=source,
                                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
    results = {}
    for number, process in enumerate(writers, 1):
        out, _ = process.communicate(timeout=300)
        turn.note(f"[writer {number}: {process.returncode}] {out[-500:]}")
        results[f"writer {number}"] = f"ended with {process.returncode}, {digest(out)}"
    for number, line in enumerate(QUESTIONS.splitlines(), 1):
        done = turn.run(shell, given=line)
        results[f"question {number}"] = f"{done.status} {digest(done.out + done.err)}"
        if not turn.tracked and done.status != 0:
            raise Trouble(f"sqlite3 alone: {done.err}")
    results["dump"] = digest(turn.run([*shell, ".dump"]).out)
    return results


# Each thread has a connection of its own, by turns to a file and to a memory database.
THREADS = """
import hashlib, sqlite3, sys, threading
THREADS, ROUNDS, answers = 6, int(sys.argv[2]), {}
def work(number):
    done = hashlib.sha256()
    for turn in range(ROUNDS):
        path = f"{sys.argv[1]}/thread{number}.db" if turn % 2 else ":memory:"
        base = sqlite3.connect(path, timeout=60)
        base.create_function("twice", 1, lambda value: value * 2)
        base.execute("create table if not exists item(i integer primary key, name text)")
        base.execute("delete from item")
        base.executemany("insert into item values(?, ?)", ((i, f"{number} {i * turn % 97}" * (i % 9)) for i in range(2000)))
        base.commit()
        for row in base.execute("select name, count(*), sum(twice(i)) from item group by name order by 1, 2"):
            done.update(repr(row).encode())
        try:
            base.execute("select * from missing")
        except sqlite3.OperationalError as error:
            done.update(str(error).encode())
        base.close()
    answers[number] = done.hexdigest()
threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
for thread in threads: thread.start()
for thread in threads: thread.join()
for number in range(THREADS): print(number, answers.get(number))
"""


def run_threads(turn, part):
    script = turn.folder / "threads.py"
    script.write_text(THREADS)
    done = turn.run([turn.place.program("usr/bin/python3.11"), "-s", script, turn.folder,
                     "6" if part.endswith("short") else "40"])
    results = {"ended with": str(done.status), "said": digest(done.err)}
    results.update((f"thread {line.split()[0]}", line.split()[1]) for line in done.out.splitlines())
    if not turn.tracked and (done.status != 0 or "None" in done.out):
        raise Trouble(f"threads of sqlite3 alone, see {turn.log}")
    return results


def run(turn, part):
    return run_shells(turn, part) if part.startswith("shells") else run_threads(turn, part)


SUITES = [Suite("sqlite", "sqlite3: writers of one database in WAL mode, threads", run, ["shells", "threads"],
                ["shells-short", "threads-short"],
                ["sqlite3", "libsqlite3-0", "python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib"])]
