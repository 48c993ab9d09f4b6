--TEST--
A __toString that starts, runs and abandons fibers of its own
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/tostring_fiber_nested.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

class Starts {
	public function __toString(): string {
		$fiber = new Fiber(function (): string {
			$id = opa_start_span('inner', ['a' => 1]);
			Fiber::suspend($id);
			return 'never';
		});
		$id = $fiber->start();
		opa_add_tag($id, 'b', 2);
		return $id;
	}
}
$id = opa_start_span('outer');
show('set', opa_add_tag($id, 'inner', new Starts()), opa_current_span() === $id, opa_end_span($id));
$inner = opa_test_span('outer')['tags']['inner'];
show('inner', opa_add_tag($inner, 'c', 3), opa_end_span($inner));
show('tags', opa_test_span('inner')['tags'], opa_test_span('inner')['parent'] === $id);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
set true true true
inner true true
tags {"a":1,"b":2,"c":3} true
