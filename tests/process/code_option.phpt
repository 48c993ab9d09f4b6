--TEST--
Code from -r is traced, and code from standard input when it makes spans or asks for an id
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/code_option.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

function run(string $title, string $option, string $input): void
{
	static $number = 0;
	$spool = opa_test_spool() . '/code' . ++$number;
	file_put_contents("$spool.php", $input);
	exec(opa_test_php(['opa.spool_dir' => $spool]) . " $option < " . escapeshellarg("$spool.php"), $out, $status);
	$spans = opa_test_spans($spool);
	show($title, $status, count($spans), count($spans) > 0 && in_array(end($spans)['trace'], $out));
}

$code = [
	'a span' => 'opa_end_span(opa_start_span("s"));',
	'its trace' => 'echo opa_trace_id(), "\n";',
	'sent along' => 'echo explode("-", opa_traceparent())[1], "\n";',
	'nothing' => 'getenv("nothing");',
];
foreach ($code as $title => $php) {
	run("-r, $title", '-r ' . escapeshellarg($php), '');
	run("-R, $title", '-R ' . escapeshellarg($php), "a line\n");
	run("standard input, $title", '', "<?php $php");
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
-r, a span 0 2 false
-R, a span 0 2 false
standard input, a span 0 2 false
-r, its trace 0 1 true
-R, its trace 0 1 true
standard input, its trace 0 1 true
-r, sent along 0 1 true
-R, sent along 0 1 true
standard input, sent along 0 1 true
-r, nothing 0 1 false
-R, nothing 0 1 false
standard input, nothing 0 0 false
