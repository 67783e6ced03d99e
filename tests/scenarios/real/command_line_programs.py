"""Programs that read a file and end: each a function (bench, name) -> Row."""
import json
import pathlib
import shutil

RECORDS = 60_000  # of the generated files: about 8 MB


def write_json(path, records=RECORDS):
    path.write_text(json.dumps([{"id": i, "name": f"name {i % 977}", "tags": [f"t{i % 7}", f"u{i % 11}"],
                                 "price": i * 7 % 1000 / 10, "note": "x" * (i % 60)}
                                for i in range(records)]))


def write_xml(path, records=RECORDS):
    lines = "".join(f'<record id="{i}"><name>name {i % 977}</name><note a="{i % 7}">{"x" * (i % 60)}</note>'
                      "</record>\n" for i in range(records))
    path.write_text(f"<?xml version='1.0'?>\n<records>\n{lines}</records>\n")


SQL = """
create table item(id integer primary key, name text, price real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 200000)
  insert into item select i, 'name ' || (i % 977), i * 7 % 1000 / 10.0 from n;
create index by_name on item(name);
select name, count(*), round(sum(price), 2) from item group by name order by 3 desc, 1 limit 20;
select a.name, count(*) from item a join item b on a.id = b.id + 1 where a.price > b.price group by 1 order by 2, 1 limit 20;
update item set name = upper(name) where id % 3 = 0;
select count(distinct name), group_concat(substr(name, 1, 1)) from (select name from item order by name limit 200);
select * from missing_table;
"""

PYTHON = """
import collections, json, re, sys
words = collections.Counter()
kept = []
for i in range(150_000):
    entry = {"id": i, "name": f"name {i % 977}", "path": ["a", str(i % 13)]}
    words[entry["name"]] += 1
    if i % 5 == 0:
        kept.append(json.loads(json.dumps(entry)))
print(sum(len(re.findall(r"[0-9]+", k["name"])) for k in kept), words.most_common(3))
print("to stderr", file=sys.stderr)
sys.exit(3)
"""

PHP = """<?php
class Item { public $name; public $tags = []; function __construct($i) { $this->name = "name " . ($i % 977); $this->tags[] = $i; } }
$kept = [];
for ($i = 0; $i < 200000; $i++) {
    $item = new Item($i);
    if ($i % 4 == 0) { $kept[] = $item; }
    if (ctype_digit((string) $i) && $i % 50000 == 0) { echo $i, " ", md5(serialize($item)), "\\n"; }
}
usort($kept, fn($a, $b) => strcmp($a->name, $b->name) ?: $a->tags[0] <=> $b->tags[0]);
echo count($kept), " ", $kept[1000]->name, " ", preg_replace('/[0-9]+/', '#', $kept[5]->name), "\\n";
exit(5);
"""

CXX = """#include <bits/stdc++.h>
#warning "a line to compare"
std::map<std::string, std::vector<std::regex>> table;
int unused_function() { return undeclared; }
"""


def run_jq(bench, name):
    source = bench.work / "large.json"
    write_json(source)
    program = "group_by(.name) | map({name: .[0].name, n: length, sum: (map(.price) | add)}) | sort_by(.n, .name) | .[:50]"
    return bench.compare(name, [bench.program("usr/bin/jq"), program, str(source)])


def run_xmllint(bench, name):
    source = bench.work / "large.xml"
    write_xml(source)
    return bench.compare(name, [bench.program("usr/bin/xmllint"), "--format", str(source)])


def run_sqlite3(bench, name):
    source = bench.work / "script.sql"
    source.write_text(SQL)
    return bench.compare(name, [bench.program("usr/bin/sqlite3"), ":memory:", f".read {source}"])


def run_python(bench, name):
    source = bench.work / "script.py"
    source.write_text(PYTHON)
    return bench.compare(name, [bench.program("usr/bin/python3.11"), "-S", "-s", str(source)],
                         {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0",
                          "PYTHONHOME": str(bench.root / "usr"), "PYTHONDONTWRITEBYTECODE": "1"})


def run_php(bench, name):
    source = bench.work / "script.php"
    source.write_text(PHP)
    # PHP opens every extension with RTLD_DEEPBIND, so one is loaded.
    extension = next((bench.root / "usr/lib/php").glob("*/ctype.so"))
    return bench.compare(name, [bench.program("usr/bin/php8.2"), "-n", "-d", f"extension={extension}",
                                "-d", "memory_limit=-1", str(source)], {"USE_ZEND_ALLOC": "0"})


def run_clang(bench, name):
    source = bench.work / "large.cpp"
    source.write_text(CXX)
    clang = shutil.which("clang-14") or bench.program("usr/lib/llvm-14/bin/clang")
    return bench.compare(name, [str(pathlib.Path(clang).resolve()), "-fsyntax-only", "-x", "c++", str(source)])


ALL = [("jq", run_jq), ("xmllint", run_xmllint), ("sqlite3", run_sqlite3), ("python3.11", run_python),
       ("php8.2", run_php), ("clang", run_clang)]
