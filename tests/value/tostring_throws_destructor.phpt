--TEST--
An exception that throws another one when it is swallowed is swallowed, too, but not without end
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/tostring_throws_destructor.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

class Chain extends Exception {
	public static int $left = 0;
	public function __destruct() {
		if (self::$left-- > 0) {
			throw new Chain();
		}
	}
}
class Throws {
	public function __toString(): string { throw new Chain(); }
}
Chain::$left = 5;
show('swallowed', opa_test_record(null, ['a' => new Throws()])['tags'], Chain::$left);
Chain::$left = 1000;
$id = opa_start_span('endless');
try {
	opa_add_tag($id, 'a', new Throws());
} catch (Chain $e) {
	echo "passed through\n";
	Chain::$left = 0;
}
show('end', opa_end_span($id));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
swallowed {"a":"Throws"} -1
passed through
end true
