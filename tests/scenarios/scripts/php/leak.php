<?php
// A pool whose results are never taken out, beside work that gives everything back.
// usage: leak.php [SECONDS [TASKS]]: so many tasks a second, what is late is made up for; without, as many as it can.
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
$begin = microtime(true);
$seconds = (float)($argv[1] ?? 1.5);
$pace = (float)($argv[2] ?? INF);
for ($task = 0; ($elapsed = microtime(true) - $begin) < $seconds; ++$task) {
    if ($task >= $elapsed * $pace) {
        usleep(1000);
        --$task;
        continue;
    }
    $pool->run($task);
    $sum += $pool->work($task) > 0 ? 0 : 1;
    if ($task % 20 === 0) {
        usleep(500);
    }
}
echo "done $sum\n";
