--TEST--
Wrong types are PHP's own TypeErrors, also when tracing is off
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/type_errors.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

function tries(): void
{
	foreach ([fn () => opa_start_span([]), fn () => opa_start_span('a', 'b'), fn () => opa_start_span('a', [], 5.5 <=> 1, 'x'),
		fn () => opa_start_trace('a', [], 'b'), fn () => opa_start_trace('a', [], null, 'x'), fn () => opa_end_trace([]),
		fn () => opa_start_span('a', [], []), fn () => opa_end_span(null ?? []), fn () => opa_add_tag('a', [], 1), fn () => opa_add_tags('a', 'b'),
		fn () => opa_add_event('a', new stdClass()), fn () => opa_add_link('a', []), fn () => opa_set_parent('a', []),
		fn () => opa_set_name('a', []), fn () => opa_set_status('a', 'b'), fn () => opa_record_exception('a', new stdClass()),
		fn () => opa_track_error('a'), fn () => opa_trace('a', 'no function'), fn () => opa_trace('a', fn () => 1, 5), fn () => opa_flush([]),
		fn () => opa_add_tag('a', 'b'), fn () => opa_current_span(1)] as $i => $try) {
		try {
			$try();
			echo "$i accepted\n";
		} catch (TypeError $e) {
			echo get_class($e), ' ', $e->getMessage(), "\n";
		}
	}
}
ob_start();
tries();
$on = ob_get_clean();
opa_disable();
ob_start();
tries();
show('the same', ob_get_clean() === $on);
echo $on;
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
the same true
TypeError opa_start_span(): Argument #1 ($name) must be of type string, array given
TypeError opa_start_span(): Argument #2 ($tags) must be of type array, string given
TypeError opa_start_span(): Argument #4 ($kind) must be of type int, string given
TypeError opa_start_trace(): Argument #3 ($headers) must be of type ?array, string given
TypeError opa_start_trace(): Argument #4 ($kind) must be of type int, string given
TypeError opa_end_trace(): Argument #1 ($span) must be of type string, array given
TypeError opa_start_span(): Argument #3 ($parent) must be of type ?string, array given
TypeError opa_end_span(): Argument #1 ($span) must be of type string, array given
TypeError opa_add_tag(): Argument #2 ($key) must be of type string, array given
TypeError opa_add_tags(): Argument #2 ($tags) must be of type array, string given
TypeError opa_add_event(): Argument #2 ($name) must be of type string, stdClass given
TypeError opa_add_link(): Argument #2 ($traceparent) must be of type string, array given
TypeError opa_set_parent(): Argument #2 ($parent) must be of type string, array given
TypeError opa_set_name(): Argument #2 ($name) must be of type string, array given
TypeError opa_set_status(): Argument #2 ($status) must be of type int, string given
TypeError opa_record_exception(): Argument #2 ($e) must be of type Throwable, stdClass given
TypeError opa_track_error(): Argument #1 ($e) must be of type Throwable, string given
TypeError opa_trace(): Argument #2 ($fn) must be a valid callback, function "no function" not found or invalid function name
TypeError opa_trace(): Argument #3 ($tags) must be of type array, int given
TypeError opa_flush(): Argument #1 ($timeout_ms) must be of type int, array given
ArgumentCountError opa_add_tag() expects exactly 3 arguments, 2 given
ArgumentCountError opa_current_span() expects exactly 0 arguments, 1 given
