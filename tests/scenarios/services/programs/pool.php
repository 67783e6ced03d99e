<?php
// A worker whose pool runs tasks in child processes: pool.php WAY TASKS CLEAR PACE. Each task is a PHP of its own
// (WAY exec) or a fork, and has failed when it writes one byte to its standard error. One begins every PACE
// seconds, and what a busy machine holds up is made up for. The pool keeps tasks and results; both are dropped
// after every CLEAR tasks, never with 0.
declare(strict_types=1);

const ANSWER_BYTES = 5000;

function answer_of(int $number): string
{
    return str_repeat(chr(65 + $number % 26), ANSWER_BYTES);
}

abstract class Task
{
    protected string $output = '';
    private string $errors = '';

    /** The ends of its pipes, and what waits for its end. */
    protected function __construct(public readonly int $number, public readonly array $pipes)
    {
    }

    abstract protected function status(): int;

    /** The pipes that are not at their end yet. */
    public function open(): array
    {
        return array_values(array_filter($this->pipes, fn($pipe) => !feof($pipe)));
    }

    /** Takes what has come; false when that was all. */
    public function read(): bool
    {
        $this->output .= (string)fread($this->pipes[1], 65536);  // leaks finished
        $this->errors .= (string)fread($this->pipes[2], 65536);
        return $this->open() !== [];
    }

    public function succeeded(): bool
    {
        return $this->status() === 0 && $this->errors === '' && $this->output === answer_of($this->number);
    }

    public function result(): string
    {
        return strtolower($this->output);  // leaks results
    }
}

final class Command extends Task
{
    private $process;

    public static function start(int $number, float $seconds): self
    {
        $command = [PHP_BINARY, '-n', __FILE__, 'task', (string)$number, (string)$seconds];
        $process = proc_open($command, [1 => ['pipe', 'w'], 2 => ['pipe', 'w']], $pipes);
        $task = new self($number, $pipes);
        $task->process = $process;
        return $task;
    }

    protected function status(): int
    {
        return proc_close($this->process);
    }
}

final class Fork extends Task
{
    private int $pid;

    public static function start(int $number, float $seconds): self
    {
        $output = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
        $errors = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
        $pid = pcntl_fork();
        if ($pid === 0) {
            usleep((int)($seconds * 1e6));
            fwrite($output[1], answer_of($number));
            exit(0);
        }
        $task = new self($number, [1 => $output[0], 2 => $errors[0]]);
        $task->pid = $pid;
        return $task;
    }

    protected function status(): int
    {
        pcntl_waitpid($this->pid, $status);
        return pcntl_wexitstatus($status);
    }
}

final class Pool
{
    private array $inProgress = [];
    private array $finished = [];
    private array $results = [];
    public int $failed = 0;

    public function __construct(private readonly int $clear)
    {
    }

    public function add(Task $task): void
    {
        array_map(fn($pipe) => stream_set_blocking($pipe, false), $task->pipes);
        $this->inProgress[$task->number] = $task;
    }

    /** Takes what tasks write, and those that end, once at least and until that time or until none is left. */
    public function tend(float $until): void
    {
        while ($this->inProgress) {
            $left = max(0, min($until - microtime(true), 0.5));
            $ready = array_merge(...array_map(fn(Task $task) => $task->open(), array_values($this->inProgress)));
            $none = null;
            $ready && stream_select($ready, $none, $none, 0, (int)($left * 1e6));
            foreach ($this->inProgress as $task) {
                if (!$task->read()) {
                    $this->markAsFinished($task);
                }
            }
            if ($left === 0) {
                return;
            }
        }
    }

    private function markAsFinished(Task $task): void
    {
        unset($this->inProgress[$task->number]);
        array_map(fclose(...), $task->pipes);
        $this->failed += $task->succeeded() ? 0 : 1;
        $this->results[] = $task->result();
        $this->finished[$task->number] = $task;
        if ($this->clear && ($task->number + 1) % $this->clear === 0) {
            $this->finished = $this->results = [];
        }
    }
}

if ($argv[1] === 'task') {
    usleep((int)((float)$argv[3] * 1e6));
    echo answer_of((int)$argv[2]);
    exit(0);
}
[, $way, $tasks, $clear, $pace] = $argv;
$pool = new Pool((int)$clear);
$begin = microtime(true);
for ($i = 0; $i < (int)$tasks; $i++) {
    $pool->add(($way === 'exec' ? Command::class : Fork::class)::start($i, (float)$pace));
    $pool->tend($begin + ($i + 1) * (float)$pace);
    usleep((int)max(100, ($begin + ($i + 1) * (float)$pace - microtime(true)) * 1e6));
}
$pool->tend(INF);
echo "$i tasks, {$pool->failed} failed\n";
