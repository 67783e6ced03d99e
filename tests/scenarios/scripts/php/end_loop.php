<?php
// An event loop that runs when PHP says that the script has ended: in a function that it calls then, or in a
// destructor. usage: end_loop.php function|destructor [until-killed]
class Loop {
    public array $config = [];
    public array $seen = [];
    public bool $ends = true;

    public function run(): void {
        $this->config = [];  // what was made before the end goes, and others take its place
        for ($i = 0; $i < 4000; ++$i) {
            $this->seen[] = str_repeat('s', 200) . $i;  // held by global $loop -> Loop::$seen (array, 4,000 elements)
        }
        echo "ready\n";
        while (!$this->ends) {
            usleep(1000);
            str_repeat('t', 100 + mt_rand(0, 900));  // works
        }
        echo count($this->seen), "\n";
    }

    public function __destruct() {
        if (!$this->seen) {
            $this->run();
        }
    }
}

$loop = new Loop();
$loop->ends = !isset($argv[2]);
for ($i = 0; $i < 1000; ++$i) {
    $loop->config[] = str_repeat('c', 50 + $i % 4 * 1500) . $i;
}
if ($argv[1] === 'function') {
    register_shutdown_function([$loop, 'run']);
}
