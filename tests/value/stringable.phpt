--TEST--
A Stringable is its text, also with a null byte, also inside arrays
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/stringable.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

class Text implements Stringable {
	public function __construct(private string $text) {}
	public function __toString(): string { return $this->text; }
}
class Child extends Text {}
$object = new Text('one');
show('tags', opa_test_record(null, ['a' => $object, 'b' => new Child("t\0wo"), 'c' => ['x' => $object, 'y' => [new Text('')]]])['tags']);
show('internal', opa_test_record(null, ['a' => new ReflectionClass('stdClass')])['tags']['a'] === (string) new ReflectionClass('stdClass'));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
tags {"a":"one","b":"t\u0000wo","c":{"x":"one","y":[""]}}
internal true
