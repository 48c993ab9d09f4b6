--TEST--
Settings, sampling and switching count for each request of a worker by itself
--EXTENSIONS--
opa
--SKIPIF--
<?php
require __DIR__ . '/../utils/extension.inc';
opa_test_extension_missing() === null || die('skip ' . opa_test_extension_missing());
?>
--INI--
opa.spool_dir={PWD}/settings.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/worker.inc';

$worker = <<<'PHP'
<?php
$handler = function (): void {
	isset($_GET['ini']) && ini_set('opa.enabled', $_GET['ini']);
	isset($_GET['disable']) && opa_disable();
	echo substr(opa_traceparent() ?? 'nothing', -2), "\n";
	opa_end_span(opa_start_span('work'));
	isset($_GET['error']) && opa_set_status(opa_root_span(), OPA_STATUS_ERROR);
};
while (frankenphp_handle_request($handler)) {
	opa_end_span(opa_start_span('rest'));
}
PHP;
$show = function (string $what, array $requests, array $ini = []) use ($worker): void {
	$run = opa_test_worker($worker, $requests, ['ini' => $ini]);
	show($what, $run['exit'], $run['signal'], preg_replace(['/\s+/', '/[0-9a-f]{32}-[0-9a-f]{16}/'], [' ', 'id'], $run['out']));
	echo '  ', implode("\n  ", $run['traces']), "\n";
};
$show('off', ['GET /a', 'GET /b'], ['opa.enabled' => '0']);
$show('not wanted', ['GET /a', 'GET /b'], ['opa.sample_rate' => '0']);
$show('by rule', ['GET /a', 'GET /health', 'GET /c'], ['opa.sample_rules' => '"GET /health=0"']);
$show('by the caller', [['GET /a', 'HTTP_TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'], 'GET /b']);
$show('disabled in one', ['GET /a?disable=1', 'GET /b']);
$show('off by ini_set', ['GET /a', 'GET /b?ini=0', 'GET /c', 'GET /d?ini=1', 'GET /e']);
$show('errors are kept', ['GET /a', 'GET /b?error=1', 'GET /c'], ['opa.sample_rate' => '0', 'opa.keep_errors' => '1']);
$show('told', ['GET /a'], ['opa.response_header' => '1']);
// Each has room of its own.
$run = opa_test_worker(<<<'PHP'
<?php
$handler = function (): void {
	$kept = 0;
	for ($i = 0; $i < 20; $i++) {
		$kept += opa_add_tag(opa_start_span('open'), 'k', str_repeat('x', 5000));
	}
	echo $kept, "\n";
};
while (frankenphp_handle_request($handler)) {
}
PHP, ['2 GET /'], ['ini' => ['opa.max_trace_size' => '64K']]);
show('room', preg_replace('/\s+/', ' ', $run['out']));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
off 0 0 "<200> ng <200> ng <200> "
  
not wanted 0 0 "<200> 02 <200> 02 <200> "
  
by rule 0 0 "<200> 03 <200> 02 <200> 03 <200> "
  script.php
  GET /a 200(work, after response(rest))
  GET /c 200(work, after response(rest))
by the caller 0 0 "<200> 00 <200> 03 <200> "
  script.php
  GET /b 200(work, after response(rest))
disabled in one 0 0 "<200> ng <200> 03 <200> "
  script.php
  GET /a 200
  GET /b 200(work, after response(rest))
off by ini_set 0 0 "<200> 03 <200> ng <200> ng <200> 03 <200> 03 <200> "
  script.php
  GET /a 200(work, after response(rest))
  GET /b 200
  GET /d 200(work, after response(rest))
  GET /e 200(work, after response(rest))
errors are kept 0 0 "<200> 02 <200> 02 <200> 02 <200> "
  GET /b 200 failed(work, after response(rest))
told 0 0 "<200 traceresponse: 00-id-03 Server-Timing: traceparent;desc=\"00-id-03\"> 03 <200> "
  script.php
  GET /a 200(work, after response(rest))
room "<200> 12 <200> 12 <200> "
