--TEST--
What a worker does between an answer and the next request belongs to the answered one
--EXTENSIONS--
opa
--SKIPIF--
<?php
require __DIR__ . '/../utils/extension.inc';
opa_test_extension_missing() === null || die('skip ' . opa_test_extension_missing());
?>
--INI--
opa.spool_dir={PWD}/after_response.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/worker.inc';

$worker = <<<'PHP'
<?php
$handler = function (): void {
	isset($_GET['finish']) && frankenphp_finish_request();
	opa_end_span(opa_start_span('work'));
};
while (frankenphp_handle_request($handler)) {
	switch ($_GET['after'] ?? '') {
		case 'span':
			opa_end_span(opa_start_span('terminate'));
			break;
		case 'tag':
			opa_add_tag(opa_root_span(), 'k', 'v');
			break;
		case 'error':
			opa_track_error(new Exception('afterwards'));
			break;
		case 'open':
			opa_start_span('left open');
			break;
		case 'leave':
			opa_end_span(opa_start_span('last work'));
			break 2;
	}
}
PHP;
$requests = ['GET /', 'GET /?after=span', 'GET /?after=tag', 'GET /?after=error', 'GET /?after=open', 'GET /?finish=1', 'GET /?finish=1&after=span', 'GET /?after=leave'];
foreach ([[], ['opa.keep_slow' => '1us']] as $settings) {
	$run = opa_test_worker($worker, $requests, ['ini' => $settings]);
	show('exit', $run['exit'], $run['signal']);
	echo implode("\n", $run['traces']), "\n";
	$after = array_values(array_filter($run['spans'], fn ($s) => $s['name'] === 'after response'));
	show('tagged', array_column(array_column($after, 'tags'), 'k'), array_count_values(array_column(array_column($run['spans'], 'tags'), 'opa.kept')));
}
// As many were kept as were started.
$run = opa_test_worker(<<<'PHP'
<?php
while (frankenphp_handle_request(fn () => null)) {
}
$c = opa_status()['counters'];
echo json_encode([$c['traces_started'], $c['spans_started'], $c['spans_kept'], $c['spans_unfinished']]), "\n";
PHP, ['100 GET /']);
echo strstr($run['out'], '['), count($run['spans']), "\n";
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
exit 0 0
script.php
GET / 200(work)
GET / 200(work, after response(terminate))
GET / 200(work, after response)
GET / 200(work, after response failed)
GET / 200(work, after response(left open unfinished))
GET / 200(after response(work))
GET / 200(after response(work, terminate))
GET / 200(work, after response(last work))
tagged ["v"] []
exit 0 0
script.php
GET / 200(work, after response)
GET / 200(work, after response(terminate))
GET / 200(work, after response)
GET / 200(work, after response failed)
GET / 200(work, after response(left open unfinished))
GET / 200(after response(work))
GET / 200(after response(work, terminate))
GET / 200(work, after response(last work))
tagged ["v"] {"head":9}
[101,101,101,0]
101
