"""Coroutines: one that remembers each of its answers, called through two others."""
import asyncio
import sys
import time

ANSWERS = []


async def answer(number):
    await asyncio.sleep(0)
    text = "answer %d" % number
    ANSWERS.append({"number": number, "text": text})  # leak
    return text


async def serve(number):
    return len(await answer(number))


async def main():
    seconds, start, number = float(sys.argv[1]), time.monotonic(), 0
    while time.monotonic() - start < seconds:
        while number < (time.monotonic() - start) * 2000:
            await asyncio.gather(*(serve(number + i) for i in range(20)))
            number += 20
        await asyncio.sleep(0.005)
    print(len(ANSWERS) == number)


asyncio.run(main())
