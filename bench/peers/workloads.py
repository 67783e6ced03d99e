"""The programs: inputs that the script writes itself, and the command lines over them.

Sizes are chosen so that each runs natively for 1 to 3 seconds on the machine of README.md. `scale`
makes the inputs smaller for a quick look; figures of different scales are not comparable.
"""
import dataclasses
import pathlib
import shutil
import subprocess

import command_line_programs
from harness import Trouble


@dataclasses.dataclass
class Workload:
    """A program, its command line, and the settings it always has (plain too). variants: another
    command line for a tool that must be compiled in."""
    name: str
    title: str
    command: list
    settings: dict = dataclasses.field(default_factory=dict)
    variants: dict = dataclasses.field(default_factory=dict)


SQL = """
create table item(id integer primary key, name text, price real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < {rows})
  insert into item select i, 'name ' || (i % 977), i * 7 % 1000 / 10.0 from n;
create index by_name on item(name);
select name, count(*), round(sum(price), 2) from item group by name order by 3 desc, 1 limit 20;
select a.name, count(*) from item a join item b on a.id = b.id + 1 where a.price > b.price group by 1 order by 2, 1 limit 20;
update item set name = upper(name) where id % 3 = 0;
select count(distinct name), group_concat(substr(name, 1, 1)) from (select name from item order by name limit 200);
"""
SQL_LOOKUP = "select name, round(price * 2, 1) from item where id between {first} and {first} + 3 and name like '%{digit}%';\n"

PYTHON = """
import collections, json, re
class Node:
    def __init__(self, key, left, right):
        self.key, self.left, self.right = key, left, right
def tree(low, high):
    if low >= high:
        return None
    middle = (low + high) // 2
    return Node(middle, tree(low, middle), tree(middle + 1, high))
def depth(node):
    return 0 if node is None else 1 + max(depth(node.left), depth(node.right))
words = collections.Counter()
kept = collections.deque(maxlen=20_000)
found = 0
for i in range({turns}):
    entry = {{"id": i, "name": f"name {{i % 977}}", "path": ["a", str(i % 13)], "price": i / 7}}
    words[entry["name"]] += 1
    kept.append(json.loads(json.dumps(entry)) if i % 3 == 0 else dict(entry))
    found += len(re.findall(r"[0-9]+", entry["name"]))
    if i % 3_000 == 0:
        found += depth(tree(0, 3_000))
print(found, len(kept), words.most_common(3), sum(k["price"] for k in kept))
"""

PHP = """<?php
class Item {{
    public $name; public $tags = []; public $next = null;
    function __construct($i) {{ $this->name = "name " . ($i % 977); $this->tags[] = $i; $this->tags["k" . $i % 13] = "t$i"; }}
}}
function build($i) {{ $item = new Item($i); if ($i % 5 == 0) {{ $item->next = new Item($i + 1); }} return $item; }}
$kept = []; $length = 0;
for ($i = 0; $i < {turns}; $i++) {{
    $item = build($i);
    $kept[$i % 40000] = $item;
    $length += strlen(implode(",", array_map(fn($t) => "<$t>", $item->tags)));
    if ($i % 10 == 0) {{ $length += strlen(serialize($item)) + count(explode(" ", str_repeat("word ", 20))); }}
    if (ctype_digit((string) $i) && $i % 100000 == 0) {{ echo $i, " ", md5(serialize($item)), "\\n"; }}
}}
usort($kept, fn($a, $b) => strcmp($a->name, $b->name) ?: $a->tags[0] <=> $b->tags[0]);
echo count($kept), " ", $kept[1000]->name, " ", $length, "\\n";
"""

CXX = """{includes}
std::map<std::string, std::vector<std::regex>> table;
template <int N> struct Chain {{ std::tuple<std::array<int, N>, std::map<int, Chain<N - 1>>> next; }};
template <> struct Chain<0> {{ int end; }};
Chain<{depth}> chain;
"""

JQ = "group_by(.name) | map({name: .[0].name, n: length, sum: (map(.price) | add)}) | sort_by(.n, .name) | .[:50]"


