--TEST--
What a __toString throws is swallowed, and the value is its type's name
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/tostring_throws.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

class Throws {
	public function __toString(): string { throw new RuntimeException('no'); }
}
class Wrong {
	public function __toString(): string { return $this->missing(); }
}
try {
	show('start', opa_test_record(static fn (string $id) => show('set', opa_add_tag($id, 'b', new Throws()),
		opa_add_tags($id, ['c' => [new Wrong(), 2]])), ['a' => new Throws(), 'after' => 1])['tags']);
	show('event', opa_test_record(static fn (string $id) => opa_add_event($id, 'e', ['a' => new Wrong()]))['events'][0]['tags']);
} catch (Throwable $e) {
	echo get_class($e), "\n";
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
set true true
start {"a":"Throws","after":1,"b":"Throws","c":["Wrong",2]}
event {"a":"Wrong"}
