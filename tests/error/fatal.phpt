--TEST--
Fatal errors mark the root span, with level, message, file and line
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/fatal.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$quiet = ['ini' => ['display_errors' => '0', 'log_errors' => '0']];
foreach (['E_ERROR' => 'eval("class B extends DateTime { function format(\$a, \$b) {} }");',
	'user error' => 'trigger_error("user", E_USER_ERROR);',
	'handled' => 'set_error_handler(fn () => true); trigger_error("user", E_USER_ERROR);',
	'given back' => "set_error_handler(fn () => false);\ntrigger_error('given back', E_USER_ERROR);",
	'another level' => 'set_error_handler(fn () => true, E_WARNING); trigger_error("user", E_USER_ERROR);',
	'parse' => 'include __DIR__ . "/bad.php";',
	'warning' => 'echo $undefined; trigger_error("w", E_USER_WARNING);'] as $what => $code) {
	$base = opa_test_spool() . '/bad.php';
	file_put_contents($base, "<?php\n\n syntax error here");
	$run = opa_test_run("<?php\n" . str_replace('__DIR__ . "/bad.php"', var_export($base, true), $code) . "\n", $quiet + ['env' => []]);
	$root = opa_test_root($run);
	show($what, $run['exit'], $root['status'], $root['tags']['error.type'] ?? null, $root['message'], basename($root['tags']['code.file.path'] ?? ''),
		$root['tags']['code.line.number'] ?? 0, count($root['events']));
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECTF--
E_ERROR 255 2 "E_COMPILE_ERROR" "Declaration of B::format($a, $b) must be compatible with DateTime::format(string $format)%S" "script.php(2) : eval()'d code" 1 1
user error 255 2 "E_USER_ERROR" "user" "script.php" 2 1
handled 0 0 null "" "" 0 0
given back 255 2 "E_USER_ERROR" "given back" "script.php" 3 1
another level 255 2 "E_USER_ERROR" "user" "script.php" 2 1
parse 255 2 "E_PARSE" "syntax error, %s" "bad.php" 3 1
warning 0 0 null "" "" 0 0
