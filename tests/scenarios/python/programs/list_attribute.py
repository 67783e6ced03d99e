"""An attribute that is appended to and never emptied."""
import sys

from pace import paced


class Pool:
    def __init__(self):
        self.results = []
        self.scratch = None

    def work(self, number):
        self.scratch = [str(number + i) for i in range(20)]

    def run(self, number):
        self.work(number)
        self.results.append("result %d of a task that nobody asks for again" % number)  # leak


pool = Pool()
for number in paced(float(sys.argv[1]), 4000):
    pool.run(number)
print(pool.results[-1].startswith("result"))
