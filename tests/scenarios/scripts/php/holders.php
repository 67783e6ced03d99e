<?php
// Values that stay, each held in its own way, and a moment in which a scan is made. The comment tells how
// the objects made on the line are held.

class Registry
{
    public static array $services = [];
    public static array $log = [];
}

class BodyCache
{
    private array $cache = [];

    public function fill(): void
    {
        for ($i = 0; $i < 5000; ++$i) {
            $this->cache[] = str_repeat('b', 40 + $i % 8);  // held by static Registry::$services["cache"] -> BodyCache::$cache (array, 5,000 elements)
        }
    }
}

class Channel
{
    public $body;
    public $next;
}

class Worker
{
    protected $seen = [];

    public function handler(): Closure
    {
        return function (int $count): void {
            for ($i = 0; $i < $count; ++$i) {
                $this->seen[] = str_repeat('s', 40 + $i % 8);  // held by global $handlers["seen"] -> $this of closure at holders.php:35 -> Worker::$seen (array, 3,000 elements)
            }
        };
    }
}

function counted(int $count): array
{
    static $lines = [];
    for ($i = 0; $i < $count; ++$i) {
        $lines["line $i"] = new Channel();  // held by static $lines in counted() (array, 2,500 elements)
    }
    return [];
}

function listed(int $count): ?Channel
{
    $first = null;
    for ($i = 0; $i < $count; ++$i) {
        $channel = new Channel();  // held by global $chain -> Channel::$next (Channel, 1,999 times)
        $channel->next = $first;
        $first = $channel;
    }
    return $first;
}

function counter(): Closure
{
    $kept = [];
    return function (int $count) use (&$kept): void {
        for ($i = 0; $i < $count; ++$i) {
            $kept[] = str_repeat('k', 40 + $i % 8);  // held by global $handlers["kept"] -> $kept of closure at holders.php:66 (array, 1,500 elements)
        }
    };
}

function numbers(): Generator
{
    $held = [];
    for ($i = 0; $i < 1400; ++$i) {
        $held[] = str_repeat('n', 40 + $i % 8);  // held by global $numbers -> local $held in numbers() holders.php:79 (array, 1,400 elements)
    }
    yield count($held);
}

function scanned(): void
{
    $local = [];
    for ($i = 0; $i < 1300; ++$i) {
        $local[] = str_repeat('l', 40 + $i % 8);  // held by local $local in scanned() holders.php:88 (array, 1,300 elements)
    }
    wait();
}

// Until it is ended, where an argument wants that; else for a second and a half.
function wait(): void
{
    global $argv;
    $end = microtime(true) + 1.5;
    echo "ready\n";
    while (isset($argv[1]) || microtime(true) < $end) {
        usleep(2000);
        $work = str_repeat('w', mt_rand(100, 200));
    }
}

Registry::$services['cache'] = new BodyCache();
Registry::$services['cache']->fill();

for ($i = 0; $i < 4500; ++$i) {
    Registry::$log[] = str_repeat('r', 40 + $i % 8);  // held by static Registry::$log (array, 4,500 elements)
}

for ($i = 0; $i < 4000; ++$i) {
    $channels[] = new Channel();  // held by global $channels (array, 4,000 elements)
}
foreach ($channels as $i => $channel) {
    $channel->body = str_repeat('c', 40 + $i % 8);  // held by global $channels[*] (array, 4,000 elements) -> Channel::$body
}
unset($channel);

$handlers = ['seen' => (new Worker())->handler(), 'kept' => counter()];
$handlers['seen'](3000);
$handlers['kept'](1500);

counted(2500);
$chain = listed(2000);

$numbers = numbers();
$numbers->current();

$queue = new SplQueue();
for ($i = 0; $i < 1200; ++$i) {
    $queue->enqueue(str_repeat('q', 40 + $i % 8));  // held by global $queue (SplQueue)
}

$loose = new Channel();
$loose->next = $loose;
for ($i = 0; $i < 1100; ++$i) {
    $loose->body[] = str_repeat('o', 40 + $i % 8);  // held by Channel object that no variable leads to -> Channel::$body (array, 1,100 elements)
}
unset($loose);

$pools = ['a' => [], 'b' => [], 'c' => []];
foreach (['a', 'b', 'c'] as $name) {
    for ($i = 0; $i < 350; ++$i) {
        $pools[$name][] = str_repeat('p', 40 + $i % 8);  // held by global $pools (array, 3 elements)
    }
}

scanned();
