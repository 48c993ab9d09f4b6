--TEST--
A worker that waits records and holds nothing, and its waiting is in nobody's trace
--EXTENSIONS--
opa
--SKIPIF--
<?php
require __DIR__ . '/../utils/extension.inc';
opa_test_extension_missing() === null || die('skip ' . opa_test_extension_missing());
?>
--INI--
opa.spool_dir={PWD}/waiting.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/worker.inc';

$wait = 300_000;
$run = opa_test_worker(<<<'PHP'
<?php
require getenv('OPA_TEST_UTILS') . '/trace.inc';
// What another process would find while the worker waits is what was there when it was asked to.
$seen = [];
$handler = function () use (&$seen): void {
	$seen[] = count(opa_test_records(ini_get('opa.spool_dir')));
	$seen[] = opa_status()['open_spans'];
	opa_end_span(opa_start_span('work'));
};
while (frankenphp_handle_request($handler)) {
}
$seen[] = count(opa_test_records(ini_get('opa.spool_dir')));
$seen[] = opa_status()['open_spans'];
echo 'traces written and open spans ', json_encode($seen), "\n";
PHP, ['GET /a', 'GET /b', 'GET /c'], ['env' => ['OPA_TEST_WAIT' => (string) $wait, 'OPA_TEST_UTILS' => dirname(__DIR__) . '/utils']]);
echo $run['out'], implode("\n", $run['traces']), "\n";
$roots = array_values(array_filter($run['spans'], fn ($s) => $s['parent'] === ''));
for ($i = 1; $i < count($roots); $i++) {
	$between = $roots[$i]['start'] - $roots[$i - 1]['end'];
	show('waited between', $between >= $wait * 1000 ? true : $between);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
<200>
<200>
<200>
<200>
traces written and open spans [1,1,2,1,3,1,4,0]
script.php
GET /a 200(work)
GET /b 200(work)
GET /c 200(work)
waited between true
waited between true
waited between true
