"""Modules that import each other, twelve deep; the innermost one keeps what it makes."""
import pathlib
import sys
import tempfile

DEPTH = 12

with tempfile.TemporaryDirectory() as folder:
    for number in range(DEPTH):
        text = f"import chain{number + 1:02}\n" if number + 1 < DEPTH else "kept = [bytes(3000) for _ in range(500)]\n"
        pathlib.Path(folder, f"chain{number:02}.py").write_text(text)
    sys.path.insert(0, folder)
    import chain00  # imports
    print(chain00.__name__)
