--TEST--
An output callback that runs when the program ends may use every function
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/output_callback_at_end.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run(<<<'PHP'
<?php
$span = opa_start_span('open');
ob_start(function (string $buffer) use ($span) {
	$done = [opa_add_tag($span, 'callback', strlen($buffer)), opa_end_span(opa_start_span('in callback')),
		opa_end_span($span), opa_add_tag($span, 'after', 1)];
	return $buffer . json_encode($done) . "\n";
});
echo "page\n";
PHP);
echo $run['out'];
show('exit', $run['exit'], $run['signal']);
show('tags', opa_test_span('open', $run['spans'])['tags']);
show('spans', count($run['spans']));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
page
[true,true,true,false]
exit 0 0
tags {"callback":5}
spans 3
