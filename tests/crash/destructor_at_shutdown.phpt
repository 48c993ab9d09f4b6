--TEST--
A destructor that runs when the program ends may use every function
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/destructor_at_shutdown.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run(<<<'PHP'
<?php
class Late {
	public function __construct(private string $span) {}
	public function __destruct() {
		echo json_encode([
			opa_add_tag($this->span, 'destructor', 1),
			opa_end_span($this->span),
			opa_add_tag($this->span, 'again', 1),
			opa_end_span(opa_start_span('in destructor')),
		]), "\n";
	}
}
$late = new Late(opa_start_span('held'));
$cycle = new Late(opa_start_span('in a cycle'));
$cycle->self = $cycle;
PHP, ['ini' => ['error_reporting' => '8191']]);
echo $run['out'];
show('exit', $run['exit'], $run['signal']);
show('spans', array_count_values(array_column($run['spans'], 'name')));
show('tags', opa_test_span('held', $run['spans'])['tags']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
[true,true,false,true]
[true,true,false,true]
exit 0 0
spans {"script.php":1,"held":1,"in a cycle":1,"in destructor":2}
tags {"destructor":1}
