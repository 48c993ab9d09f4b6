--TEST--
An event loop with a pool of fibers: parents are right after thousands of steps in random order
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/event_loop_random.spool
opa.exporter_path=/nonexistent/opa-exporter
opa.max_trace_size=64M
memory_limit=512M
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

/*
 * In the manner of Revolt: a queue of callbacks, each run in a fiber, and a fiber that has run one
 * runs the next. A callback waits by a suspension, which whoever has it resumes, in any order.
 */
final class Loop
{
	private array $queue = [];
	private array $idle = [];
	public int $fibers = 0;

	public function queue(Closure $callback): void
	{
		$this->queue[] = $callback;
	}

	/** One callback; false: there is none. */
	public function step(): bool
	{
		if ($this->queue === []) {
			return false;
		}
		[$callback] = array_splice($this->queue, mt_rand(0, count($this->queue) - 1), 1);
		$this->run(array_pop($this->idle) ?? $this->make(), $callback);
		return true;
	}

	public function run(Fiber $fiber, mixed $value): void
	{
		$finished = $fiber->isStarted() ? $fiber->resume($value) : $fiber->start($value);
		if ($finished === $fiber) {
			$this->idle[] = $fiber;
		}
	}

	private function make(): Fiber
	{
		$this->fibers++;
		return new Fiber(static function (Closure $callback): void {
			for (;;) {
				$callback();
				unset($callback);
				$callback = Fiber::suspend(Fiber::getCurrent());
			}
		});
	}
}

/* The model: for each fiber the stack of its open spans, the one that it was started in below. */
final class Model
{
	public array $stacks = []; // of a fiber's number; 0: the main program
	public array $open = [];   // id => parent
	public array $parents = []; // id => parent, of all
	public WeakMap $numbers;
	private int $next = 0;

	public function __construct(private string $root)
	{
		$this->numbers = new WeakMap;
		$this->stacks[0] = [];
	}

	public function here(): int
	{
		$fiber = Fiber::getCurrent();
		return $fiber === null ? 0 : $this->numbers[$fiber];
	}

	/** The first thing that a fiber does. */
	public function entered(string $starters): void
	{
		$fiber = Fiber::getCurrent();
		if (!isset($this->numbers[$fiber])) {
			$this->numbers[$fiber] = ++$this->next;
			$this->stacks[$this->next] = $starters === $this->root ? [] : [$starters];
		}
	}

	public function current(): string
	{
		$stack = &$this->stacks[$this->here()];
		while ($stack !== [] && !isset($this->open[end($stack)])) {
			array_pop($stack);
		}
		return $stack === [] ? $this->root : end($stack);
	}

	public function started(string $id, string $parent): void
	{
		$this->open[$id] = $this->parents[$id] = $parent;
		$this->stacks[$this->here()][] = $id;
	}
}

$loop = new Loop;
$model = new Model(opa_root_span());
$suspensions = [];
$wrong = 0;
$counts = ['spans' => 0, 'elsewhere' => 0, 'waits' => 0, 'fibers' => 0];

function check(): void
{
	global $model, $wrong;
	$wrong += opa_current_span() !== $model->current();
}

function act(): void
{
	global $model, $wrong, $suspensions, $loop, $counts;
	check();
	switch (mt_rand(0, 9)) {
		case 0: case 1: case 2:
			$parent = $model->current();
			$model->started(opa_start_span('s' . $counts['spans']++), $parent);
			break;
		case 3: case 4: // its own innermost
			$id = $model->current();
			if (isset($model->open[$id])) {
				unset($model->open[$id]);
				$wrong += !opa_end_span($id);
			}
			break;
		case 5: // that of whoever
			if ($model->open !== []) {
				$id = array_rand($model->open);
				unset($model->open[$id]);
				$wrong += !opa_end_span($id);
				$counts['elsewhere']++;
			}
			break;
		case 6: case 7: case 8:
			if (Fiber::getCurrent() !== null) {
				$counts['waits']++;
				$suspensions[] = Fiber::getCurrent();
				Fiber::suspend();
			}
			break;
		case 9:
			$loop->queue(callback());
			break;
	}
	check();
}

function callback(): Closure
{
	return static function (): void {
		global $model;
		$model->entered($GLOBALS['starters']);
		for ($i = mt_rand(1, 12); $i > 0; $i--) {
			act();
		}
	};
}

mt_srand(20240229);
$steps = getenv('OPA_TEST_SLOW') ? 300 : 5000;
for ($i = 0; $i < $steps; $i++) {
	mt_rand(0, 3) === 0 && act();
	mt_rand(0, 2) === 0 && $loop->queue(callback());
	$starters = $model->current();
	if ($suspensions !== [] && mt_rand(0, 1) === 0) {
		[$fiber] = array_splice($suspensions, mt_rand(0, count($suspensions) - 1), 1);
		$loop->run($fiber, null);
	} else {
		$loop->step();
	}
	check();
}
$counts['fibers'] = $loop->fibers;
// Whatever is left ends here, in the order of the dice.
foreach (array_keys($model->open) as $id) {
	$wrong += !opa_end_span($id);
}
$found = array_column(opa_test_spans(), 'parent', 'id');
show('wrong', $wrong, count($found) === count($model->parents), array_diff_assoc($found, $model->parents));
show('enough', getenv('OPA_TEST_SLOW') || min($counts['spans'], $counts['waits']) > 1000 && $counts['elsewhere'] > 500 && $counts['fibers'] > 20 ? true : $counts);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
wrong 0 true []
enough true
