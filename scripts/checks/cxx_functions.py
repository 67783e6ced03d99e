"""Finds the functions of a C++ file by counting braces.

This is no parser. It blanks comments, strings and preprocessor lines, follows braces, and takes a
brace for a function body when the text before it has a parameter list and is neither a type, a
namespace nor an initializer. That is enough to measure lengths in code formatted by clang-format.
"""

import re
from dataclasses import dataclass

# Comments, raw strings, strings, character literals (not digit separators), preprocessor lines.
_BLANKED = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'|^[ \t]*#(?:\\\n|[^\n])*",
    re.DOTALL | re.MULTILINE)
_SCOPE = re.compile(r"\b(?:namespace|class|struct|union|enum)\b|\bextern\s*$")
_MEMBER_INITIALIZER = re.compile(r"\)[^;]*[^:]:[^:].*[\w>]\s*$", re.DOTALL)


@dataclass(frozen=True)
class Function:
    header: str  # signature as written, without the body
    first_line: int
    lines: int


def _blank(match: re.Match) -> str:
    return re.sub(r"[^\n]", " ", match.group())


def _without_parentheses(text: str) -> str:
    previous = None
    while previous != text:
        previous, text = text, re.sub(r"\([^()]*\)", " ", text)
    return text


def _opens(header: str) -> str:
    """What a brace after `header` opens: "scope", "function", "member" or "value"."""
    outside = _without_parentheses(re.sub(r"\boperator\s*\S{1,3}\s*(?=\()", "operator", header))
    if _SCOPE.search(outside) and "(" not in header.replace("__attribute__((", ""):
        return "scope"
    if "(" not in header or "=" in outside.replace("==", ""):
        return "value"
    return "member" if _MEMBER_INITIALIZER.search(header) else "function"


def _closing(text: str, opening: int) -> int:
    depth = 0
    for position in range(opening, len(text)):
        if text[position] == "{":
            depth += 1
        elif text[position] == "}":
            depth -= 1
            if depth == 0:
                return position
    return len(text) - 1


def find_functions(source: str) -> list[Function]:
    text = _BLANKED.sub(_blank, source)
    functions = []
    start = position = 0  # `start`: where the declaration being read begins
    while position < len(text):
        char = text[position]
        if char == "{":
            kind = _opens(text[start:position])
            if kind == "scope":
                start = position + 1
            else:
                end = _closing(text, position)
                if kind == "function":
                    functions.append(_function(source, text, start, position, end))
                    start = end + 1
                position = end
        elif char in ";}":
            start = position + 1
        position += 1
    return functions


def _function(source: str, text: str, start: int, opening: int, end: int) -> Function:
    while text[start].isspace():
        start += 1
    return Function(source[start:opening].strip(), source.count("\n", 0, start) + 1,
                    source.count("\n", start, end) + 1)
