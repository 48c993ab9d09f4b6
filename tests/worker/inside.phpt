--TEST--
Traces, fibers and spans that a worker's callback leaves open end with its request
--EXTENSIONS--
opa
--SKIPIF--
<?php
require __DIR__ . '/../utils/extension.inc';
opa_test_extension_missing() === null || die('skip ' . opa_test_extension_missing());
?>
--INI--
opa.spool_dir={PWD}/inside.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/worker.inc';

$run = opa_test_worker(<<<'PHP'
<?php
$kept = [];
$fibers = [];
$handler = function () use (&$kept, &$fibers): void {
	echo 'earlier ', json_encode(array_map(fn ($id) => [opa_add_tag($id, 'k', 1), opa_end_span($id), opa_end_trace($id)], $kept)), "\n";
	$kept = [];
	switch ($_SERVER['REQUEST_URI']) {
		case '/open':
			$kept[] = opa_start_span('open');
			$kept[] = opa_start_span('open below');
			break;
		case '/job':
			$job = opa_start_trace('job', [], [], OPA_KIND_CONSUMER);
			opa_end_span(opa_start_span('of the job'));
			opa_end_trace($job);
			$kept[] = opa_start_trace('job left open');
			$kept[] = opa_start_span('in it');
			break;
		case '/fiber':
			$fiber = new Fiber(function () use (&$kept): void {
				$kept[] = opa_start_span('in a fiber');
				Fiber::suspend();
				opa_end_span(opa_start_span('resumed'));
			});
			$around = opa_start_span('around');
			$fiber->start();
			opa_end_span(opa_start_span('beside it'));
			opa_end_span($around);
			$fibers[] = $fiber;
			break;
		case '/resume':
			$fibers[0]->resume();
			(new Fiber(function (): void {
				opa_end_span(opa_start_span('in another fiber'));
			}))->start();
			break;
	}
	opa_end_span(opa_start_span('last'));
};
while (frankenphp_handle_request($handler)) {
}
PHP, ['GET /open', 'GET /job', 'GET /fiber', 'GET /resume', 'GET /last']);
show('exit', $run['exit'], $run['signal']);
echo $run['out'], implode("\n", $run['traces']), "\n";
// Nested in each other, in one way and in another: nothing is lost, and nothing breaks.
$run = opa_test_worker(<<<'PHP'
<?php
frankenphp_handle_request(function (): void {
	opa_start_span('outer');
	echo json_encode(frankenphp_handle_request(fn () => opa_end_span(opa_start_span('inner')))), "\n";
	echo json_encode(opa_end_span(opa_start_span('again'))), "\n";
});
$fiber = new Fiber(function (): void {
	frankenphp_handle_request(function (): void {
		opa_start_span('before');
		Fiber::suspend();
		echo json_encode(opa_end_span(opa_start_span('after'))), "\n";
	});
});
$fiber->start();
frankenphp_handle_request(fn () => opa_end_span(opa_start_span('meanwhile')));
$fiber->resume();
PHP, ['GET /1', 'GET /2', 'GET /3', 'GET /4', 'GET /5']);
show('exit', $run['exit'], $run['signal']);
echo $run['out'], implode("\n", $run['traces']), "\n";
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
exit 0 0
<200>
earlier []
<200>
earlier [[false,false,false],[false,false,false]]
<200>
earlier [[false,false,false],[false,false,false]]
<200>
earlier [[false,false,false]]
<200>
earlier []
<200>
script.php
GET /open 200(open unfinished(open below unfinished(last)))
GET /job 200
job(of the job)
job left open unfinished(in it unfinished(last))
GET /fiber 200(around(in a fiber unfinished, beside it), last)
GET /resume 200(resumed, in another fiber, last)
GET /last 200(last)
exit 0 0
<200>
true
true
<200>
true
script.php
GET /1 200(outer unfinished)
GET /2 200(inner, after response(again))
GET /3 200(before unfinished)
GET /4 200(meanwhile, after response(after))
