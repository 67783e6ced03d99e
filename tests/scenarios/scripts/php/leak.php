<?php
// A pool whose results are never taken out, beside work that gives everything back.
final class Result {
    private string $data;
    public function __construct(string $data) {
        $this->data = $data;
    }
}

final class Pool {
    private array $finished = [];

    public function run(int $task): void {
        $this->finished[] = new Result(str_repeat(chr(65 + $task % 26), 90));  // leaks
    }

    public function work(int $task): int {
        $parts = [];
        for ($i = 0; $i < 6; ++$i) {
            $parts[] = $task . str_repeat('.', 40);
        }
        return strlen(implode(',', $parts));
    }
}

$pool = new Pool();
$sum = 0;
$until = microtime(true) + (float)($argv[1] ?? 1.5);
for ($task = 0; microtime(true) < $until; ++$task) {
    $pool->run($task);
    $sum += $pool->work($task) > 0 ? 0 : 1;
    if ($task % 20 === 0) {
        usleep(500);
    }
}
echo "done $sum\n";
