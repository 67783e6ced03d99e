"""A cache of the program keeps what a package made."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "site-packages"))

import wire  # noqa: E402
from pace import paced  # noqa: E402

CACHE = {}


def fetch(number):
    return wire.read(number)  # leak


def keep(number, body):
    CACHE[number] = body  # container


def main():
    for number in paced(float(sys.argv[1]), 6000):
        keep(number, fetch(number))
    print(len(CACHE) == number + 1)


main()
