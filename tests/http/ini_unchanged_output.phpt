--TEST--
opa changes nothing of what a page answers
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/ini_unchanged_output.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

$code = '<?php header("X-A: b"); setcookie("c", "d"); echo "page ", $_SERVER["REQUEST_METHOD"], " ", count($_GET), " ", ini_get("auto_globals_jit"); trigger_error("w", E_USER_WARNING);';
$answers = [];
foreach (['0', '1'] as $enabled) {
	$server = new OpaTestServer($code, ['opa.enabled' => $enabled, 'display_errors' => '1', 'html_errors' => '0']);
	$answers[] = preg_replace(['/^Date: .*$/m', '~server\d+~'], ['Date', 'server'], $server->send('/?a=1&b=2'));
	unset($server);
}
show('the same', $answers[0] === $answers[1], str_contains($answers[0], 'page GET 2'));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
the same true true
