"""A site in Flask: / makes a table and keeps nothing; /visit notes each visitor in a dictionary of the module,
for ever; /tree makes a tree whose nodes know their parents, which only Python's collector can free."""
import gc
import os

from flask import Flask, render_template_string, request

if os.environ.get("WITHOUT_GC"):
    gc.disable()

PAGE = "<ul>{% for row in rows %}<li>{{ row.name }} costs {{ row.price }}</li>{% endfor %}</ul>"
SEEN = {}

app = Flask(__name__)


class Node:
    def __init__(self, parent):
        self.parent = parent
        self.children = []
        self.text = "node of " + str(id(parent))


@app.get("/")
def table():
    rows = [{"name": f"item {i}", "price": i * 1.5} for i in range(20)]
    return render_template_string(PAGE, rows=rows)


@app.get("/visit")
def visit():
    number = request.args["number"]
    SEEN[number] = "visitor " + number * 20  # leaks visit
    return "noted"


@app.get("/tree")
def tree():
    root = Node(None)
    for _ in range(10):
        root.children.append(Node(root))  # leaks tree
    return str(len(root.children))
