--TEST--
A __toString that records itself goes as deep as the program lets it
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/tostring_deep.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

class Deep {
	public static int $left = 500;
	public function __toString(): string {
		if (--self::$left > 0) {
			opa_end_span(opa_start_span('deep', ['a' => new self()]));
		}
		return (string) self::$left;
	}
}
$id = opa_start_span('top', ['a' => new Deep()]);
opa_end_span($id);
show('spans', count(opa_test_spans()));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
spans 500
