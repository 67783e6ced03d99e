"""What the pictures of scripts share: matplotlib without a display, colours that the colour-blind tell apart,
plain axes, texts that come from other people's programs.
"""
import sys
import unicodedata
import warnings

# Okabe and Ito: told apart in every common kind of colour blindness, and in grey by their lightness.
BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#000000", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
GREY, GRID = "#5f6368", "#e8eaed"


class NoMatplotlib(Exception):
    pass


def load():
    """matplotlib's pyplot, which draws into files only."""
    try:
        import matplotlib
    except ImportError as error:
        raise NoMatplotlib(f"{sys.executable} cannot load matplotlib ({error}): install python3-matplotlib and start the script "
                           "by the python3 that it is for, Debian's /usr/bin/python3") from None
    matplotlib.use("Agg")
    # Texts stay texts in SVG, so that they can be searched and copied; the same data give the same file.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "seep", "font.size": 10})
    warnings.filterwarnings("ignore", message="Glyph .* missing")  # a name in a script that the font lacks
    from matplotlib import pyplot
    return pyplot


def plain(axis, grid):
    """No frame, and grid lines behind what is drawn; `grid`: "x", "y" or "both"."""
    for side in ("top", "right") + (("left",) if grid == "x" else ()):
        axis.spines[side].set_visible(False)
    axis.grid(axis=grid, color=GRID)
    axis.set_axisbelow(True)


def save(figure, file, **more):
    """The ending of `file` says the format, unless `format` is given."""
    kind = more.get("format") or str(file).rsplit(".", 1)[-1]
    figure.savefig(file, dpi=120, metadata={"Date": None} if kind == "svg" else None, **more)


def text(words, most=0):
    """As matplotlib draws it letter by letter: no formula between two $, nothing that SVG or a reader of it
    takes for more than text; cut in the middle where it is longer than `most`."""
    if most and len(words) > most:
        words = words[:most - most // 3 - 1] + "…" + words[-(most // 3):]
    visible = "".join(letter if unicodedata.category(letter)[0] != "C" else f"\\u{ord(letter):04x}"
                      for letter in words)
    return visible.replace("$", r"\$")
