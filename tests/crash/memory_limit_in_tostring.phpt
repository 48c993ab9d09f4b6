--TEST--
memory_limit that is reached inside opa's own call, by a __toString, ends like any other
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/memory_limit_in_tostring.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run(<<<'PHP'
<?php
class Hungry {
	public function __toString(): string {
		$all = '';
		while (true) {
			$all .= str_repeat('x', 100000);
		}
	}
}
$span = opa_start_span('hungry');
opa_add_event($span, str_repeat('n', 1000), ['a' => str_repeat('a', 3000), 'b' => new Hungry()]);
PHP, ['ini' => ['memory_limit' => '16M', 'display_errors' => '0', 'log_errors' => '0']]);
show('exit', $run['exit'], $run['signal'], $run['out']);
show('root', opa_test_root($run)['status'], opa_test_root($run)['tags']['error.type']);
show('hungry', opa_test_span('hungry', $run['spans'])['tags']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
exit 255 0 ""
root 2 "E_ERROR"
hungry {"opa.unfinished":true}
