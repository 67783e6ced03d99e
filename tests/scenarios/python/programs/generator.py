"""A generator that keeps what it has given, below another one that passes it on."""
import sys

from pace import paced

GIVEN = []


def rows(count):
    for number in range(count):
        row = "row %d with a text of its own" % number  # leak
        GIVEN.append(row)
        yield row


def filtered(count):
    yield from (row for row in rows(count) if row)


total = 0
for _ in paced(float(sys.argv[1]), 100):
    total += sum(1 for _ in filtered(40))
print(len(GIVEN) == total)
