<?php
// A worker with one pool of spatie/async for its whole life: spatie_pool.php AUTOLOAD TASKS CLEAR. The pool keeps
// each finished task and its result; both are cleared after every CLEAR tasks, never with 0.
declare(strict_types=1);

use Spatie\Async\Pool;

require $argv[1];

const BATCH = 8;

/** Outside of classes, so that the child needs none of them. */
function task(int $number): Closure
{
    return static fn(): string => str_repeat(chr(65 + $number % 26), 5000);
}

final class Dispatcher
{
    private Pool $pool;
    public int $succeeded = 0;
    public int $failed = 0;

    public function __construct(string $autoload)
    {
        $this->pool = Pool::create()->concurrency(4)->sleepTime(2000)->autoload($autoload);
    }

    public function submit(int $number): void
    {
        $task = $this->pool->add(task($number));
        $task->then(function (): void { $this->succeeded++; })->catch(function (): void { $this->failed++; });
    }

    public function drain(): void
    {
        $this->pool->wait();  // drains
    }

    public function clear(): void
    {
        $this->pool->clearFinished();
        $this->pool->clearResults();
    }
}

$dispatcher = new Dispatcher($argv[1]);
[, , $tasks, $clear] = array_map('intval', $argv);
for ($i = 0; $i < $tasks; $i += BATCH) {
    for ($j = 0; $j < BATCH; $j++) {
        $dispatcher->submit($i + $j);
    }
    $dispatcher->drain();
    if ($clear && ($i + BATCH) % $clear === 0) {
        $dispatcher->clear();
    }
}
echo "{$dispatcher->succeeded} succeeded, {$dispatcher->failed} failed\n";
