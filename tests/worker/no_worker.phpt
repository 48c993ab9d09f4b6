--TEST--
frankenphp_handle_request() where $_SERVER does not say so, and where there is no worker
--EXTENSIONS--
opa
--SKIPIF--
<?php
require __DIR__ . '/../utils/extension.inc';
opa_test_extension_missing() === null || die('skip ' . opa_test_extension_missing());
?>
--INI--
opa.spool_dir={PWD}/no_worker.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/worker.inc';

$worker = <<<'PHP'
<?php
opa_end_span(opa_start_span('before'));
try {
	while (frankenphp_handle_request(fn () => opa_end_span(opa_start_span('work')))) {
	}
} catch (RuntimeException $e) {
	echo $e->getMessage(), "\n";
}
opa_end_span(opa_start_span('behind'));
PHP;
foreach (['untold', 'none'] as $kind) {
	$run = opa_test_worker($worker, ['GET /a', 'GET /b'], ['env' => ['OPA_TEST_FRANKENPHP' => $kind]]);
	show($kind, $run['exit'], $run['signal'], preg_replace('/\s+/', ' ', $run['out']));
	echo '  ', implode("\n  ", $run['traces']), "\n";
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
untold 0 0 "<200> <200> <200> "
  GET /worker.php 200(before)
  GET /a 200(work)
  GET /b 200(work)
none 0 0 "frankenphp_handle_request() called while not in worker mode "
  GET /worker.php 200(before, behind)
