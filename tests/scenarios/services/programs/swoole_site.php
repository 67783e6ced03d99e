<?php
// A site in Swoole: swoole_site.php MODE PORT WORKERS, MODE process or base. /visit notes each request
// in a static property, /later keeps a closure for it, / keeps nothing. Every other request sleeps in its
// coroutine, while others run on stacks of their own.
declare(strict_types=1);

final class Audit
{
    public static array $seen = [];

    public static function note(int $number): void
    {
        self::$seen[] = "visit $number " . str_repeat('v', 200);  // leaks visit
    }
}

final class Later
{
    private array $tasks = [];

    public function add(int $number): void
    {
        $this->tasks[] = function () use ($number): string {  // leaks later
            return "task $number";
        };
    }
}

function page(): string
{
    $rows = array_map(fn(int $i): array => ['id' => $i, 'name' => "item $i", 'price' => $i * 1.5], range(1, 30));
    $found = array_filter(json_decode(json_encode($rows), true), fn(array $row): bool => $row['price'] > 20);
    return implode("\n", array_map(fn(array $row): string => '<li>' . htmlspecialchars($row['name']) . '</li>', $found));
}

$server = new Swoole\Http\Server('127.0.0.1', (int)$argv[2], $argv[1] === 'base' ? SWOOLE_BASE : SWOOLE_PROCESS);
$server->set(['worker_num' => (int)$argv[3], 'dispatch_mode' => 1, 'log_level' => SWOOLE_LOG_WARNING, 'enable_coroutine' => true]);
$later = new Later();
$number = 0;
$server->on('request', function ($request, $response) use ($later, &$number): void {
    $path = $request->server['request_uri'];
    $mine = ++$number;
    if ($mine % 2 === 0) {
        Swoole\Coroutine::sleep(0.002);
    }
    if ($path === '/visit') {
        Audit::note($mine);
    } elseif ($path === '/later') {
        $later->add($mine);
    }
    $response->end(page());
});
$server->start();
