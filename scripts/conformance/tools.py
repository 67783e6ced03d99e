"""Command-line tools of the machine: apt's, static ones, set-uid ones run by an ordinary user, pipelines."""
import os
import shutil

from suite import Suite, digest

NOBODY = 65534
# ldconfig is static; passwd, su and mount are set-uid, chage is set-gid: the loader ignores the preload there.
COMMANDS = [
    "apt-get --version", "apt-cache policy bash", "apt-config dump", "dpkg-query -W", "dpkg -L coreutils",
    "ldconfig -p", "perl -V:version", "perl -Mthreads -e 'print $_->join for map { threads->create(sub { "
    "my %h; $h{$_} = \"x\" x $_ for 1 .. 3000; scalar keys %h }) } 1 .. 4'",
    "perl -e 'for (1 .. 40) { my $p = fork; exec \"true\" if !$p; waitpid $p, 0; print $? }'",
    "seq 200000 | sort --parallel=2 -R --random-source=/etc/passwd | sort -n | sha256sum",
    "tar -C /usr/share -cf - --sort=name --mtime=@0 perl | xz -T2 -1 | sha256sum",
    "find /usr/share/doc -maxdepth 2 | sort | awk '{ n[length($0)]++ } END { for (i in n) print i, n[i] }' | sort -n",
    "for i in $(seq 200); do echo $(expr $i \\* 3) $(basename /a/$i); done",
    "find /usr/share/perl -name '*.pm' -print0 | sort -z | xargs -0 -n 20 -P 2 cat | wc -c",
    "kill -TERM $$", "kill -SEGV $$", "exit 3", "no-such-program", "ulimit -v 200000; seq 1000 | sort | tail -1",
    "exec 0<&- 1>&- 2>&-; ls /", "cd /; exec -a another-name ls -d usr",
]
AS_NOBODY = ["passwd -S nobody", "su --version", "mount --version", "chage -l nobody", "su -c true root </dev/null"]


# Hundreds of short processes: not in the bounded part.
MANY_PROCESSES = ("for i", "xargs", "fork")


def run(turn, part):
    results = {}
    shell = turn.place.of_machine("bash")
    for command in COMMANDS:
        if part == "short" and any(word in command for word in MANY_PROCESSES):
            continue
        done = turn.run([shell, "-c", command], packaged=False)
        results[command] = f"{done.status} {digest(turn.normal(done.out + done.err))}"
    setpriv = shutil.which("setpriv")
    for command in AS_NOBODY if setpriv and os.geteuid() == 0 else []:
        done = turn.run([setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--", shell, "-c", command],
                        packaged=False, folder="/")
        results[f"as nobody: {command}"] = f"{done.status} {digest(turn.normal(done.out + done.err))}"
    return results


SUITES = [Suite("tools", "tools of the machine: apt's, static and set-uid ones, pipelines", run, ["commands"], ["short"])]
