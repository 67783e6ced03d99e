<?php
// amqp.php AUTOLOAD PORT SECONDS TRAP leaky|fixed: a RabbitMQ worker with one of the mistakes that such
// workers make, or without it. Publishes to a queue of its own and consumes from it, in steady traffic.
// A line that ends in "leaks TRAP" is the one that a report must name.
declare(strict_types=1);

require $argv[1];

use PhpAmqpLib\Channel\AMQPChannel;
use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Exception\AMQPTimeoutException;
use PhpAmqpLib\Message\AMQPMessage;

const MESSAGES_A_ROUND = 20;
const ROUND_US = 25_000;

final class Broker
{
    public function __construct(private int $port)
    {
    }

    public function connect(): AMQPStreamConnection
    {
        return new AMQPStreamConnection('127.0.0.1', $this->port, 'guest', 'guest');
    }
}

// What the worker does with each message. Round after round: publish, consume, and once more.
abstract class Worker
{
    protected AMQPStreamConnection $connection;
    protected AMQPChannel $channel;
    protected string $queue;
    protected int $prefetch = 100;

    public function __construct(protected Broker $broker, protected bool $leaky)
    {
    }

    public function run(float $seconds): int
    {
        $this->connection = $this->broker->connect();
        $this->channel = $this->connection->channel();
        [$this->queue] = $this->channel->queue_declare('', false, false, true, true);
        $this->channel->basic_qos(0, $this->prefetch, false);
        $consumed = 0;
        $this->channel->basic_consume($this->queue, '', false, false, false, false,
            function (AMQPMessage $message) use (&$consumed): void {
                $consumed++;
                try {
                    $this->handle($message);
                } catch (DomainException) {
                    $message->nack();
                }
            });
        $end = microtime(true) + $seconds;
        for ($round = 0; microtime(true) < $end; $round++) {
            $this->publish($round);
            $this->consume();
            usleep(ROUND_US);
        }
        return $consumed;
    }

    protected function publish(int $round): void
    {
        for ($i = 0; $i < MESSAGES_A_ROUND; $i++) {
            $body = "order $round.$i " . str_repeat('b', 300);
            $this->channel->basic_publish(new AMQPMessage($body, ['message_id' => "$round.$i"]), '', $this->queue);
        }
    }

    protected function consume(): void
    {
        for ($i = 0; $i < MESSAGES_A_ROUND; $i++) {
            try {
                $this->channel->wait(null, false, 0.02);
            } catch (AMQPTimeoutException) {
                return;
            }
        }
    }

    protected function handle(AMQPMessage $message): void
    {
        $message->ack();
    }
}

// A connection for each batch of messages, kept open.
final class ConnectionForEachPublish extends Worker
{
    private array $open = [];

    protected function publish(int $round): void
    {
        $connection = $this->broker->connect();                                    // leaks connections
        $this->open[] = $connection;
        $connection->channel()->basic_publish(new AMQPMessage("order $round"), '', $this->queue);
        if (!$this->leaky) {
            array_pop($this->open)->close();
            // What is closed is a cycle, left to PHP's collector, which comes rarely.
            if ($round % 20 === 0) {
                gc_collect_cycles();
            }
        }
    }
}

final class ChannelsKept extends Worker
{
    private array $channels = [];

    protected function handle(AMQPMessage $message): void
    {
        if (crc32($message->get('message_id')) % MESSAGES_A_ROUND === 0) {
            $channel = $this->connection->channel();                               // leaks channels
            $this->channels[] = $channel;
            if (!$this->leaky) {
                array_pop($this->channels)->close();
            }
        }
        $message->ack();
    }
}

// Messages that nobody acknowledges: the broker sends no more than it may, so what the worker keeps
// levels off, and it stands still. It is no leak of the worker.
final class NeverAcknowledged extends Worker
{
    protected int $prefetch = 1000;
    private array $waiting = [];

    protected function handle(AMQPMessage $message): void
    {
        if ($this->leaky) {
            $this->waiting[] = $message;
        } else {
            $message->ack();
        }
    }
}

