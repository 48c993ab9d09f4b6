--TEST--
A __toString that ends the span: the tag is refused
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/tostring_ends_span.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

class Ends {
	public function __construct(private string $span) {}
	public function __toString(): string { opa_end_span($this->span); return 'text'; }
}
foreach (['opa_add_tag', 'opa_add_tags', 'opa_add_event', 'opa_record_exception', 'opa_set_name'] as $i => $function) {
	$id = opa_start_span("span $i");
	show($function, match ($function) {
		'opa_add_tag' => opa_add_tag($id, 'a', [1, new Ends($id), 2]),
		'opa_add_tags' => opa_add_tags($id, ['a' => 1, 'b' => new Ends($id)]),
		'opa_add_event' => opa_add_event($id, 'e', [new Ends($id)]),
		'opa_record_exception' => opa_record_exception($id, new Exception(), [new Ends($id)]),
		'opa_set_name' => opa_set_name($id, (string) new Ends($id)),
	});
	$span = opa_test_span("span $i");
	show('left', $span['tags'], $span['events']);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
opa_add_tag false
left [] []
opa_add_tags false
left [] []
opa_add_event false
left [] []
opa_record_exception false
left [] []
opa_set_name false
left [] []
