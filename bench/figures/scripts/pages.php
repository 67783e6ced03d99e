<?php // What a web page does: objects, JSON, patterns, closures, sorting, exceptions; holds nothing between pages.
final class Item
{
    public array $tags = [];
    public ?Item $parent = null;

    public function __construct(public int $id, public string $name, public float $price)
    {
    }

    public function toArray(): array
    {
        return ['id' => $this->id, 'name' => $this->name, 'price' => $this->price, 'tags' => $this->tags];
    }
}

class Repository
{
    private array $items = [];

    public function add(Item $item): void
    {
        $this->items[$item->id] = $item;
    }

    public function find(callable $wanted): array
    {
        return array_values(array_filter($this->items, $wanted));
    }
}

class View
{
    public function render(string $template, array $values): string
    {
        $fill = fn($match) => htmlspecialchars((string)($values[$match[1]] ?? ''));
        return preg_replace_callback('/\{\{\s*(\w+)\s*\}\}/', $fill, $template);
    }
}

function stock(int $page): Repository
{
    $repository = new Repository;
    for ($i = 0; $i < 60; $i++) {
        $item = new Item($i, "item-$i-$page", $i * 1.5);
        $item->tags = ['t' . ($i % 7), 'u' . ($i % 5)];
        $repository->add($item);
    }
    return $repository;
}

function page(int $page): string
{
    $found = stock($page)->find(fn(Item $item) => $item->price > 20);
    usort($found, fn($a, $b) => $b->price <=> $a->price);
    $rows = array_map(fn(Item $item) => $item->toArray(), $found);
    $read = json_decode(json_encode(['page' => $page, 'rows' => $rows]), true);
    $view = new View;
    $text = '';
    foreach ($read['rows'] as $row) {
        $text .= $view->render('<li id="{{ id }}">{{ name }} costs {{ price }}</li>', $row) . "\n";
    }
    $words = array_count_values(explode(' ', strip_tags($text)));
    arsort($words);
    try {
        if ($page % 3 == 0) {
            throw new RuntimeException("page $page");
        }
    } catch (RuntimeException $exception) {
        $text .= $exception->getMessage();
    }
    return md5($text) . count($words);
}

final class Worker
{
    private string $digest = '';

    private function handle(int $page): void
    {
        $this->digest = md5($this->digest . page($page));
    }

    public function run(int $pages): string
    {
        for ($page = 0; $page < $pages; $page++) {
            $this->handle($page);
        }
        return $this->digest;
    }
}

echo (new Worker)->run((int)$argv[1]), "\n";
