--TEST--
opa_trace() runs the function in a span with its id and returns its result
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/trace_result.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

show('result', opa_trace('t', function (string $id) {
	show('current', opa_current_span() === $id, func_num_args());
	return [1, 'two'];
}, ['a' => 1]));
show('tags', opa_test_span('t')['tags'], opa_current_span() === opa_root_span());
show('nothing', opa_trace('n', function () {}));
show('object', get_class(opa_trace('o', fn () => new ArrayObject())));
show('callables', opa_trace('c', 'strlen'), opa_trace('d', [new class { public function m(string $i) { return strlen($i); } }, 'm']),
	opa_trace('e', strlen(...)), opa_trace('f', new class { public function __invoke($i) { return strlen($i); } }));
class Magic {
	public function __call($name, $args) { return "$name " . strlen($args[0]); }
	public static function __callStatic($name, $args) { return "$name " . strlen($args[0]); }
}
show('magic', opa_trace('g', [new Magic(), 'any']), opa_trace('h', 'Magic::any'));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
current true 1
result [1,"two"]
tags {"a":1} true
nothing null
object "ArrayObject"
callables 16 16 16 16
magic "any 16" "any 16"
