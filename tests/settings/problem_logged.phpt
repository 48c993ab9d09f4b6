--TEST--
A server logs once why traces do not arrive, without a spool, too; a script only when opa.log_level is debug
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/problem_logged.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

$log = opa_test_spool() . '/log';
$lines = static fn (): array => preg_replace('/^\[.*?\] /', '', array_filter(@file($log, FILE_IGNORE_NEW_LINES) ?: [],
	static fn (string $line): bool => str_contains($line, 'opa: ')));
$logging = ['log_errors' => '1', 'error_log' => $log];

$server = new OpaTestServer('<?php opa_status(); echo "x";', $logging + ['opa.spool_dir' => '/nonexistent/spool']);
for ($i = 0; $i < 20; $i++) {
	$server->send('/');
}
unset($server);
print_r($lines());

@unlink($log);
$server = new OpaTestServer('<?php opa_flush(100); opa_status(); echo "x";', $logging);
for ($i = 0; $i < 20; $i++) {
	$server->send('/');
}
unset($server);
print_r($lines());

@unlink($log);
$code = '<?php opa_end_span(opa_start_span("s"));';
opa_test_run($code, ['spool' => '/nonexistent/spool', 'ini' => $logging]);
show('script', $lines());
opa_test_run($code, ['spool' => '/nonexistent/spool', 'ini' => $logging + ['opa.log_level' => 'debug']]);
show('script that is debugged', count($lines()));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
Array
(
    [0] => opa: traces do not arrive: spool /nonexistent/spool: does not exist and cannot be made: No such file or directory
)
Array
(
    [0] => opa: traces do not arrive: opa-exporter: there is no executable file at exporter_path: /nonexistent/opa-exporter (No such file or directory)
)
script []
script that is debugged 1
