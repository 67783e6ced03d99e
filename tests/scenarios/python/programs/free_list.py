"""Tuples that Python keeps to use them again, as many as it will of one length; tuples that the program keeps, and such
that it keeps until it ends."""
import atexit
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
    waiting.append((number, number, number, number))  # leak until the end


def keep(number):
    kept.append((number, number))  # leak


is_killed = sys.argv[1] == "until-killed"
seconds = 60 if is_killed else float(sys.argv[1])
atexit.register(waiting.clear)
for number in paced(seconds, 400 if is_killed else 1800 / seconds):
    read(number)
    wait(number)
    keep(number)
    if is_killed and number == 700:
        print("ready", flush=True)
print(len(kept) > 100)
