--TEST--
A destructor that throws among the tags leaves no span open
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/destructor_throws.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

class Text {
	public function __toString(): string { return 'text'; }
	public function __destruct() { throw new Exception('from the destructor'); }
}
/* Converting `a` holds the object, and converting `b` takes away what held it before. */
function tags(): array {
	$text = new Text();
	$tags = ['a' => &$text];
	$tags['b'] = new class($text) {
		public function __construct(private mixed &$text) {}
		public function __toString(): string { $this->text = null; return 'b'; }
	};
	return $tags;
}
$root = opa_current_span();
foreach ([fn () => opa_start_span('start', tags()), fn () => opa_trace('trace', fn () => print("ran\n"), tags())] as $call) {
	try {
		$call();
		echo "nothing thrown\n";
	} catch (Exception $e) {
		show('thrown', $e->getMessage(), opa_current_span() === $root);
	}
}
show('ended', array_column(opa_test_spans(), 'name'));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
thrown "from the destructor" true
thrown "from the destructor" true
ended ["start","trace"]
