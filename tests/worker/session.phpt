--TEST--
A session handler that writes behind a worker's callback does so in its request's trace
--EXTENSIONS--
opa
session
--SKIPIF--
<?php
require __DIR__ . '/../utils/extension.inc';
opa_test_extension_missing() === null || die('skip ' . opa_test_extension_missing());
?>
--INI--
opa.spool_dir={PWD}/session.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/worker.inc';

$run = opa_test_worker(<<<'PHP'
<?php
final class Handler implements SessionHandlerInterface
{
	public function open(string $path, string $name): bool { return true; }
	public function close(): bool { return opa_end_span(opa_start_span('session close')); }
	public function destroy(string $id): bool { return true; }
	public function gc(int $max): int { return 0; }
	public function read(string $id): string { return ''; }
	public function write(string $id, string $data): bool { return opa_end_span(opa_start_span("session write $data")); }
}
$callback = function (): void {
	session_set_save_handler(new Handler, false);
	session_start(['use_cookies' => false, 'cache_limiter' => '']);
	$_SESSION['n'] = (int) $_GET['n'];
	ob_start(function (string $text): string {
		opa_end_span(opa_start_span('output'));
		return strtoupper($text);
	});
	echo "text\n";
};
while (frankenphp_handle_request($callback)) {
}
PHP, ['GET /?n=1', 'GET /?n=2']);
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
TEXT
<200>
TEXT
<200>
script.php
GET / 200(output, session write n|i:1;, session close)
GET / 200(output, session write n|i:2;, session close)