final class UnboundedCache extends Worker
{
    private array $cache = [];

    protected function handle(AMQPMessage $message): void
    {
        $this->cache[$message->get('message_id')] = strtoupper($message->getBody());  // leaks cache
        if (!$this->leaky && count($this->cache) > 200) {
            unset($this->cache[array_key_first($this->cache)]);
        }
        $message->ack();
    }
}

final class State
{
    public function __construct(public string $id, public array $steps)
    {
    }
}

// What is noted of a message as its work begins stays where the work ends in an exception.
final class StatesLeftBehind extends Worker
{
    private array $inProgress = [];

    protected function handle(AMQPMessage $message): void
    {
        $id = $message->get('message_id');
        $this->inProgress[$id] = $this->begin($id);
        try {
            if (crc32($id) % 4 === 0) {
                throw new DomainException("order $id is not valid");
            }
            unset($this->inProgress[$id]);
            $message->ack();
        } finally {
            if (!$this->leaky) {
                unset($this->inProgress[$id]);
            }
        }
    }

    private function begin(string $id): State
    {
        return new State($id, ['received ' . microtime()]);                        // leaks states
    }
}

// The producer is faster: the queue grows in the broker, and the worker does not.
final class QueueBacklog extends Worker
{
    protected function publish(int $round): void
    {
        for ($i = 0; $i < ($this->leaky ? 5 : 1); $i++) {
            parent::publish($round);
        }
    }
}

// Waits for an answer that never comes.
final class BlockedWithoutTimeout extends Worker
{
    protected function consume(): void
    {
        if ($this->leaky) {
            $this->channel->queue_purge($this->queue);
            [$nobody, $waits] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
            fread($waits, 1);
        }
        parent::consume();
    }
}

// Messages are kept until a batch of them is full.
final class PrefetchLevelsOff extends Worker
{
    protected int $prefetch = 500;
    private array $batch = [];

    protected function handle(AMQPMessage $message): void
    {
        $this->batch[] = $message;
        if (count($this->batch) >= ($this->leaky ? 400 : 20)) {
            $message->ack(true);
            $this->batch = [];
        }
    }
}

// A heartbeat is planned for each message and never taken off the list.
final class HeartbeatsPileUp extends Worker
{
    private array $planned = [];

    protected function handle(AMQPMessage $message): void
    {
        $message->ack();
        $connection = $this->connection;
        $this->planned[] = function () use ($connection): void {                   // leaks heartbeats
            $connection->checkHeartBeat();
        };
        if (!$this->leaky) {
            array_shift($this->planned)();
        }
    }
}

// The channel is not closed where the work ends in an exception, and the connection keeps it.
final class ExceptionBeforeClose extends Worker
{
    protected function handle(AMQPMessage $message): void
    {
        if (crc32($message->get('message_id')) % MESSAGES_A_ROUND !== 0) {
            $message->ack();
            return;
        }
        $reply = $this->connection->channel();                                     // leaks closes
        try {
            throw new DomainException('no address to reply to');
        } finally {
            if (!$this->leaky) {
                $reply->close();
            }
        }
    }
}

const TRAPS = [
    'connections' => ConnectionForEachPublish::class,
    'channels' => ChannelsKept::class,
    'unacknowledged' => NeverAcknowledged::class,
    'cache' => UnboundedCache::class,
    'states' => StatesLeftBehind::class,
    'backlog' => QueueBacklog::class,
    'blocked' => BlockedWithoutTimeout::class,
    'prefetch' => PrefetchLevelsOff::class,
    'heartbeats' => HeartbeatsPileUp::class,
    'closes' => ExceptionBeforeClose::class,
];

[, , $port, $seconds, $trap, $variant] = $argv;
$worker = new (TRAPS[$trap])(new Broker((int)$port), $variant === 'leaky');
echo $worker->run((float)$seconds) > 0 ? "done\n" : "nothing was consumed\n";
