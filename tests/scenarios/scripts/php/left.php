<?php
// Reaches its limit of memory, gives up what it held in a function that PHP calls at the end, and
// uses that memory for other things.
$kept = [];
register_shutdown_function(function () {
    $GLOBALS['kept'] = null;
    $GLOBALS['other'] = [];
    for ($i = 0; $i < 3000; ++$i) {
        $GLOBALS['other'][] = str_repeat('o', 1000);
    }
    usleep(600000);
    echo count($GLOBALS['other']), "\n";
});
ini_set('memory_limit', '16M');
while (true) {
    $kept[] = str_repeat('k', 1000);  // keeps
}
