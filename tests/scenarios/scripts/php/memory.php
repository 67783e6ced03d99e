<?php
// What a script can see of its memory, and what happens at the limit.
$before = memory_get_usage();
$kept = [];
for ($i = 0; $i < 20000; ++$i) {
    $kept[] = str_repeat('x', 100 + $i % 50);
}
echo memory_get_usage() - $before, ' ', memory_get_peak_usage(true), "\n";
unset($kept);
gc_collect_cycles();
echo memory_get_usage() - $before, ' ', memory_get_usage(true), "\n";
register_shutdown_function(function (): void {
    $last = error_get_last();
    $GLOBALS['told'] = str_repeat('t', 2000);  // reports
    echo 'shutdown: ', $last === null ? 'no error' : substr($last['message'], 0, 30), "\n";
});
switch ($argv[1] ?? '') {
    case 'limit':
        ini_set('memory_limit', '16M');
        $all = [];
        while (true) {
            $all[] = str_repeat('y', 1000);  // fills
        }
    case 'throw':
        throw new LogicException('nobody catches this');
    case 'exit':
        exit(7);
}
