<?php
// Each line with a mark keeps something; the test counts what is booked there.
final class Keeper {
    public array $kept = [];
    public function __get(string $name): int {
        $this->kept[] = str_repeat('g', 300);  // keeps 500
        return 1;
    }
    public static function build(int $i): array {
        return [$i, "k$i",
                str_repeat('b', 200)];  // keeps 500
    }
}

function numbers(array &$into): Generator {
    for ($i = 0; $i < 500; ++$i) {
        $into[] = str_repeat('n', 400);  // keeps 500
        yield $i;
    }
}

function through_fiber(array &$into): void {
    $fiber = new Fiber(function () use (&$into): void {
        $into[] = str_repeat('F', 500);  // keeps 500 in a fiber
        Fiber::suspend();
        $into[] = str_repeat('G', 500);  // keeps 500 in a fiber
    });
    $fiber->start();
    $fiber->resume();
}

$keeper = new Keeper();
$kept = [];
foreach (numbers($kept) as $ignored) {
}
for ($i = 0; $i < 500; ++$i) {
    $ignored = $keeper->missing;
    $kept[] = Keeper::build($i);
    if (PHP_VERSION_ID >= 80100) {
        through_fiber($kept);
    }
    $kept[] = array_map(fn(int $n) => str_repeat('m', 100 + $n), [$i % 3]);  // keeps 1500
    $kept[] = eval('return str_repeat("e", 600);');  // keeps 500 in eval()'d code
    try {
        throw new RuntimeException("$i");
    } catch (RuntimeException $e) {
        $kept[] = $e;
        $kept[] = str_repeat('c', 700);  // keeps 500
    }
}
include __DIR__ . '/included.php';
echo count($kept), "\n";
