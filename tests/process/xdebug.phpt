--TEST--
xdebug, loaded before or after opa, in each of its modes: the program's output is the same
--EXTENSIONS--
opa
--SKIPIF--
<?php
if (!file_exists(ini_get('extension_dir') . '/xdebug.so')) die('skip needs xdebug');
if (getenv('SKIP_ASAN') || getenv('USE_ZEND_ALLOC') === '0') die('skip xdebug itself is not to be checked');
?>
--INI--
opa.spool_dir={PWD}/xdebug.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$code = <<<'PHP'
<?php
class Text { function __toString(): string { return strrev('txet'); } }
function work(int $n): array { return $n > 0 ? [...work($n - 1), new Text()] : []; }
$span = function_exists('opa_start_span') ? opa_start_span('s', work(5)) : '';
foreach (work(3) as $t) { echo $t, "\n"; }
$fiber = new Fiber(function () { echo Fiber::suspend('suspended'), "\n"; });
echo $fiber->start(), "\n";
$fiber->resume('resumed');
try { (fn (int $x) => $x)('no'); } catch (TypeError $e) { echo preg_replace('/, called in.*/', '', $e->getMessage()), "\n"; }
if (function_exists('opa_trace')) { opa_trace('t', fn () => work(2)); opa_end_span($span); }
if (function_exists('xdebug_get_code_coverage')) { echo gettype(xdebug_get_code_coverage()), "\n"; }
PHP;
$extension = preg_match('/-d "?\'?extension=(\S*opa\S*?)"?\'? /', getenv('TEST_PHP_EXTRA_ARGS') . ' ', $m) ? $m[1] : 'opa';
$xdebug = ini_get('extension_dir') . '/xdebug.so';
$dir = opa_test_spool();
file_put_contents("$dir/x.php", $code);
foreach (['develop', 'trace', 'coverage'] as $mode) {
	$out = [];
	$common = '-n -d xdebug.mode=' . $mode . ' -d xdebug.start_with_request=yes -d xdebug.output_dir=' . escapeshellarg($dir)
		. ' -d opa.exporter_path=/nonexistent/opa-exporter -d opa.spool_dir=';
	foreach (['without' => "-d zend_extension=$xdebug", 'before' => "-d zend_extension=$xdebug -d extension=$extension",
		'after' => "-d extension=$extension -d zend_extension=$xdebug"] as $order => $load) {
		$lines = [];
		exec(PHP_BINARY . " $common" . escapeshellarg("$dir/$mode-$order") . " $load " . escapeshellarg("$dir/x.php") . ' 2>&1', $lines, $status);
		$out[$order] = implode("\n", [...$lines, $status]);
		if ($order !== 'without') {
			show("$mode $order", $out[$order] === $out['without'], count(opa_test_spans("$dir/$mode-$order")));
		}
	}
}
echo $out['before'], "\n";
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECTF--
develop before true 3
develop after true 3
trace before true 3
trace after true 3
coverage before true 3
coverage after true 3
text
text
text
suspended
resumed
{closure%S}(): Argument #1 ($x) must be of type int, string given
%Aarray
0
