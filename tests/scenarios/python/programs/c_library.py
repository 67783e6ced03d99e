"""A function of libc that is called from Python, and whose block nobody frees."""
import ctypes
import sys

from pace import paced

LIBC = ctypes.CDLL(None)
LIBC.strdup.restype = ctypes.c_void_p


def duplicate(text):
    return LIBC.strdup(text)  # leak


for _ in paced(float(sys.argv[1]), 4000):
    duplicate(b"a text that the library has copied for its caller")
print(True)
