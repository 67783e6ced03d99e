"""git: what it prints, and the ids of all objects, after a day's work in one repository."""
from suite import Suite, digest

# Fixed, so that commits have the same ids. Nothing of the machine's or the user's settings counts.
IDENTITY = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "C",
            "GIT_COMMITTER_EMAIL": "c@example.org", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true", "GIT_MERGE_AUTOEDIT": "no"}
FIRST_DATE = 1_700_000_000


class Repository:
    """Runs git in a folder; each command is one test: its status and what it printed."""

    def __init__(self, turn):
        self.turn, self.results, self.commands = turn, {}, 0
        self.git_program = turn.place.of_machine("git")
        self.path = turn.folder / "repository"
        self.path.mkdir()

    def git(self, *arguments, folder=None):
        self.commands += 1
        date = f"{FIRST_DATE + self.commands} +0000"
        done = self.turn.run([self.git_program, *arguments], packaged=False, folder=folder or self.path,
                             added={**IDENTITY, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date,
                                    "HOME": str(self.turn.folder)})
        printed = digest(self.turn.normal(done.out + done.err))
        self.results[f"{self.commands:03} git {self.turn.normal(' '.join(arguments))}"] = f"{done.status} {printed}"
        return done

    def write(self, name, lines):
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{line}\n" for line in lines))

    def commit(self, message):
        self.git("add", "-A")
        self.git("commit", "-m", message)


def change(repository, branch, number):
    """One commit on a branch: a large file grows, small ones come and go."""
    repository.git("checkout", branch)
    repository.write(f"{branch}/large.txt", (f"{branch} {i * number % 997}" for i in range(3000 + number)))
    for i in range(20):
        repository.write(f"{branch}/{number % 5}/file{i}.txt", (f"{number} {i} {j}" for j in range(i + number)))
    repository.commit(f"{branch} {number}")


def work(repository, rounds):
    git = repository.git
    git("init", "--initial-branch=main", ".")
    git("config", "gc.auto", "0")
    repository.write("shared.txt", range(400))
    repository.commit("first")
    for branch in ("topic", "other"):
        git("branch", branch)
    for number in range(1, rounds + 1):
        for branch in ("main", "topic", "other"):
            change(repository, branch, number)
    git("checkout", "topic")
    git("rebase", "main")
    git("checkout", "main")
    git("merge", "--no-ff", "-m", "merge other", "other")
    git("merge", "topic", "-m", "merge topic")
    repository.write("shared.txt", [*range(200), "theirs", *range(201, 400)])
    repository.commit("ours")
    git("checkout", "-b", "conflict", "HEAD~1")
    repository.write("shared.txt", [*range(200), "mine", *range(201, 400)])
    repository.commit("mine")
    git("merge", "main")  # ends with 1: a conflict
    git("diff")
    git("merge", "--abort")
    git("tag", "-a", "v1", "-m", "a tag")
    git("stash", "list")
    git("cherry-pick", "topic~1", "--allow-empty", "--keep-redundant-commits")


def inspect(repository):
    git, folder = repository.git, repository.turn.folder
    git("gc", "--aggressive", "--prune=now")
    git("fsck", "--full", "--strict")
    git("log", "--graph", "--stat", "--all", "--format=%H %T %an %ad %s")
    git("blame", "shared.txt")
    git("grep", "-n", "99[0-9]", "main")
    git("cat-file", "--batch-all-objects", "--batch-check")
    for name in (["clone", "--bare"], ["clone", "--depth", "2"], ["clone"]):
        git(*name, f"file://{repository.path}", str(folder / f"copy{len(name)}{len(name[-1])}"))
    copy = folder / "copy15"
    git("fsck", "--full", folder=copy)
    git("rev-list", "--all", "--objects", folder=copy)
    git("bundle", "create", str(folder / "all.bundle"), "--all")
    git("bundle", "verify", str(folder / "all.bundle"))
    git("archive", "--format=tar.gz", "-o", str(folder / "tree.tar.gz"), "main")
    git("format-patch", "-3", "--stdout", "topic")


def run(turn, part):
    repository = Repository(turn)
    work(repository, 3 if part == "short" else 25)
    inspect(repository)
    tree = (turn.folder / "tree.tar.gz").read_bytes() if (turn.folder / "tree.tar.gz").exists() else b""
    repository.results["the archive's bytes"] = digest(tree)
    return repository.results


SUITES = [Suite("git", "git: branches, merges, rebase, gc, fsck, clones", run, ["long"], ["short"])]
