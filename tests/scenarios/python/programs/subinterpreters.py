"""Code in a second interpreter of the process, and a child that goes on by itself."""
import os
import sys
import textwrap

try:
    import _xxsubinterpreters as interpreters
except ImportError:
    try:
        import _interpreters as interpreters
    except ImportError:
        interpreters = None

for _ in range(3):
    if interpreters is None:
        break
    other = interpreters.create()
    interpreters.run_string(other, textwrap.dedent("""
        import json
        kept = [json.dumps({"number": i}) for i in range(2000)]
    """))
    interpreters.destroy(other)
kept = ["main %d" % i for i in range(2000)]
child = os.fork()
if child == 0:
    kept += ["child %d" % i for i in range(2000)]
    sys.exit(len(kept) // 2000)
print(os.waitpid(child, 0)[1] >> 8)
