"""Imported by holders.py: what a module keeps, and what it only refers to."""
import weakref

SEEN = {}
WEAK = []


class Ref(weakref.ref):
    pass


def see(count):
    for i in range(count):
        SEEN[i] = bytes(100 + i % 8)  # held by module held: SEEN (dict, 5,000 elements)
