"""Tuples that Python keeps to use them again, as many as it will of one length, and tuples that are kept."""
import sys

from pace import paced

kept = []
waiting = []


def halves(number):
    yield number
    yield number / 2
    yield number / 4


def read(number):
    # Made with room for ten, cut to three and released: the next one does not take its place.
    return len(tuple(halves(number)))  # cut


def wait(number):
    waiting.append((number, number, number, number))  # released


def keep(number):
    kept.append((number, number))  # leak


seconds = float(sys.argv[1])
for number in paced(seconds, 1800 / seconds):
    read(number)
    wait(number)
    keep(number)
waiting.clear()
print(len(kept) > 100)
