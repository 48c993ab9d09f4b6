--TEST--
A trace that is not ended ends with its request, and says what of it was open; also by exit, and by an error, which it shows
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/unfinished.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

function run(string $what, string $code): void
{
	$run = opa_test_run("<?php\n\$job = opa_start_trace('job');\nopa_start_span('inner');\n$code", ['ini' => ['display_errors' => '0']]);
	show($what, $run['exit'], preg_replace('/\s+/', ' ', $run['out']));
	foreach ($run['spans'] as $span) {
		$events = array_map(static fn (array $e): string => $e['name'] . ' ' . ($e['tags']['exception.message'] ?? ''), $span['events']);
		show('  ' . $span['name'], $span['status'], $span['tags']['opa.unfinished'] ?? false, $span['tags']['error.type'] ?? null, $events);
	}
}

run('ended', 'var_dump(opa_end_trace($job));');
run('left', '');
run('exit', 'function f() { exit(3); } f();');
run('thrown', 'throw new LogicException("no");');
run('fatal', 'undefined_function();');
run('in a shutdown function', 'register_shutdown_function(function () use ($job) { var_dump(opa_end_trace($job), opa_start_trace("late") !== $job); });');
run('thrown behind it', 'opa_end_trace($job); throw new LogicException("no");');
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
ended 0 "bool(true) "
  script.php 0 false null []
  job 0 false null []
  inner 0 true null []
left 0 ""
  script.php 0 false null []
  job 0 true null []
  inner 0 true null []
exit 3 ""
  script.php 2 false "3" []
  job 0 true null []
  inner 0 true null []
thrown 255 ""
  script.php 2 false "LogicException" ["exception no"]
  job 2 true "LogicException" ["exception no"]
  inner 0 true null []
fatal 255 ""
  script.php 2 false "Error" ["exception Call to undefined function undefined_function()"]
  job 2 true "Error" ["exception Call to undefined function undefined_function()"]
  inner 0 true null []
in a shutdown function 0 "bool(true) bool(true) "
  script.php 0 false null []
  job 0 false null []
  inner 0 true null []
  late 0 true null []
thrown behind it 255 ""
  script.php 2 false "LogicException" ["exception no"]
  job 0 false null []
  inner 0 true null []
