--TEST--
exit in a __toString passes through; nothing of the call is recorded
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/tostring_exits.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

foreach (['opa_start_span("s", [1, $e, 2])', 'opa_add_tag($id, "a", $e)', 'opa_add_tags($id, ["x" => 1, "a" => [$e]])',
	'opa_add_event($id, "e", [$e])', 'opa_trace("t", fn () => print("called"), [$e])',
	'opa_add_link($id, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", [$e])',
	'opa_record_exception($id, new Exception("x"), [$e])'] as $call) {
	$run = opa_test_run(<<<PHP
<?php
class Exits {
	public function __toString(): string { exit(4); }
}
\$e = new Exits();
\$id = opa_start_span('open');
try {
	$call;
	echo "went on\n";
} catch (Throwable \$t) {
	echo "caught\n";
} finally {
	echo "finally\n";
}
PHP);
	$open = opa_test_span('open', $run['spans']);
	show(strstr($call, '(', true), $run['exit'], $run['signal'], $run['out'], count($run['spans']), $open['tags'], count($open['events']) + count($open['links']));
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
opa_start_span 4 0 "" 2 {"opa.unfinished":true} 0
opa_add_tag 4 0 "" 2 {"opa.unfinished":true} 0
opa_add_tags 4 0 "" 2 {"opa.unfinished":true} 0
opa_add_event 4 0 "" 2 {"opa.unfinished":true} 0
opa_trace 4 0 "" 2 {"opa.unfinished":true} 0
opa_add_link 4 0 "" 2 {"opa.unfinished":true} 0
opa_record_exception 4 0 "" 2 {"opa.unfinished":true} 0
