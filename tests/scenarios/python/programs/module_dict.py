"""A dictionary of the module that remembers every key it was asked for."""
import sys

from pace import paced

SEEN = {}


def lookup(number):
    key = "session-%08d" % number  # leak
    SEEN[key] = None
    return len(SEEN)


def main():
    for number in paced(float(sys.argv[1]), 6000):
        last = lookup(number)
    print(len(SEEN) == last)


main()
