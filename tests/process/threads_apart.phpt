--TEST--
Sixteen threads that serve requests: each trace has its own request's spans, and no other's
--EXTENSIONS--
opa
--SKIPIF--
<?php
require __DIR__ . '/../utils/threads.inc';
opa_test_threads_missing() === null || die('skip ' . opa_test_threads_missing());
?>
--INI--
opa.spool_dir={PWD}/threads_apart.spool
opa.exporter_path=/nonexistent/opa-exporter
memory_limit=1G
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/threads.inc';

const THREADS = 16;
const REQUESTS = 60;

// An id of some other thread's request, which lies in a file, is nobody else's to use.
$code = <<<'PHP'
$n = substr(ini_get('user_agent'), 8);
opa_add_tag(opa_root_span(), 'request', $n);
$own = $open = [];
$stolen = 0;
for ($i = 0; $i < 8; $i++) {
	$own[] = $open[] = opa_start_span("$n/$i", ['n' => $n]);
	file_put_contents(getenv('OPA_TEST_IDS'), end($open));
	$foreign = file_get_contents(getenv('OPA_TEST_IDS'));
	if (!in_array($foreign, $own, true)) {
		$stolen += opa_add_tag($foreign, 'stolen', $n) || opa_set_name($foreign, "stolen by $n") || opa_end_span($foreign);
	}
	$i % 3 === 2 && opa_end_span(array_pop($open));
}
$fiber = new Fiber(function () use ($n): void {
	$span = opa_start_span("$n/fiber");
	Fiber::suspend();
	opa_end_span($span);
});
$fiber->start();
$job = opa_start_trace("$n/job");
opa_end_span(opa_start_span("$n/of the job"));
$fiber->resume();
opa_end_trace($job);
while ($open !== []) {
	opa_end_span(array_pop($open));
}
if ($stolen > 0) {
	throw new Exception("$n has used another request's id");
}
PHP;
@mkdir(opa_test_spool(), 0700, true);
$run = opa_test_run('<?php echo opa_test_threads(' . THREADS . ', ' . REQUESTS . ', ' . var_export($code, true) . ', "user_agent", "request ");', [
	'ini' => ['extension' => opa_test_threads_build(), 'log_errors' => '0'],
	'env' => ['OPA_TEST_IDS' => opa_test_spool() . '/ids'],
]);
show('served', $run['out'], $run['exit'], $run['signal']);

/* What request n has to leave: the name of each span's parent. */
$expected = static function (string $n): array {
	$parents = ["$n/0" => 'root', "$n/1" => "$n/0", "$n/2" => "$n/1", "$n/3" => "$n/1", "$n/4" => "$n/3",
		"$n/5" => "$n/4", "$n/6" => "$n/4", "$n/7" => "$n/6", "$n/fiber" => "$n/7"];
	ksort($parents);
	return $parents;
};
$traces = $jobs = $wrong = [];
foreach ($run['spans'] as $span) {
	$traces[$span['trace']][$span['id']] = $span;
}
$requests = [];
foreach ($traces as $id => $spans) {
	$root = array_values(array_filter($spans, static fn (array $s): bool => $s['parent'] === ''));
	$names = array_column($spans, 'name', 'id');
	if (count($root) === 1 && preg_match('~^(\d+)/job$~', $root[0]['name'], $m)) {
		$jobs[$m[1]] = array_values($names) === ["$m[1]/job", "$m[1]/of the job"] && $names !== [];
		continue;
	}
	$n = $root[0]['tags']['request'] ?? null;
	if ($n === null) {
		continue; // the program that has the threads
	}
	$names[$root[0]['id']] = 'root';
	$parents = [];
	foreach ($spans as $span) {
		if ($span['parent'] !== '') {
			$parents[$span['name']] = $names[$span['parent']] ?? "of another trace";
		}
	}
	ksort($parents);
	$requests[$n] = $parents === $expected($n);
}
show('requests', count($requests), array_keys($requests, false));
show('jobs', count($jobs), array_keys($jobs, false));
show('traces', count($traces) - 1, count($run['spans']) - 1 === THREADS * REQUESTS * 12);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
served "960" 0 0
requests 960 []
jobs 960 []
traces 1920 true
