--TEST--
An exception, an exit and a fatal error in a worker's callback are its request's
--EXTENSIONS--
opa
--SKIPIF--
<?php
require __DIR__ . '/../utils/extension.inc';
opa_test_extension_missing() === null || die('skip ' . opa_test_extension_missing());
?>
--INI--
opa.spool_dir={PWD}/ends.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/worker.inc';

$worker = <<<'PHP'
<?php
$handler = function (): void {
	$span = opa_start_span('work');
	switch ($_GET['do'] ?? '') {
		case 'throw':
			throw new DomainException('of the callback');
		case 'exit':
			http_response_code(202);
			register_shutdown_function(fn () => opa_end_span(opa_start_span('shutdown')));
			exit(3);
		case 'fatal':
			ini_set('memory_limit', '8M');
			str_repeat('x', 1 << 25);
	}
	opa_end_span($span);
};
while (frankenphp_handle_request($handler)) {
}
PHP;
foreach (['throw', 'exit', 'fatal'] as $end) {
	foreach (['', '1.0'] as $version) {
		$run = opa_test_worker($worker, ['GET /a', "GET /b?do=$end", 'GET /c'], [
			'env' => ['OPA_TEST_FRANKENPHP' => $version], 'ini' => ['display_errors' => '0', 'log_errors' => '0'],
		]);
		show("$end $version", $run['exit'], $run['signal'], preg_replace('/\s+/', ' ', $run['out']));
		echo '  ', implode("\n  ", $run['traces']), "\n";
		foreach ($run['spans'] as $span) {
			if ($span['status'] === 2) {
				show('  ' . $span['name'], $span['tags']['error.type'] ?? null, array_map(fn ($e) => $e['tags']['exception.type'] ?? $e['name'], $span['events']));
			}
		}
	}
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
throw  255 0 "<200> <500> <200> <200> "
  script.php
  GET /a 200(work)
  GET /b 500 failed(work unfinished)
  GET /c 200(work)
  GET "DomainException" ["DomainException"]
throw 1.0 255 0 "<200> <500> "
  script.php
  GET /a 200(work)
  GET /b 500 failed(work unfinished)
  GET "DomainException" ["DomainException"]
exit  3 0 "<200> <202> "
  script.php
  GET /a 200(work)
  GET /b 202(work unfinished(shutdown))
exit 1.0 3 0 "<200> <202> "
  script.php
  GET /a 200(work)
  GET /b 202(work unfinished(shutdown))
fatal  255 0 "<200> <500> "
  script.php
  GET /a 200(work)
  GET /b 500 failed(work unfinished)
  GET "E_ERROR" ["E_ERROR"]
fatal 1.0 255 0 "<200> <500> "
  script.php
  GET /a 200(work)
  GET /b 500 failed(work unfinished)
  GET "E_ERROR" ["E_ERROR"]
