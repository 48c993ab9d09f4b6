--TEST--
Tracing that a late session handler switches on leaves a trace, too
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/session_write_handler_late_untraced.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run(<<<'PHP'
<?php
class Handler implements SessionHandlerInterface {
	public function open(string $path, string $name): bool { return true; }
	public function close(): bool { return true; }
	public function read(string $id): string|false { return ''; }
	public function write(string $id, string $data): bool {
		echo json_encode([opa_enable(), opa_end_span(opa_start_span('late'))]);
		return true;
	}
	public function destroy(string $id): bool { return true; }
	public function gc(int $max): int|false { return 0; }
}
session_set_save_handler(new Handler(), false);
session_start();
$_SESSION['x'] = 1;
PHP, ['ini' => ['session.use_cookies' => '0', 'session.cache_limiter' => '', 'opa.enabled' => '0']]);
show('exit', $run['exit'], $run['signal']);
echo $run['out'], "\n";
show('spans', array_column($run['spans'], 'name'));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
exit 0 0
[true,true]
spans ["script.php","late"]
