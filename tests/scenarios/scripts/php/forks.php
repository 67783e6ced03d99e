<?php
// The child keeps what its parent does not.
function keep_in_child(array &$kept): void {
    for ($i = 0; $i < 4000; ++$i) {
        $kept[] = str_repeat('c', 200);  // keeps 4000
    }
}

$kept = [];
for ($i = 0; $i < 1000; ++$i) {
    $kept[] = str_repeat('p', 150);
}
$child = pcntl_fork();
if ($child === 0) {
    keep_in_child($kept);
    usleep(300000);
    exit(3);
}
pcntl_waitpid($child, $status);
echo 'child ', pcntl_wexitstatus($status), "\n";
