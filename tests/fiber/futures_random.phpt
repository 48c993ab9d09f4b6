--TEST--
Futures that are awaited, cancelled and destroyed in random order: each task's spans are its own
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/futures_random.spool
opa.exporter_path=/nonexistent/opa-exporter
opa.max_trace_size=64M
memory_limit=512M
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

/*
 * In the manner of AMPHP: async() runs a task in a fiber of its own and answers its future;
 * Future::await() suspends the caller's fiber until it is complete; a cancellation is thrown into
 * the fiber that waits.
 */
final class Cancelled extends Exception {}

final class Future
{
	public bool $done = false;
	public mixed $value = null;
	/** @var list<Fiber> */
	public array $waiting = [];
	public ?Fiber $fiber = null;

	public function await(): mixed
	{
		if (!$this->done) {
			$this->waiting[] = Fiber::getCurrent();
			Scheduler::$asleep[spl_object_id(Fiber::getCurrent())] = Fiber::getCurrent();
			Fiber::suspend();
		}
		return $this->value;
	}
}

final class Scheduler
{
	/** @var array<int, array{Fiber, ?Throwable}> */
	public static array $ready = [];
	/** @var array<int, Fiber> that wait for a future */
	public static array $asleep = [];

	public static function pause(): void
	{
		self::$ready[] = [Fiber::getCurrent(), null];
		Fiber::suspend();
	}

	public static function wake(Fiber $fiber, ?Throwable $with = null): void
	{
		if (isset(self::$asleep[spl_object_id($fiber)])) {
			unset(self::$asleep[spl_object_id($fiber)]);
			self::$ready[] = [$fiber, $with];
		}
	}

	public static function step(): bool
	{
		if (self::$ready === []) {
			return false;
		}
		[[$fiber, $with]] = array_splice(self::$ready, mt_rand(0, count(self::$ready) - 1), 1);
		match (true) {
			!$fiber->isStarted() => $fiber->start(),
			$with !== null => $fiber->throw($with),
			default => $fiber->resume(),
		};
		return true;
	}
}

function async(Closure $task): Future
{
	$future = new Future;
	$future->fiber = new Fiber(static function () use ($task, $future): void {
		try {
			$future->value = $task();
		} catch (Cancelled $e) {
			$future->value = $e;
		}
		$future->done = true;
		array_map(Scheduler::wake(...), $future->waiting);
		$future->fiber = null;
	});
	Scheduler::$ready[] = [$future->fiber, null];
	return $future;
}

$expected = []; // a span's id => its parent's
$wrong = $tasks = $cancelled = $destroyed = 0;

function span(string $name, string $parent, Closure $work): mixed
{
	global $expected, $wrong;
	$wrong += opa_current_span() !== $parent;
	$id = opa_start_span($name);
	$expected[$id] = $parent;
	try {
		return $work($id);
	} finally {
		$wrong += opa_current_span() !== $id || !opa_end_span($id) || opa_current_span() !== $parent;
	}
}

/* What a fiber inherits is what is current where it is started: in the scheduler, the root. */
function task(int $depth, string $parent): Closure
{
	return static function () use ($depth, $parent): int {
		global $tasks, $cancelled;
		$number = ++$tasks;
		return span("task $number", $parent, static function (string $id) use ($depth, $parent, $number): int {
			global $cancelled;
			$children = [];
			for ($i = mt_rand(0, $depth); $i > 0; $i--) {
				$children[] = async(task($depth - 1, $parent));
				mt_rand(0, 1) && Scheduler::pause();
			}
			$sum = span("waits $number", $id, static function () use ($children): int {
				$sum = 0;
				foreach ($children as $child) {
					mt_rand(0, 2) && Scheduler::pause();
					$value = $child->await();
					$sum += is_int($value) ? $value : 0;
				}
				return $sum;
			});
			if (mt_rand(0, 9) === 0) {
				$cancelled++;
				throw new Cancelled;
			}
			return $sum + 1;
		});
	};
}

mt_srand(42);
$root = opa_root_span();
$rounds = getenv('OPA_TEST_SLOW') ? 5 : 60;
for ($round = 0; $round < $rounds; $round++) {
	$futures = [];
	for ($i = 0; $i < 5; $i++) {
		$futures[] = async(task(4, $root));
	}
	for ($steps = 0; Scheduler::step(); $steps++) {
		$wrong += opa_current_span() !== $root;
		if ($steps % 20 === 19 && Scheduler::$asleep !== []) {
			// Somebody has lost patience with one that waits.
			Scheduler::wake(Scheduler::$asleep[array_rand(Scheduler::$asleep)], new Cancelled);
			$cancelled++;
		}
		if ($round % 2 === 1 && $steps === 150) {
			// Nobody wants the rest any more: the fibers go, unfinished, and their finally blocks run.
			$destroyed += count(Scheduler::$ready) + count(Scheduler::$asleep);
			Scheduler::$ready = Scheduler::$asleep = $futures = [];
			gc_collect_cycles();
			$wrong += opa_current_span() !== $root;
		}
	}
	// One that has waited for what was destroyed never goes on.
	Scheduler::$asleep = $futures = [];
	gc_collect_cycles();
}
$found = array_column(opa_test_spans(), 'parent', 'id');
show('wrong', $wrong, count($found) === count($expected), array_diff_assoc($found, $expected));
show('unfinished', count(array_filter(opa_test_spans(), fn ($s) => isset($s['tags']['opa.unfinished']))));
show('enough', getenv('OPA_TEST_SLOW') || $tasks > 1000 && $cancelled > 100 && $destroyed > 50 ? true : [$tasks, $cancelled, $destroyed]);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
wrong 0 true []
unfinished 0
enough true
