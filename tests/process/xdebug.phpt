--TEST--
xdebug, loaded before or after opa: output, coverage and trace are the same as without opa
--EXTENSIONS--
opa
--SKIPIF--
<?php
if (!file_exists(ini_get('extension_dir') . '/xdebug.so')) die('skip needs xdebug');
if (getenv('USE_ZEND_ALLOC') === '0') die('skip xdebug itself is not to be checked');
?>
--INI--
opa.spool_dir={PWD}/xdebug.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

// Without opa these take the place of its functions: they call nothing, as those do.
const STAND_INS = <<<'PHP'
<?php
function opa_start_span(string $name, array $tags = []): string { return 'a000000000000000'; }
function opa_add_tag(string $span, string $key, mixed $value): bool { return true; }
function opa_end_span(string $span): bool { return true; }
function opa_trace(string $name, callable $fn, array $tags = []): mixed { return $fn('a000000000000000'); }
PHP;
const PROGRAM = <<<'PHP'
<?php
class Text { function __toString(): string { return strrev('txet'); } }
function work(int $n): array { return $n > 0 ? [...work($n - 1), new Text()] : []; }
function never(): string {
	return 'not covered';
}
$span = opa_start_span('s', ['texts' => count(work(5))]);
foreach (work(3) as $t) {
	echo $t, "\n";
}
$fiber = new Fiber(function () { echo Fiber::suspend('suspended'), "\n"; });
echo $fiber->start(), "\n";
$fiber->resume('resumed');
echo opa_trace('t', fn (string $id) => count(work(2)), []), "\n";
echo json_encode([opa_add_tag($span, 'k', 'v'), opa_end_span($span)]), "\n";
echo $undefined;
var_dump(array_map(fn (int $x) => $x * 1.5, [1, 2]));
try {
	(fn (int $x) => $x)('no');
} catch (TypeError $e) {
	echo strstr($e->getMessage(), ', called', true), "\n";
	unset($e);
}
throw new LogicException('not caught');
PHP;
const MAIN = <<<'PHP'
<?php
if (ini_get('xdebug.mode') === 'coverage') {
	xdebug_start_code_coverage(XDEBUG_CC_UNUSED | XDEBUG_CC_DEAD_CODE);
	register_shutdown_function(function () {
		file_put_contents(__DIR__ . '/coverage', json_encode(xdebug_get_code_coverage(), JSON_PRETTY_PRINT));
	});
}
echo 'opcache ', json_encode(ini_get('opcache.enable_cli')), "\n";
require __DIR__ . '/program.php';
PHP;

/** What xdebug has written, without times, memory, ids, and whether opa's functions are PHP's own. */
function calls(string $path): string
{
	$lines = [];
	foreach (is_file($path) ? file($path, FILE_IGNORE_NEW_LINES) : [] as $line) {
		$columns = explode("\t", preg_replace(['/\[20[^]]*\]/', "/'[a-f][0-9a-f]{15}'/"], ['[TIME]', 'ID'], $line));
		if (count($columns) > 4) {
			$columns[3] = $columns[4] = '';
		}
		if (str_starts_with($columns[5] ?? '', 'opa_')) {
			$columns[6] = '';
		}
		if (basename($columns[8] ?? '') === 'before.php' && $columns[5] !== '{main}') {
			[$columns[8], $columns[9]] = [dirname($columns[8]) . '/program.php', $caller];
		}
		$caller = $columns[9] ?? '';
		$lines[] = rtrim(implode("\t", $columns), "\t");
	}
	return implode("\n", $lines);
}

function results(string $options, string $mode): array
{
	global $dir;
	@unlink("$dir/trace.xt");
	@unlink("$dir/coverage");
	file_put_contents("$dir/before.php", str_contains($options, ' extension=') ? '<?php' : STAND_INS);
	exec(PHP_BINARY . " -n $options -d auto_prepend_file=$dir/before.php -d xdebug.mode=$mode"
		. " -d xdebug.start_with_request=yes -d xdebug.output_dir=$dir -d xdebug.trace_output_name=trace"
		. ' -d xdebug.trace_format=1 -d xdebug.use_compression=0 -d xdebug.collect_return=1'
		. ' -d xdebug.collect_assignments=1 -d opa.exporter_path=/nonexistent/opa-exporter'
		. " -d opa.spool_dir=$dir/spool-$mode $dir/main.php 2>&1", $out, $status);
	return [
		'output' => preg_replace('/^ +\d+\.\d+ +\d+ +/m', '', implode("\n", [...$out, $status])),
		'coverage' => array_diff_key(is_file("$dir/coverage") ? json_decode(file_get_contents("$dir/coverage"), true) : [],
			["$dir/before.php" => true]),
		'calls' => calls("$dir/trace.xt"),
	];
}

$opa = preg_match('/-d "?\'?extension=(\S*opa\S*?)"?\'? /', getenv('TEST_PHP_EXTRA_ARGS') . ' ', $m) ? $m[1] : 'opa';
$dir = opa_test_spool();
@mkdir($dir);
file_put_contents("$dir/program.php", PROGRAM);
file_put_contents("$dir/main.php", MAIN);
$xdebug = '-d zend_extension=' . ini_get('extension_dir') . '/xdebug.so';
// Where there is no file of it, it is built in.
$opcache = is_file(ini_get('extension_dir') . '/opcache.so') ? '-d zend_extension=opcache.so' : '';
foreach (['develop', 'trace', 'coverage'] as $mode) {
	foreach (['opcache off' => '', 'opcache on' => "$opcache -d opcache.enable_cli=1 -d opcache.file_update_protection=0"] as $cache => $options) {
		$without = results("$options $xdebug", $mode);
		foreach (['before' => "$xdebug -d extension=$opa", 'after' => "-d extension=$opa $xdebug"] as $order => $load) {
			$with = results("$options $load", $mode);
			show("$mode $order, $cache: differ", array_keys(array_filter($with, fn (string $what): bool
				=> $with[$what] !== $without[$what], ARRAY_FILTER_USE_KEY)));
		}
	}
	$spans = opa_test_spans("$dir/spool-$mode");
	echo 'spans ', json_encode(array_count_values(array_column($spans, 'name'))), ' errors ',
		count(array_filter($spans, fn (array $span): bool => $span['status'] === 2)), "\n";
	// What was compared is there.
	show('there', ...match ($mode) {
		'develop' => [substr_count($with['output'], 'Call Stack:'), substr($with['output'], -3), strtok($with['output'], "\n")],
		'trace' => [substr_count($with['calls'], "\twork\t"), substr_count($with['calls'], "\topa_")],
		// A line that was executed, one that was not, files.
		'coverage' => [$with['coverage']["$dir/program.php"][7], $with['coverage']["$dir/program.php"][5], count($with['coverage'])],
	});
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
develop before, opcache off: differ []
develop after, opcache off: differ []
develop before, opcache on: differ []
develop after, opcache on: differ []
spans {"main.php":4,"s":4,"t":4} errors 4
there 2 "255" "opcache \"1\""
trace before, opcache off: differ []
trace after, opcache off: differ []
trace before, opcache on: differ []
trace after, opcache on: differ []
spans {"main.php":4,"s":4,"t":4} errors 4
there 13 4
coverage before, opcache off: differ []
coverage after, opcache off: differ []
coverage before, opcache on: differ []
coverage after, opcache on: differ []
spans {"main.php":4,"s":4,"t":4} errors 4
there 1 -1 2
