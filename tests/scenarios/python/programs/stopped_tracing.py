"""Strings made while tracemalloc is on, and released after it was stopped, all but 200."""
import sys
import tracemalloc

from pace import paced

ballast = bytearray(60 << 20)  # recording may begin with it
kept = []


def fill(number):
    kept.append("a text of its own, number %d" % number)  # makes


for number in paced(float(sys.argv[1]) / 2, 4000):
    fill(number)
tracemalloc.stop()
del kept[200:]
for number in paced(float(sys.argv[1]) / 4, 100):
    str(number)
print(len(ballast))
