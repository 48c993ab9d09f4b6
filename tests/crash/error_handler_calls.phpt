--TEST--
A user's error handler may call opa, also while opa is called
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/error_handler_calls.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$handled = 0;
set_error_handler(function (int $level, string $message) use (&$handled): bool {
	$handled++;
	$span = opa_start_span('handler', ['message' => $message]);
	opa_add_tag(opa_root_span(), 'handled', $handled);
	opa_end_span($span);
	return true;
});
class Warns {
	public function __toString(): string {
		trigger_error('from __toString');
		return 'text' . $undefined;
	}
}
$span = opa_test_record(static fn (string $id) => opa_add_tags($id, ['a' => new Warns(), 'b' => [new Warns()]]));
show('tags', $span['tags']);
ini_set('opa.enabled', 'perhaps');
show('handled', $handled);
show('spans', count(array_filter(opa_test_spans(), static fn (array $s): bool => $s['name'] === 'handler')));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
tags {"a":"text","b":["text"]}
handled 5
spans 5
