--TEST--
Closures, resources, objects without text and generators become their type's name
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/other_types.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

eval('namespace Some\Space; class Thing {
	public $public = 1;
	public function __get($name) { echo "must not run\n"; }
	public function __debugInfo() { echo "must not run\n"; return []; }
	public function __serialize(): array { echo "must not run\n"; return []; }
}');
$closed = fopen('php://memory', 'r');
fclose($closed);
show('tags', opa_test_record(null, ['closure' => fn () => 1, 'resource' => fopen('php://memory', 'r'), 'closed' => $closed,
	'object' => new stdClass(), 'named' => new Some\Space\Thing(), 'generator' => (fn () => yield 1)(), 'array object' => new ArrayObject([1])])['tags']);
show('anonymous', opa_test_record(null, ['a' => new class extends Some\Space\Thing {}])['tags']['a']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
tags {"closure":"Closure","resource":"resource","closed":"resource","object":"stdClass","named":"Some\\Space\\Thing","generator":"Generator","array object":"ArrayObject"}
anonymous "Some\\Space\\Thing@anonymous"
