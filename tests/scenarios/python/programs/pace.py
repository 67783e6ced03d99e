"""Work at an even pace, on a machine that is busy with other things, too."""
import time


def paced(seconds, rate):
    """Numbers from 0 on, `rate` a second for so many seconds; what is late is made up for."""
    start = time.monotonic()
    number = 0
    while True:
        elapsed = time.monotonic() - start
        if elapsed >= seconds:
            return
        while number < elapsed * rate:
            yield number
            number += 1
        time.sleep(0.005)
