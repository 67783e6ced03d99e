"""Compiles expressions of many shapes: the compiler goes down each of them by calling itself."""
import random

random.seed(7)


def expression(depth):
    if depth == 0:
        return random.choice(["a", "b[1]", "c.d", "7", "'text'"])
    left, right = expression(depth - 1), expression(random.randrange(depth))
    return random.choice(["({} + {})", "[{}, {}]", "f({}, k={})", "({} if {} else 1)", "{{{}: {}}}"]).format(left, right)


for _ in range(150):
    compile(expression(9), "shape.py", "eval")  # compiles
