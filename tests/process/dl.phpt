--TEST--
Loaded with dl(), opa does no harm: its functions answer false, and it says why
--EXTENSIONS--
opa
--SKIPIF--
<?php
if (!is_file(getenv('OPA_EXTENSION') ?: dirname(__DIR__, 2) . '/modules/opa.so')) {
	die('skip opa.so is not where make puts it');
}
?>
--INI--
opa.spool_dir={PWD}/dl.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$so = realpath(getenv('OPA_EXTENSION') ?: dirname(__DIR__, 2) . '/modules/opa.so');
// Everything that run-tests gives a PHP, but for opa itself.
$args = preg_replace('~-d\s+(["\']?)(extension=\S*\bopa(\.so)?|opa\.\w+=[^"\']*?)\1(?=\s|$)~', '', (string) getenv('TEST_PHP_EXTRA_ARGS'));
putenv("TEST_PHP_EXTRA_ARGS=$args");
$ini = ['enable_dl' => '1', 'extension_dir' => dirname($so), 'display_errors' => '1', 'html_errors' => '0'];
$code = '<?php
if (extension_loaded("opa") || !dl("opa.so")) { exit("no dl"); }
$span = opa_start_span("s", ["a" => 1]);
$fiber = new Fiber(function () { opa_end_span(opa_start_span("in a fiber")); Fiber::suspend(1); throw new Exception("x"); });
$fiber->start();
try { $fiber->resume(); } catch (Exception) {}
echo json_encode([$span, opa_end_span($span), opa_is_enabled(), opa_enable(), opa_flush(1), opa_trace("t", fn () => 7), ini_set("opa.enabled", "0"), opa_status()["problem"]]), "\n";
register_shutdown_function(function () { echo opa_add_tag("a123456789abcdef", "b", 1) ? "yes" : "no", "\n"; });';
$run = opa_test_run($code . ' trigger_error("a notice");', ['ini' => $ini]);
echo preg_replace('~ in /\S* on line~', ' in ... on line', $run['out']);
show('exit', $run['exit'], $run['signal'], $run['spans']);
if (function_exists('pcntl_fork')) {
	$run = opa_test_run($code . ' if (($p = pcntl_fork()) === 0) { exit(3); } pcntl_waitpid($p, $s); exit(pcntl_wexitstatus($s));', ['ini' => $ini]);
	$run['exit'] === 3 || print($run['out'] . $run['exit']);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
["0000000000000000",false,false,false,false,7,"1","opa was loaded with dl(), or memory was short at the start"]

Notice: a notice in ... on line 8
no
exit 0 0 []
