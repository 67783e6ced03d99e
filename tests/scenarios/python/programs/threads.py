"""Two threads, each of which keeps what the other one does not; a third one keeps nothing."""
import sys
import threading
import zlib

from pace import paced

FIRST, SECOND = [], []


def collect(number):
    FIRST.append("collected by the first thread: %d" % number)  # leak


def archive(number):
    SECOND.append(zlib.compress(b"%d" % number * 400))  # leak


def discard(number):
    return zlib.decompress(zlib.compress(b"%d" % number * 400))


def repeat(action):
    for number in paced(float(sys.argv[1]), 2000):
        action(number)


threads = [threading.Thread(target=repeat, args=(action,)) for action in (collect, archive, discard)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(zlib.decompress(SECOND[-1])[:1].isdigit())
