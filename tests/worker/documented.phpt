--TEST--
The examples of docs/long-running.md give one trace for each request or job, with the right parents
--EXTENSIONS--
opa
--SKIPIF--
<?php
require __DIR__ . '/../utils/extension.inc';
opa_test_extension_missing() === null || die('skip ' . opa_test_extension_missing());
?>
--INI--
opa.spool_dir={PWD}/documented.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/worker.inc';

/** The code below a heading. */
function example(string $heading): string
{
	$text = file_get_contents(__DIR__ . '/../../docs/long-running.md');
	preg_match('/^## ' . preg_quote($heading, '/') . '\n.*?```php\n(.*?)```/ms', $text, $m);
	return $m[1] ?? throw new RuntimeException("no example $heading");
}

function tell(string $what, array $run): void
{
	show($what, $run['exit'], $run['signal']);
	echo $run['out'];
	$traces = opa_test_worker_traces($run['spans']);
	sort($traces); // those of requests that run side by side
	echo '  ', implode("\n  ", $traces), "\n";
}

$sent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/* ---- a queue ---- */

$run = opa_test_run(<<<'PHP'
<?php
final class Queue
{
	public function __construct(private array $messages) {}
	public function receive(): ?object { return array_shift($this->messages); }
	public function reject(object $message): void { echo "rejected {$message->id}\n"; }
}
final class Handler
{
	public function handle(object $message): void
	{
		opa_trace("handle {$message->id}", fn () => $message->id === 3 ? throw new Exception('ill') : opa_end_span(opa_start_span('below')));
	}
}
$message = fn (int $id, array $headers = []) => (object) ['queue' => 'orders', 'id' => $id, 'headers' => $headers];
$queue = new Queue([$message(1), $message(2, ['traceparent' => getenv('SENT')]), $message(3), $message(4)]);
$handler = new Handler;
PHP . "\n" . example('A queue worker'), ['env' => ['SENT' => $sent]]);
tell('queue', $run);
show('goes on', array_count_values(array_column($run['spans'], 'trace'))['0af7651916cd43dd8448eb211c80319c'] ?? 0);

/* ---- RoadRunner: a loop over a pipe ---- */

$requests = '';
foreach ([['GET', '/a', []], ['POST', '/b', ['Traceparent' => [$sent]]], ['GET', '/broken', []], ['GET', '/unavailable', []], ['GET', '/last', []]] as $i => $request) {
	$requests .= json_encode($request) . "\n";
}
@mkdir(opa_test_spool(), 0700, true);
file_put_contents(opa_test_spool() . '/pipe', $requests);
$run = opa_test_run(<<<'PHP'
<?php
final class Uri
{
	public function __construct(private string $path) {}
	public function getPath(): string { return $this->path; }
	public function getScheme(): string { return 'http'; }
}
final class Request
{
	public function __construct(private string $method, private string $path, private array $headers) {}
	public function getMethod(): string { return $this->method; }
	public function getUri(): Uri { return new Uri($this->path); }
	public function getHeaders(): array { return $this->headers; }
}
final class Response
{
	public function __construct(private int $status, public string $body) {}
	public function getStatusCode(): int { return $this->status; }
}
/** Requests come by one pipe, a line each; answers go by another. */
final class PSR7Worker
{
	private $in;
	public function __construct() { $this->in = popen('cat ' . escapeshellarg(getenv('PIPE')), 'r'); }
	public function waitRequest(): ?Request
	{
		$line = fgets($this->in);
		return $line === false ? null : new Request(...json_decode($line, true));
	}
	public function respond(Response $response): void { echo $response->getStatusCode(), ' ', $response->body, "\n"; }
	public function getWorker(): self { return $this; }
	public function error(string $text): void { echo "error\n"; }
}
final class App
{
	public function handle(Request $request): Response
	{
		$path = $request->getUri()->getPath();
		return opa_trace("controller $path", function () use ($path): Response {
			opa_end_span(opa_start_span('query'));
			return match ($path) {
				'/broken' => throw new Exception('broken'),
				'/unavailable' => new Response(503, 'later'),
				default => new Response(200, "answer of $path"),
			};
		});
	}
}
$worker = new PSR7Worker;
$app = new App;
PHP . "\n" . example('RoadRunner'), ['env' => ['PIPE' => opa_test_spool() . '/pipe']]);
tell('RoadRunner', $run);
show('goes on', array_count_values(array_column($run['spans'], 'trace'))['0af7651916cd43dd8448eb211c80319c'] ?? 0);

