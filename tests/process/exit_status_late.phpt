--TEST--
The exit status is that of the process, also when it fails after everything else
--EXTENSIONS--
opa
session
--INI--
opa.spool_dir={PWD}/exit_status_late.spool
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
	public function write(string $id, string $data): bool { exit(7); }
	public function destroy(string $id): bool { return true; }
	public function gc(int $max): int|false { return 0; }
}
ini_set('session.use_cookies', '0');
session_set_save_handler(new Handler(), false);
session_start();
$_SESSION['a'] = 1;
PHP);
$root = $run['spans'][0];
show('exit', $run['exit'], $root['tags']['process.exit.code'], $root['tags']['error.type'] ?? null, $root['status']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
exit 7 7 "7" 2
