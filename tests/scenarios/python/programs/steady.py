"""What an ordinary program does, and keeps no more of as time goes by."""
import collections
import functools
import json
import random
import re
import sys

from pace import paced


class Order:
    __slots__ = ("number", "lines")

    def __init__(self, number, lines):
        self.number = number
        self.lines = lines

    def total(self):
        return sum(price * count for price, count in self.lines)


class Unknown(Exception):
    pass


@functools.lru_cache(maxsize=500)
def describe(number):
    return "order %d, described at some length" % number


def numbers(text):
    for match in re.finditer(r"\d+", text):
        yield int(match.group())


def serve(random_source, recent):
    number = random_source.randrange(3000)
    order = Order(number, [(random_source.randrange(100), i) for i in range(10)])
    text = json.dumps({"number": order.number, "total": order.total(), "text": describe(number)})
    recent.append(json.loads(text))
    try:
        if number % 7 == 0:
            raise Unknown(number)
    except Unknown as error:
        text += str(error)
    return sum(numbers(text))


def main():
    random_source = random.Random(7)
    recent = collections.deque(maxlen=200)
    total = 0
    for _ in paced(float(sys.argv[1]), 3000):
        total += serve(random_source, recent)
    print(total > 0)


main()