def jq(programs, scale):
    source = programs.work / "large.json"
    command_line_programs.write_json(source, int(90_000 * scale))
    return Workload("jq", "group and sum an array of records", [programs.program("usr/bin/jq"), JQ, source])


def xmllint(programs, scale):
    source = programs.work / "large.xml"
    # Several documents, since jemalloc spends a page on each block it samples: 20 GB for all at once.
    command_line_programs.write_xml(source, int(100_000 * scale))
    return Workload("xmllint", "parse eight documents into trees, one after the other",
                    [programs.program("usr/bin/xmllint"), "--noout", *[source] * 8])


def sqlite3(programs, scale):
    source = programs.work / "script.sql"
    rows = int(250_000 * scale)
    lookups = (SQL_LOOKUP.format(first=i * 37 % rows, digit=i % 10) for i in range(rows // 10))
    source.write_text(SQL.format(rows=rows) + "".join(lookups))
    return Workload("sqlite3", "fill, join and query a table in memory",
                    [programs.program("usr/bin/sqlite3"), ":memory:", f".read {source}"])


def php(programs, scale):
    source = programs.work / "script.php"
    source.write_text(PHP.format(turns=int(700_000 * scale)))
    # PHP opens every extension with RTLD_DEEPBIND, so one is loaded.
    extension = next((programs.root / "usr/lib/php").glob("*/ctype.so"))
    return Workload("php", "objects, arrays and strings, USE_ZEND_ALLOC=0",
                    [programs.program("usr/bin/php8.2"), "-n", "-d", f"extension={extension}",
                     "-d", "memory_limit=-1", source], {"USE_ZEND_ALLOC": "0"})


def python(programs, scale):
    source = programs.work / "script.py"
    source.write_text(PYTHON.format(turns=int(200_000 * scale)))
    return Workload("python", "dicts, JSON, regular expressions and trees, PYTHONMALLOC=malloc",
                    [programs.program("usr/bin/python3.11"), "-S", "-s", source],
                    {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0",
                     # The packages hold no compiled modules; the first run, not measured, writes them.
                     "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(programs.work / "pycache"),
                     "PYTHONHOME": str(programs.root / "usr")})


def clang(programs, scale):
    source = programs.work / "large.cpp"
    headers = ["bits/stdc++.h"] if scale == 1 else ["array", "map", "regex", "tuple"]
    includes = "\n".join(f"#include <{header}>" for header in headers)
    source.write_text(CXX.format(includes=includes, depth=max(1, int(20 * scale))))
    found = shutil.which("clang-14") or programs.program("usr/lib/llvm-14/bin/clang")
    return Workload("clang", "-fsyntax-only over all of the standard library's headers",
                    [pathlib.Path(found).resolve(), "-fsyntax-only", "-std=c++20", "-x", "c++", source])


def mini(programs, scale):
    """The project's own program, with LeakSanitizer compiled in and without."""
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        raise Trouble("no C++ compiler")
    source = pathlib.Path(__file__).resolve().parent / "mini.cpp"
    pages = str(int(2_500 * scale))
    built, commands = {"plain": [], "lsan": ["-fsanitize=leak"]}, {}
    for name, options in built.items():
        program = programs.work / f"mini-{name}"
        done = subprocess.run([compiler, "-std=c++20", "-O2", "-g", "-fno-omit-frame-pointer", *options,
                               source, "-o", program], capture_output=True, check=False)
        if done.returncode == 0:
            commands[name] = [program, pages]
    if "plain" not in commands:
        raise Trouble("mini.cpp does not compile")
    return Workload("mini", "bench/peers/mini.cpp: words in maps, lists and trees", commands.pop("plain"),
                    variants=commands)


SIX = {"jq": jq, "xmllint": xmllint, "sqlite3": sqlite3, "php": php, "python": python, "clang": clang}
ALL = {**SIX, "mini": mini}


def prepare(name, programs, scale):
    """The workload, its input written. Raises Trouble when the program is not there."""
    try:
        return ALL[name](programs, scale)
    except StopIteration as error:
        raise Trouble("the packages lack a file") from error
