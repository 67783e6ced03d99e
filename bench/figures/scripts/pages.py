"""What a web page does: objects, JSON, patterns, closures, sorting, exceptions; holds nothing between pages."""
import json
import re
import sys


class Item:
    def __init__(self, number, name, price):
        self.number = number
        self.name = name
        self.price = price
        self.tags = []

    def to_dict(self):
        return {"number": self.number, "name": self.name, "price": self.price, "tags": self.tags}


class Repository:
    def __init__(self):
        self.items = {}

    def add(self, item):
        self.items[item.number] = item

    def find(self, wanted):
        return [item for item in self.items.values() if wanted(item)]


def render(template, values):
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda match: str(values.get(match[1], "")), template)


def stock(page):
    repository = Repository()
    for i in range(60):
        item = Item(i, f"item-{i}-{page}", i * 1.5)
        item.tags = [f"t{i % 7}", f"u{i % 5}"]
        repository.add(item)
    return repository


def make_page(page):
    found = stock(page).find(lambda item: item.price > 20)
    found.sort(key=lambda item: -item.price)
    read = json.loads(json.dumps({"page": page, "rows": [item.to_dict() for item in found]}))
    lines = [render('<li id="{{ number }}">{{ name }} costs {{ price }}</li>', row) for row in read["rows"]]
    text = "\n".join(lines)
    words = {}
    for word in text.split(" "):
        words[word] = words.get(word, 0) + 1
    try:
        if page % 3 == 0:
            raise RuntimeError(f"page {page}")
    except RuntimeError as error:
        text += str(error)
    return len(text) * 31 + len(sorted(words.items(), key=lambda word: -word[1]))


class Worker:
    def __init__(self):
        self.digest = 0

    def handle(self, page):
        self.digest = (self.digest * 31 + make_page(page)) % 1_000_003

    def run(self, pages):
        for page in range(pages):
            self.handle(page)
        return self.digest


print(Worker().run(int(sys.argv[1])))
