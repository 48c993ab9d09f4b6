--TEST--
opa_disable() in the middle: what is open stays and is kept, nothing new is recorded until opa_enable()
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/disable_in_the_middle.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run(<<<'PHP'
<?php
$open = opa_start_span('open');
$ended = opa_start_span('ended');
echo json_encode(opa_disable()), "\n";
$none = opa_start_span('none');
echo json_encode([$none, opa_add_tag($open, 'a', 1), opa_end_span($open), opa_current_span(), opa_root_span(),
	opa_trace_id(), opa_is_enabled(), opa_disable(), opa_flush(0), opa_trace('t', fn (string $id) => $id)]), "\n";
echo json_encode([opa_enable(), opa_is_enabled(), opa_current_span() === $ended, opa_add_tag($open, 'b', 1),
	opa_end_span($ended)]), "\n";
opa_disable();
PHP);
echo $run['out'];
foreach ($run['spans'] as $span) {
	show($span['name'], array_diff_key($span['tags'], ['process.pid' => 1]) === [] ? '-' : ($span['tags']['b'] ?? '-'));
}
show('open', opa_test_span('open', $run['spans'])['tags']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
true
["0000000000000000",false,false,"0000000000000000","0000000000000000",null,false,false,false,"0000000000000000"]
[true,true,true,true,true]
script.php "-"
open 1
ended "-"
open {"b":1,"opa.unfinished":true}