/* ---- Swoole: a fiber for each request, many at a time ---- */

$run = opa_test_run(<<<'PHP'
<?php
final class Server
{
	private Closure $handler;
	public function on(string $event, Closure $handler): void { $this->handler = $handler; }
	/** All requests are there at once; whose turn it is the dice say. */
	public function start(array $requests): void
	{
		$fibers = [];
		foreach ($requests as $request) {
			$fibers[] = $fiber = new Fiber($this->handler);
			$fiber->start($request, new Response);
		}
		mt_srand(1);
		while ($fibers = array_filter($fibers, fn (Fiber $f) => !$f->isTerminated())) {
			$fibers[array_rand($fibers)]->resume();
		}
	}
}
final class Response
{
	public function status(int $code): void {}
	public function end(string $body): void {}
}
final class App
{
	public function handle(object $request): string
	{
		$n = $request->server['n'];
		for ($i = 0; $i < 3; $i++) {
			opa_trace("step $i of $n", function () use ($i, $n): void {
				Fiber::suspend();
				$span = opa_start_span("query $i of $n");
				Fiber::suspend();
				opa_end_span($span);
			});
		}
		return $n % 10 === 0 ? throw new Exception('every tenth') : 'answer';
	}
}
$app = new App;
$server = new Server;
PHP . "\n" . example('Swoole') . <<<'PHP'
$server->start(array_map(fn (int $n) => (object) [
	'server' => ['request_method' => 'GET', 'request_uri' => "/$n", 'n' => $n],
	'header' => ['traceparent' => sprintf('00-%032x-b7ad6b7169203331-01', $n)],
], range(1, 200)));
PHP);
$right = $failed = 0;
$shape = fn (int $n) => 'GET /' . "$n " . ($n % 10 === 0 ? '500 failed' : '200') . '(' . implode(', ', array_map(fn (int $i) => "step $i of $n(query $i of $n)", [0, 1, 2])) . ')';
$traces = opa_test_worker_traces($run['spans']);
foreach (range(1, 200) as $n) {
	$right += in_array($shape($n), $traces, true);
	$ids = array_column(array_filter($run['spans'], fn ($s) => str_ends_with($s['name'], " of $n") || ($s['tags']['url.path'] ?? '') === "/$n"), 'trace');
	$right += array_unique($ids) === [sprintf('%032x', $n)];
}
show('Swoole', $run['exit'], $run['signal'], $run['out'], count($traces), $right);

/* ---- FrankenPHP ---- */

$run = opa_test_worker(<<<'PHP'
<?php
final class App
{
	public function handle(string $path): string { opa_end_span(opa_start_span("controller $path")); return "answer of $path\n"; }
	public function terminate(): void { opa_end_span(opa_start_span('terminate')); }
}
$app = new App;
PHP . "\n" . example('FrankenPHP'), ['GET /a', 'GET /b']);
tell('FrankenPHP', $run);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
queue 0 0
rejected 3
  process orders failed(handle 3 failed)
  process orders(handle 1(below))
  process orders(handle 2(below))
  process orders(handle 4(below))
  script.php
goes on 3
RoadRunner 0 0
200 answer of /a
200 answer of /b
error
503 later
200 answer of /last
  GET /a 200(controller /a(query))
  GET /broken 500 failed(controller /broken failed(query))
  GET /last 200(controller /last(query))
  GET /unavailable 503 failed(controller /unavailable(query))
  POST /b 200(controller /b(query))
  script.php
goes on 3
Swoole 0 0 "" 201 400
FrankenPHP 0 0
<200>
answer of /a
<200>
answer of /b
<200>
  GET /a 200(controller /a, after response(terminate))
  GET /b 200(controller /b, after response(terminate))
  script.php
