"""Objects that refer to each other, with the collector of cycles switched off."""
import gc
import sys

from pace import paced


class Node:
    def __init__(self, name):
        self.name = name
        self.peer = None


def make_pair(number):
    left = Node("left of pair %d" % number)  # leak
    left.peer = Node(left.name)  # leak
    left.peer.peer = left


gc.disable()
for made in paced(float(sys.argv[1]), 4000):
    make_pair(made)
print(gc.isenabled())
