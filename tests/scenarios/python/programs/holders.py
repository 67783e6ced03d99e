"""Keeps objects in every kind of holder; comments say how those that are made on the line are held."""
import collections
import gc
import sys
import time
import weakref

from held import WEAK, Ref, see


class Job:
    results = []

    def __init__(self):
        self.log = []

    def write(self, count):
        for i in range(count):
            self.log.append(bytes(100 + i % 8))  # held by module __main__: jobs['mail'] -> Job.log (list, 4,500 elements)

    @classmethod
    def finish(cls, count):
        for i in range(count):
            cls.results.append(bytes(100 + i % 8))  # held by module __main__: Job -> class Job.results (list, 4,000 elements)


class Slotted:
    __slots__ = ("data", "next")


class Plain:
    def __init__(self):
        self.body = None


def counter():
    kept = set()

    def count(number):
        for i in range(number):
            kept.add(b"%0100d" % i)  # held by module __main__: count -> kept of closure counter.<locals>.count() (set, 3,500 elements)
    return count


def with_default(number, kept=[]):
    for i in range(number):
        kept.append(bytes(100 + i % 8))  # held by module __main__: with_default -> default of with_default()[0] (list, 3,000 elements)


def numbers():
    held = []
    for i in range(2500):
        held.append(bytes(100 + i % 8))  # held by module __main__: generator -> local held in numbers() holders.py:54 (list, 2,500 elements)
    yield len(held)


def listed(number):
    first = None
    for i in range(number):
        node = Slotted()
        node.data = bytes(100 + i % 8)  # held by module __main__: chain -> Slotted.next -> Slotted.data
        node.next = first
        first = node
    return first


def pooled(number):
    plains = [Plain() for _ in range(number)]
    for i, plain in enumerate(plains):
        plain.body = bytes(100 + i % 8)  # held by module __main__: pool[*] (list, 1,800 elements) -> Plain.body
    return plains


def queued(number):
    queue = collections.deque()
    for i in range(number):
        queue.append(bytes(100 + i % 8))  # held by module __main__: queue (deque)
    return queue


def watched(number):
    plains = []
    for i in range(number):
        plain = Plain()
        plain.body = bytes(100 + i % 8)  # held by module __main__: strong['in']['lists'][*] (list, 1,600 elements) -> Plain.body
        WEAK.append((weakref.ref, Ref)[i % 2](plain))
        plains.append(plain)
    return {"in": {"lists": plains}}


def circled(number):
    node = Slotted()
    node.next = node
    node.data = []
    for i in range(number):
        node.data.append(bytes(100 + i % 8))  # held by Slotted object that no variable leads to -> Slotted.data (list, 1,500 elements)


def scanned(number):
    rows = []
    for i in range(number):
        rows.append(bytes(100 + i % 8))  # held by local rows in scanned() holders.py:103 (list, 1,400 elements)
    wait()


def wait():
    """Until it is killed, where the argument wants that."""
    print("ready", flush=True)
    while sys.argv[1] == "until-killed":
        time.sleep(0.002)
        bytes(1000)


gc.disable()
see(5000)
jobs = {"mail": Job()}
jobs["mail"].write(4500)
Job.finish(4000)
count = counter()
count(3500)
with_default(3000)
generator = numbers()
next(generator)
chain = listed(2000)
pool = pooled(1800)
queue = queued(1700)
strong = watched(1600)
circled(1500)
scanned(1400)
