"""Known numbers of objects at known lines: small ones, large ones, ones that were made larger."""
import sys

COUNT = int(sys.argv[1])


def small():
    return [b"%0100d" % i for i in range(COUNT)]  # small


def large():
    return [b"%02000d" % i for i in range(COUNT)]  # large


def freed():
    kept = [b"%0200d" % i for i in range(COUNT)]  # freed
    return len(kept)


def made_by_eval():
    kept = []
    for i in range(20):
        code = compile("\n" * i + "made = [b'%0150d' % n for n in range(30)]", "made%02d.py" % i, "exec")
        space = {}
        exec(code, space)
        kept.append(space["made"])
    return kept


def deep(levels):
    if levels == 0:
        return [b"%0300d" % i for i in range(COUNT)]  # deep
    return deep(levels - 1)


kept = [small(), large(), made_by_eval(), deep(200)]
freed()
print(sum(map(len, kept)))
